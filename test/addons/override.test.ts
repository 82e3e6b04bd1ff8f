import { describe, expect, test } from "bun:test";
import { NOTHING_SAID, type Assignment } from "../../src/addons/assigned/assignment.ts";
import { applyOverrides, decodeOverrides } from "../../src/addons/assigned/override.ts";

const pushed: Assignment = {
  ...NOTHING_SAID,
  addon_id: "x",
  enabled: true,
  version: "1",
  binary_path: "/b/x",
  args: ["-a"],
  config_json: { a: 1 },
  capabilities: ["net"],
  artifact_object_key: "k",
  artifact_signature: "sig",
  os_capabilities: ["cap_net_raw"],
  resources: { tasks_max: 5 },
  download_url: "https://x/y",
  download_token: "token",
};

function merged(...addons: Record<string, unknown>[]): readonly Assignment[] {
  return applyOverrides([pushed], decodeOverrides(JSON.stringify({ addons }), "o").overrides, new Set())
    .assignments;
}

describe("members", () => {
  const cases: [string, Record<string, unknown>, Partial<Assignment>][] = [
    ["nothing said", {}, {}],
    ["a text replaces", { version: "2" }, { version: "2" }],
    ["an empty text inherits", { version: "", binary_path: "" }, {}],
    ["a list replaces whole", { args: ["-b", "-c"] }, { args: ["-b", "-c"] }],
    ["an empty list inherits", { args: [], capabilities: [] }, {}],
    ["null inherits", { version: null, args: null, enabled: null }, {}],
    ["an empty object inherits", { resources: {} }, {}],
    ["a number replaces", { resources: 7 }, { resources: 7 }],
    ["disabled", { enabled: false }, { enabled: false }],
    ["a configuration replaces whole", { config_json: { b: 2 } }, { config_json: { b: 2 } }],
    ["an empty configuration replaces", { config_json: {} }, { config_json: {} }],
    ["a null configuration replaces", { config_json: null }, { config_json: null }],
    ["an empty text as configuration replaces", { config_json: "" }, { config_json: "" }],
    ["clear", { clear: ["args", "artifact_signature"] }, { args: [], artifact_signature: "" }],
    ["clear the configuration", { clear: ["config_json"] }, { config_json: undefined }],
    ["clear beside an empty value", { args: [], clear: ["args"] }, { args: [] }],
    ["members in other capitals", { Enabled: false, ARGS: ["-b"] }, { enabled: false, args: ["-b"] }],
    ["models in hyphens", { supervision: "config-toggle" }, { supervision: "config_toggle" }],
  ];
  test.each(cases)("case 67: %s", (_name, entry, changed) => {
    expect(merged({ addon_id: "x", ...entry })).toEqual([{ ...pushed, ...changed }]);
  });
});

describe("entries", () => {
  test("an id is trimmed, and one without is skipped", () => {
    expect(
      merged({ addon_id: " x ", version: "2" }, { addon_id: "  ", version: "3" }, { version: "4" }),
    ).toEqual([{ ...pushed, version: "2" }]);
  });

  test("in a list of another spelling", () => {
    const { overrides } = decodeOverrides('{"Addons":[{"Addon_ID":"x"}]}', "o");
    expect(overrides.map(({ addon_id }) => addon_id)).toEqual(["x"]);
  });

  test("of two for one id the later holds, alone", () => {
    expect(merged({ addon_id: "x", version: "2" }, { addon_id: "x", args: ["z"] })).toEqual([
      { ...pushed, args: ["z"] },
    ]);
  });

  test("local ones are appended in order, enabled unless they say otherwise", () => {
    const all = merged(
      { addon_id: "b", binary_path: "/b" },
      { addon_id: "x" },
      { addon_id: "a", enabled: false },
    );
    expect(all.map(({ addon_id, enabled, binary_path }) => [addon_id, enabled, binary_path])).toEqual([
      ["x", true, "/b/x"],
      ["b", true, "/b"],
      ["a", false, ""],
    ]);
  });

  test("a refused assignment is not brought back", () => {
    const { overrides } = decodeOverrides('{"addons":[{"addon_id":"y","binary_path":"/y"}]}', "o");
    expect(applyOverrides([pushed], overrides, new Set(["y"])).assignments).toEqual([pushed]);
  });

  test("case 68: an id in another case stands alone, and is told", () => {
    const { overrides } = decodeOverrides('{"addons":[{"addon_id":"X","version":"2"}]}', "o");
    const { assignments, warnings } = applyOverrides([pushed], overrides, new Set());
    expect(assignments.map(({ addon_id }) => addon_id)).toEqual(["x", "X"]);
    expect(warnings.map(({ code }) => code)).toEqual(["override_near_miss"]);
  });

  test("null as configuration and unknown members are told", () => {
    const { warnings } = decodeOverrides('{"addons":[{"addon_id":"x","config_json":null,"colour":1}]}', "o");
    expect(warnings.map(({ code }) => code)).toEqual(["fields_ignored", "override_null_config"]);
  });
});

