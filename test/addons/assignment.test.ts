import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { decodeAssignments } from "../../src/addons/assigned/assignment.ts";

const SHA = "a".repeat(64);
const source = { what: "the list", code: "input_invalid" } as const;

function one(entry: Record<string, unknown>): ReturnType<typeof decodeAssignments> {
  return decodeAssignments(JSON.stringify({ addons: [{ addon_id: "x", enabled: true, ...entry }] }), source);
}

function failure(document: string | Uint8Array): Failure {
  try {
    decodeAssignments(document, source);
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error("it was taken");
}

describe("documents", () => {
  test("an empty list is a list", () => {
    expect(decodeAssignments('{"addons":[]}', source)).toEqual({
      assignments: [],
      refused: [],
      warnings: [],
      configVersion: null,
    });
  });

  test("a byte-order mark is skipped", () => {
    expect(decodeAssignments(new TextEncoder().encode('\ufeff{"addons":[]}'), source).assignments).toEqual(
      [],
    );
  });

  const refused: [string, string][] = [
    ["no list", "{}"],
    ["an error answer", '{"error":"no"}'],
    ["null for the list", '{"addons":null}'],
    ["a bare list", "[]"],
    ["null for the document", "null"],
    ["a null entry", '{"addons":[null]}'],
    ["an entry without an id", '{"addons":[{"version":"1"}]}'],
    ["an id that is a number", '{"addons":[{"addon_id":7}]}'],
    ["an id of spaces", '{"addons":[{"addon_id":"  "}]}'],
    ["a trailing comma", '{"addons":[],}'],
    ["NaN", '{"addons":[{"addon_id":"x","enabled":NaN}]}'],
    ["a member twice", '{"addons":[{"addon_id":"x","addon_id":"y"}]}'],
    ["text behind it", '{"addons":[]} x'],
    ["nothing", ""],
    ["a deep one", `{"addons":[{"addon_id":"x","config_json":${"[".repeat(70)}${"]".repeat(70)}}]}`],
    ["too many", JSON.stringify({ addons: Array.from({ length: 1001 }, (_, i) => ({ addon_id: `a${i}` })) })],
    ["an answer that says as before", '{"addons":[],"not_modified":true}'],
  ];
  test.each(refused)("case 64: %s is refused", (_name, document) => {
    expect(failure(document).code).toBe("input_invalid");
  });

  test("what is missing is named", () => {
    expect(failure("{}").message).toBe("the list is no assignment list: addons is missing; wanted a list");
  });

  test("ten megabytes are too many", () => {
    expect(failure(`{"addons":[],"x":"${"y".repeat(10_485_760)}"}`).message).toContain(
      "larger than 10485760 bytes",
    );
  });
});

describe("entries", () => {
  test("every member is read", () => {
    const entry = {
      version: " 1.2 ",
      binary_path: "/b/x",
      args: ["-a", ""],
      config_json: { a: 1 },
      capabilities: ["net"],
      delivery: "pushed-artifact",
      supervision: "systemd-timer",
      artifact_object_key: "k",
      artifact_sha256: `sha256:${SHA.toUpperCase()}`,
      artifact_signature: "sig",
      artifact_statement: '{"payload":"…"}',
      target_os: "linux",
      target_arch: "amd64",
      os_capabilities: ["cap_net_raw"],
      resources: { cpu_max_percent: 5 },
      download_url: "https://x",
      download_token: "t",
    };
    const { assignments, refused, warnings } = one(entry);
    expect(refused).toEqual([]);
    expect(warnings).toEqual([]);
    expect(assignments).toEqual([
      {
        ...entry,
        addon_id: "x",
        enabled: true,
        version: "1.2",
        delivery: "pushed_artifact",
        supervision: "systemd_timer",
        artifact_sha256: SHA as never,
        artifacts: {},
      },
    ]);
  });

  test("an argument is as long as Linux takes one", () => {
    const longest = `${"é".repeat(65_535)}a`;
    expect(one({ args: [longest] }).assignments).toMatchObject([{ args: [longest] }]);
  });

  test("null is not said", () => {
    const { assignments } = one({ version: null, args: null, config_json: null, artifact_signature: null });
    expect(assignments[0]).toMatchObject({
      version: "",
      args: [],
      config_json: undefined,
      artifact_signature: "",
    });
  });

  test("enabled missing counts as true, and is told", () => {
    const { assignments, warnings } = decodeAssignments('{"addons":[{"addon_id":"x"}]}', source);
    expect(assignments[0]?.enabled).toBe(true);
    expect(warnings.map((warning) => warning.code)).toEqual(["enabled_assumed"]);
  });

  test("unknown members are ignored, and told", () => {
    const { assignments, warnings } = one({ colour: "red", __proto: 1 });
    expect(Object.keys(assignments[0] ?? {})).not.toContain("colour");
    expect(warnings).toEqual([
      {
        code: "fields_ignored",
        message: 'add-on "x" has members that waybill does not know: "colour", "__proto"',
      },
    ]);
  });

  const digests: [string, string][] = [
    [SHA, SHA],
    [` ${SHA.toUpperCase()}\n`, SHA],
    [`sha256:${SHA}`, SHA],
    [Buffer.from(SHA, "hex").toString("base64"), SHA],
    [Buffer.from(SHA, "hex").toString("base64url"), SHA],
    ["", ""],
  ];
  test.each(digests)("the digest %p", (text, expected) => {
    expect(one({ artifact_sha256: text }).assignments[0]?.artifact_sha256 as string).toBe(expected);
  });

  const configs: [string, unknown, unknown][] = [
    ["inline", { a: 1 }, { a: 1 }],
    ["a list", [1], [1]],
    ["base64", Buffer.from('{"a":1}').toString("base64"), { a: 1 }],
    ["its text", '{"a":1}', { a: 1 }],
    ["empty text", "", undefined],
  ];
  test.each(configs)("a configuration as %s", (_name, value, expected) => {
    const { assignments } = one({ config_json: value });
    expect(assignments.map(({ config_json }): unknown => config_json)).toStrictEqual([expected]);
  });

  const malformed: [string, Record<string, unknown>, string][] = [
    ["enabled as text", { enabled: "true" }, 'addons[0].enabled is "true"; wanted true or false'],
    ["enabled as a number", { enabled: 1 }, "addons[0].enabled is"],
    ["args as text", { args: "x" }, 'addons[0].args is "x"; wanted a list'],
    ["a number in args", { args: [1] }, "addons[0].args[0] is 1; wanted text without a zero character"],
    ["a zero character in args", { args: ["a", "b\0"] }, "wanted text without a zero character"],
    ["what is too long for one argument", { args: ["é".repeat(65_536)] }, "of at most 131071 bytes"],
    ["a version as a number", { version: 1.1 }, "addons[0].version is 1.1; wanted a string"],
    ["a delivery as a number", { delivery: 7 }, "addons[0].delivery is 7; wanted a string"],
    ["a digest as a number", { artifact_sha256: 7 }, "addons[0].artifact_sha256 is 7; wanted a string"],
    [
      "a digest with its algorithm in the middle",
      { artifact_sha256: `${"a".repeat(32)}sha256:${"a".repeat(32)}` },
      "addons[0].artifact_sha256",
    ],
    ["a short digest", { artifact_sha256: "a".repeat(63) }, "addons[0].artifact_sha256"],
    ["a long digest", { artifact_sha256: "a".repeat(65) }, "addons[0].artifact_sha256"],
    [
      "a digest with a space",
      { artifact_sha256: `${"a".repeat(32)} ${"a".repeat(31)}` },
      "addons[0].artifact_sha256",
    ],
    ["a configuration that is other text", { config_json: "hello world" }, "addons[0].config_json"],
    ["a configuration in two readings", { config_json: "1234" }, "addons[0].config_json"],
  ];
  test.each(malformed)("%s refuses that entry alone", (_name, members, message) => {
    const text = JSON.stringify({
      addons: [
        { addon_id: "x", enabled: true, ...members },
        { addon_id: "y", enabled: true },
      ],
    });
    const { assignments, refused } = decodeAssignments(text, source);
    expect(assignments.map((assignment) => assignment.addon_id)).toEqual(["y"]);
    expect(refused.map((entry) => [entry.addon_id, entry.failure.code])).toEqual([["x", "input_invalid"]]);
    expect(refused[0]?.failure.message).toContain(message);
  });

  test.each([
    [5, ""],
    [6, " (and more)"],
    [1_000, " (and more)"],
  ])("of %i problems of one entry five are told", (count, more) => {
    const message = one({ args: Array<number>(count).fill(1) }).refused[0]?.failure.message ?? "";
    expect(message.split("; wanted text")).toHaveLength(6);
    expect(message).toEndWith(`at most 131071 bytes${more}`);
  });

  test("the same id twice refuses both, also in another case", () => {
    const text = JSON.stringify({
      addons: ["x", "y", "X"].map((addon_id) => ({ addon_id, enabled: true, version: "1" })),
    });
    const { assignments, refused } = decodeAssignments(text, source);
    expect(assignments.map((assignment) => assignment.addon_id)).toEqual(["y"]);
    expect(refused.map((entry) => [entry.addon_id, entry.failure.code])).toEqual([
      ["x", "answer_ambiguous"],
      ["X", "answer_ambiguous"],
    ]);
  });

  test("a malformed twin counts as a twin", () => {
    const text = '{"addons":[{"addon_id":"x","enabled":true},{"addon_id":"x","enabled":"no"}]}';
    const { assignments, refused } = decodeAssignments(text, source);
    expect(assignments).toEqual([]);
    expect(refused).toHaveLength(2);
  });
});

describe("what stands around the list", () => {
  test("is what the original sends, and nothing is told of it", () => {
    const document = {
      schema: "s",
      addons: [],
      config_version: "v7",
      config_timestamp: 7,
      not_modified: false,
    };
    expect(decodeAssignments(JSON.stringify(document), source)).toMatchObject({
      warnings: [],
      configVersion: "v7",
    });
  });

  test.each(["", 7, null])("%p is no version of a configuration", (config_version) => {
    expect(
      decodeAssignments(JSON.stringify({ addons: [], config_version }), source).configVersion,
    ).toBeNull();
  });

  test("is refused with five reasons, and that there are others", () => {
    const broken = (count: number): string =>
      failure(JSON.stringify({ addons: Array(count).fill({}) })).message;
    const reasons = (count: number): string =>
      Array.from({ length: count }, (_, index) => `addons[${index}] has no readable addon_id`).join("; ");
    expect(broken(5)).toBe(`the list is no assignment list: ${reasons(5)}`);
    expect(broken(6)).toBe(`the list is no assignment list: ${reasons(5)} (and more)`);
    expect(broken(8)).toBe(`the list is no assignment list: ${reasons(5)} (and more)`);
  });
});

describe("the statement of an entry", () => {
  const text = '{"a":1}';
  const encoded = Buffer.from(text).toString("base64");
  const long = `{"a":"${"x".repeat(65_536 - 8)}"}`;
  const taken: [string, unknown, string | undefined][] = [
    ["inline", { a: 1 }, text],
    ["as text", text, text],
    ["as text with white space around", ` ${text}\n`, text],
    ["as base64", encoded, text],
    ["as long as it may be", long, long],
    ["that is empty", "", ""],
    ["that is not said", undefined, ""],
  ];
  test.each(taken)("%s is read", (_what, value, wanted) => {
    const { assignments } = one({ artifact_statement: value });
    expect(assignments[0]?.artifact_statement).toBe(wanted ?? "");
  });

  const refusedOnes: [string, unknown][] = [
    ["that is no JSON", "x{}"],
    ["that is base64 of something else", Buffer.from("abc").toString("base64")],
    ["that ends like JSON", "{".padStart(4, "a")],
    ["that is a number", 7],
    ["that is too long", `${long} `.replace("x", "xx")],
  ];
  test.each(refusedOnes)("%s refuses the entry", (_what, value) => {
    const { assignments, refused } = one({ artifact_statement: value });
    expect([assignments.length, refused.length]).toEqual([0, 1]);
  });
});

describe("a list of an entry", () => {
  const lists: [string, number][] = [
    ["args", 1_000],
    ["capabilities", 64],
    ["os_capabilities", 64],
  ];
  test.each(lists)("%s has at most %i members", (name, most) => {
    expect(one({ [name]: Array(most).fill("a") }).assignments).toHaveLength(1);
    expect(one({ [name]: Array(most + 1).fill("a") }).refused).toHaveLength(1);
  });
});

test("members that nobody knows are named, eight of them", () => {
  const told = (count: number): string | undefined =>
    one(Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 1]))).warnings[0]
      ?.message;
  const names = Array.from({ length: 8 }, (_, index) => `"m${index}"`).join(", ");
  const start = 'add-on "x" has members that waybill does not know: ';
  expect([told(8), told(9), told(11)]).toEqual([
    `${start}${names}`,
    `${start}${names} and 1 more`,
    `${start}${names} and 3 more`,
  ]);
});

test("what is malformed keeps the version that it says, and a hint for one that is a number", () => {
  const [said] = one({ version: "1.5", enabled: 7 }).refused;
  expect([said?.version, said?.failure.hint]).toEqual(["1.5", undefined]);
  const [number] = one({ version: 1.5 }).refused;
  expect([number?.version, number?.failure.hint]).toEqual([
    "",
    "write the version as a string: as a number 1.10 and 1.1 are the same",
  ]);
});

test("a configuration that is empty text is none, and text may have white space before it", () => {
  for (const { assignments } of [one({ config_json: "" }), one({})])
    expect(assignments.map(({ config_json }) => config_json)).toStrictEqual([undefined]);
  expect(one({ config_json: ' {"a":1}' }).assignments[0]?.config_json).toEqual({ a: 1 });
  expect(one({ config_json: "[1]" }).refused).toHaveLength(1);
  expect(one({ config_json: Buffer.from("[1]").toString("base64") }).refused).toHaveLength(1);
});