test.each([
  ["twice", '{"addons":[{"addon_id":"x","enabled":true,"version":"3","enabled":false}]}', "enabled"],
  ["in two spellings", '{"addons":[{"addon_id":"x","enabled":true,"Enabled":false}]}', "enabled"],
  [
    "in two spellings and again",
    '{"addons":[{"addon_id":"x","Enabled":true,"enabled":true,"Enabled":false}]}',
    "enabled",
  ],
  ["of the document", '{"addons":[],"Addons":[{"addon_id":"x","enabled":false}]}', "addons"],
])("case 64: a member %s: the last one counts, as in the original, and it is told", (_name, text, member) => {
  const { overrides, warnings } = decodeOverrides(text, "o");
  expect(overrides.map(({ enabled }) => enabled)).toEqual([false]);
  expect(warnings.every(({ code }) => code === "override_twice")).toBe(true);
  expect(warnings[0]?.message.toLowerCase()).toContain(`"${member}"`);
});

test.each(["{}", '{"addons":[]}'])("%s overrides nothing", (text) => {
  expect(decodeOverrides(text, "o")).toEqual({ overrides: [], warnings: [] });
});

const malformed: [string, string, string][] = [
  ["no object", "[]", "o is no object; wanted {"],
  ["no list", '{"addons":{}}', "o is malformed: addons is an object; wanted a list"],
  ["no entry", '{"addons":["x"]}', "addons[0] is no object"],
  [
    "an id that is a number",
    '{"addons":[{"addon_id":7,"colour":1}]}',
    "addons[0].addon_id is 7; wanted a string",
  ],
  [
    "a number for a text",
    '{"addons":[{"addon_id":"x","version":1}]}',
    "addons[0].version is 1; wanted a string",
  ],
  [
    "a text for a boolean",
    '{"addons":[{"addon_id":"x","enabled":"no"}]}',
    'addons[0].enabled is "no"; wanted true or false',
  ],
  [
    "a number for the version to go back to",
    '{"addons":[{"addon_id":"x","allow_downgrade":1}]}',
    "addons[0].allow_downgrade is 1; wanted a string",
  ],
  [
    "clear that is no list",
    '{"addons":[{"addon_id":"x","clear":"args"}]}',
    'addons[0].clear is "args"; wanted a list',
  ],
  [
    "clear of an unknown member",
    '{"addons":[{"addon_id":"x","clear":["enabled"]}]}',
    'addons[0].clear[0] is "enabled"; wanted one of binary_path, args, capabilities, ',
  ],
  [
    "clear of a member that is set",
    '{"addons":[{"addon_id":"x","args":["a"],"clear":["args"]}]}',
    "addons[0].clear names args, which the entry also sets",
  ],
  ["text behind it", '{"addons":[]}{}', "o is not"],
];
test.each(malformed)("malformed as a whole: %s", (_name, document, message) => {
  const refused = { code: "config_invalid", message: expect.stringContaining(message) };
  expect(() => decodeOverrides(document, "o")).toThrow(expect.objectContaining(refused));
});

describe("what can be set back to nothing", () => {
  const { version: _, ...members } = NOTHING_SAID;
  test.each(Object.entries(members))("%s", (name, nothing) => {
    const [assignment] = merged({ addon_id: "x", clear: [name] });
    expect(assignment).toEqual({ ...pushed, [name]: nothing });
  });

  test("is not the version, and nothing that nobody knows", () => {
    for (const name of ["version", "enabled", "", "x"]) {
      const clear = (): unknown =>
        decodeOverrides(JSON.stringify({ addons: [{ addon_id: "x", clear: [name] }] }), "o");
      expect(clear).toThrow("clear");
    }
  });
});

describe("what only an override says", () => {
  test("is to which version the host may go back", () => {
    const back = (allow_downgrade: unknown): string | undefined =>
      merged({ addon_id: "x", allow_downgrade })[0]?.allow_downgrade;
    expect([back(" 1.2 "), back("")]).toEqual(["1.2", undefined]);
  });

  test("is known, in any case of letters, and what nobody knows is told, eight of them", () => {
    const warned = (entry: Record<string, unknown>): string[] =>
      decodeOverrides(JSON.stringify({ addons: [{ addon_id: "x", ...entry }] }), "o").warnings.map(
        ({ message }) => message,
      );
    expect(warned({ clear: ["args"], allow_downgrade: "1" })).toEqual([]);
    expect(warned({ Clear: ["args"], Allow_Downgrade: "1" })).toEqual([]);
    expect(warned({ Colour: 1 })).toEqual(['the override of "x" has unknown members: "Colour"']);
    const many = Object.fromEntries(Array.from({ length: 9 }, (_one, index) => [`m${index}`, 1]));
    const [told = ""] = warned(many);
    expect([told.includes("m0"), told.includes("m7"), told.includes("m8")]).toEqual([true, true, false]);
  });
});

test("an override alone that is spelt nearly like one that is assigned is told which", () => {
  const { overrides } = decodeOverrides('{"addons":[{"addon_id":"Sample"}]}', "o");
  const warned = (...ids: string[]): string[] =>
    applyOverrides(
      ids.map((addon_id) => ({ ...pushed, addon_id })),
      overrides,
      new Set(),
    ).warnings.map(({ message }) => message);
  expect(warned("other")).toEqual([]);
  expect(warned("other", " sAMPLE ", "sample")).toEqual([
    'the override of "Sample" stands alone: the assigned add-on is "sAMPLE"',
  ]);
});
