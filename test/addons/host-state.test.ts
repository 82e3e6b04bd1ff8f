import { describe, expect, test } from "bun:test";
import { decodeAssignments, type AssignmentList } from "../../src/addons/assigned/assignment.ts";
import { sameList } from "../../src/addons/assigned/same-list.ts";
import type { SafeName } from "../../src/addons/names.ts";
import { notedKey, recordOf } from "../../src/addons/on-host/record-of.ts";
import {
  advance,
  goBack,
  NO_SPECS,
  sameSpec,
  signersOf,
  specOf,
  type Spec,
  type Specs,
} from "../../src/addons/on-host/spec.ts";
import { decodeSpecs, encodeSpecs, newerSchema } from "../../src/addons/on-host/specs-document.ts";
import type { Stated } from "../../src/addons/on-host/stated.ts";
import { chooseGarbage, type GarbageChoice, type GarbageFacts } from "../../src/addons/operations/garbage.ts";
import { rollbackTarget } from "../../src/addons/operations/rollback-target.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import type { JsonValue } from "../../src/base/json.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { refusalOf } from "../trust/refusal.ts";
import { specNamed, specsAfter } from "./specs.ts";

function listOf(...addons: Record<string, unknown>[]): AssignmentList {
  const entries = addons.map((entry) => ({ addon_id: "sensor", enabled: true, ...entry }));
  return decodeAssignments(JSON.stringify({ addons: entries }), { what: "l", code: "input_invalid" });
}

const STATED: Stated = {
  envelope: "{}",
  keyid: "k",
  signers: ["k"],
  size: 1,
  expires: "",
  minimum_version: "1.5",
};

describe("the spec of an assignment", () => {
  const staged = {
    version: "1",
    folder: "1" as SafeName,
    binary_name: "sensor",
    artifact_sha256: sha256Of("1"),
    keyid: "k",
    stated: STATED,
  };
  const specFor = (entry: Record<string, unknown>): unknown => {
    const [assignment] = listOf(entry).assignments;
    return assignment === undefined ? null : specOf(assignment, staged);
  };

  test("carries what one start needs", () => {
    const said = {
      supervision: "systemd_timer",
      args: ["-a"],
      config_json: { a: 1 },
      capabilities: ["net"],
      os_capabilities: ["cap_bpf"],
      resources: { tasks_max: 1 },
    };
    expect(specFor(said)).toEqual({ addon_id: "sensor", ...staged, ...said });
  });

  test("of one that says nothing is a program beside the agent", () => {
    expect(specFor({})).toStrictEqual({
      addon_id: "sensor",
      ...staged,
      supervision: "agent_sidecar",
      args: [],
      config_json: undefined,
      capabilities: [],
      os_capabilities: [],
      resources: undefined,
    });
  });
});

test("a spec is what is read back of it: a zero below nothing does not make it new at each run", () => {
  const [assignment] = listOf({}).assignments;
  if (assignment === undefined) throw new Error("malformed");
  const staged = {
    version: "1",
    folder: "1" as SafeName,
    binary_name: "sensor",
    artifact_sha256: sha256Of("1"),
  };
  const said = { config_json: { a: -0 }, resources: { a: -0 } };
  const spec = specOf({ ...assignment, ...said }, staged);
  const specs = advance(NO_SPECS, spec, "1");
  const read = decodeSpecs(JSON.parse(encodeSpecs(specs)));
  expect(sameSpec(read.ok ? read.value.active : null, spec)).toBe(true);
});

test.each([1_000, 1_001])("of specs with a list of %i entries at most a thousand are read", (count) => {
  const written = JSON.parse(encodeSpecs(NO_SPECS));
  const blocked = Array.from({ length: count }, (_, index) => sha256Of(`${index}`));
  expect(decodeSpecs({ ...written, blocked }).ok).toBe(count === 1_000);
});

test("the signers of a spec are those of the bytes and of the statement, once each", () => {
  const stated = { ...STATED, signers: ["k", "l"] };
  const signers = [{}, { keyid: "k" }, { stated }, { keyid: "m", stated }, { keyid: "l", stated }].map(
    (more) => signersOf(specNamed("1", more)),
  );
  expect(signers).toEqual([[], ["k"], ["k", "l"], ["m", "k", "l"], ["l", "k"]]);
});

describe("a version that is put in place", () => {
  const again = { ...specNamed("2"), args: ["-x"] };

  test("is on trial, until a later run finds it still there", () => {
    const goods = [
      specsAfter("1"),
      specsAfter("1", "1"),
      specsAfter("1", "1", "2"),
      specsAfter("1", "1", "2", "2"),
    ];
    expect(goods.map(({ last_known_good: good }) => good?.version)).toEqual([undefined, "1", "1", "2"]);
    // The first one of all has nothing to fall back on; the second one has the first, though nobody saw it twice.
    expect(specsAfter("1", "2").last_known_good?.version).toBe("1");
    // The same bytes with other arguments are another spec.
    expect(advance(specsAfter("1", "1", "2"), again, "2").last_known_good?.version).toBe("1");
  });

  test("behind a health gate stays on trial, however often it is found", () => {
    const gated = (specs: Specs): Specs => advance(specs, specNamed("2"), "2", true);
    expect(gated(gated(specsAfter("1", "1"))).last_known_good?.version).toBe("1");
    expect(advance(advance(NO_SPECS, again, "2", true), again, "2", true).last_known_good).toBeNull();
    expect(advance(advance(NO_SPECS, again, "2", true), again, "2").last_known_good).toEqual(again);
  });

  test("makes its signature, its statement and its floor lasting", () => {
    const flags = ({ signed, stated, minimum_version: floor }: Specs): unknown => [signed, stated, floor];
    const signed = advance(NO_SPECS, { ...specNamed("1"), keyid: "k" }, "1");
    const stated = advance(NO_SPECS, { ...specNamed("1"), stated: STATED }, "1");
    expect([NO_SPECS, specsAfter("1"), signed, stated].map(flags)).toEqual([
      [false, false, ""],
      [false, false, ""],
      [true, false, ""],
      [false, true, "1.5"],
    ]);
    expect([signed, stated].map((specs) => flags(advance(specs, specNamed("2"), "2")))).toEqual([
      [true, false, ""],
      [false, true, "1.5"],
    ]);
  });

  test("leaves the ones before it, newest first, once for each folder, eight of them", () => {
    const folders = (specs: Specs): string[] => specs.history.map(({ folder }) => folder);
    expect(folders(specsAfter("1", "2", "3"))).toEqual(["2", "1"]);
    expect(folders(specsAfter("1", "2", "1", "2", "1"))).toEqual(["2"]);
    expect(folders(specsAfter("1", "2", "3", "1"))).toEqual(["3", "2"]);
    expect(folders(specsAfter("1", "1"))).toEqual([]);
    const other = { ...specNamed("1"), args: ["-x"] };
    expect(folders(advance(specsAfter("1"), other, "1"))).toEqual([]);
    const twice = { ...specsAfter("1", "2", "3"), history: [specNamed("3"), specNamed("1")] };
    expect(folders(advance(twice, specNamed("4"), "4"))).toEqual(["3", "1"]);
    const many = specsAfter("1", "2", "3", "4", "5", "6", "7", "8", "9", "10");
    expect(folders(many)).toEqual(["9", "8", "7", "6", "5", "4", "3", "2"]);
  });

  test("leaves as many of the ones before it as fit: an old configuration is not read back at any price", () => {
    const sized = (version: string, bytes: number): Spec =>
      specNamed(version, { config_json: "x".repeat(bytes) });
    const kept = (...sizes: number[]): string[] => {
      const all = sizes.map((bytes, index) => sized(`${index + 1}`, bytes));
      const specs = all.reduce((before, spec) => advance(before, spec, ""), NO_SPECS);
      return advance(specs, specNamed("9"), "").history.map(({ folder }) => folder);
    };
    const around = JSON.stringify(sized("1", 0)).length;
    const most = LIMITS.documentBytes - around;
    expect(kept(most)).toEqual(["1"]);
    expect(kept(most + 1)).toEqual([]);
    expect(kept(most / 2, most / 2)).toEqual(["2"]);
    expect(kept(10, most, 10)).toEqual(["3"]);
    expect(kept(10, most - 2 * around - 20, 10)).toEqual(["3", "2", "1"]);
  });
});

describe("a version that an operator goes back to", () => {
  test("is known good at once, and what it replaces is blocked", () => {
    const before: Specs = { ...specsAfter("1", "2", "2"), signed: true, blocked: [sha256Of("0")] };
    expect(goBack(before, specNamed("1"))).toEqual({
      ...before,
      active: specNamed("1"),
      last_known_good: specNamed("1"),
      history: [specNamed("2")],
      highest_version: "1",
      blocked: [sha256Of("2"), sha256Of("0")],
    });
  });

  test("is not blocked itself, and where nothing runs nothing is", () => {
    const before: Specs = { ...specsAfter("1", "2", "2"), blocked: [sha256Of("1"), sha256Of("2")] };
    expect(goBack(before, specNamed("1")).blocked).toEqual([sha256Of("2")]);
    expect(goBack(NO_SPECS, specNamed("1")).blocked).toEqual([]);
  });

  test("leaves thirty-two blocked, the newest of them", () => {
    const blocked = Array.from({ length: 32 }, (_, at) => sha256Of(`b${at}`));
    const after = goBack({ ...specsAfter("1", "2"), blocked }, specNamed("1")).blocked;
    expect(after).toEqual([sha256Of("2"), ...blocked.slice(0, 31)]);
  });
});

describe("specs that were written", () => {
  test("are the same when they start the same in the same way", () => {
    expect(sameSpec(specNamed("1"), specNamed("1"))).toBe(true);
    expect(sameSpec(specNamed("1"), { ...specNamed("1"), args: ["-x"] })).toBe(false);
    expect(sameSpec(null, specNamed("1"))).toBe(false);
  });

  test.each<[JsonValue, string | null]>([
    [{ schema: "waybill.addon-specs/v1" }, null],
    [{ schema: "waybill.addon-specs/v2" }, "waybill.addon-specs/v2"],
    [{ schema: "other/v2" }, null],
    [{ schema: "not a waybill.addon-specs/" }, null],
    [{ schema: 2 }, null],
    [{}, null],
    [null, null],
  ])("%p is of a newer build: %p", (document, schema) => {
    expect(newerSchema(document)).toBe(schema);
  });

  test("of another schema are not read", () => {
    const document = { schema: "waybill.addon-specs/v2", active: null, last_known_good: null, signed: true };
    expect(decodeSpecs(document)).toMatchObject({ ok: false });
    expect(decodeSpecs({ ...document, schema: "waybill.addon-specs/v1" })).toMatchObject({ ok: true });
  });
});

describe("the note beside a version", () => {
  const wanted = {
    assignment: { artifact_signature: "sig" },
    id: "sensor",
    version: "1",
    binaryName: "x",
    sha256: sha256Of("1"),
    objectKey: "https://s.example/x?ticket=1",
    signature: new Uint8Array(64),
  } as unknown as Parameters<typeof recordOf>[0];
  const noted = {
    addon_id: "sensor",
    version: "1",
    binary_name: "x",
    artifact_object_key: "https://s.example/x",
    artifact_sha256: sha256Of("1"),
  };

  test("has the signature as it was assigned, where there is one", () => {
    expect(recordOf(wanted)).toStrictEqual({ ...noted, artifact_signature: "sig" });
    expect(recordOf({ ...wanted, signature: null })).toStrictEqual(noted);
  });

  test.each([
    ["addons/x?y#z", "addons/x?y#z"],
    ["https://s.example/x", "https://s.example/x"],
    ["https://s.example/x?a=1\n&b=2", "https://s.example/x"],
    ["https://s.example/x#a", "https://s.example/x"],
    ["https://s.example/x?", "https://s.example/x"],
    ["S3://b/x?versionId=1", "S3://b/x"],
    ["a://b/x?y", "a://b/x"],
    ["x/https://s.example?y", "x/https://s.example?y"],
    ["1a://b/x?y", "1a://b/x?y"],
  ])("has no ticket: %p is noted as %p", (key, found) => {
    expect(notedKey(key)).toBe(found);
  });
});

describe("two lists", () => {
  const one = { version: "1", download_url: "https://s.example/x?ticket=1", download_token: "t1" };
  const broken = { addon_id: "b", version: "1", enabled: "no" };

  test("ask the same when only the way to the bytes is another one", () => {
    const other = { ...one, download_url: "https://s.example/x?ticket=2", download_token: "t2" };
    expect(sameList(listOf(one, broken), listOf(other, broken))).toBe(true);
  });

  test.each<[string, Record<string, unknown>[]]>([
    ["another version", [{ ...one, version: "2" }, broken]],
    ["other bytes", [{ ...one, artifact_sha256: "1".repeat(64) }, broken]],
    ["what is disabled", [{ ...one, enabled: false }, broken]],
    ["another configuration", [{ ...one, config_json: {} }, broken]],
    ["one add-on more", [one, broken, { addon_id: "c" }]],
    ["another one that is refused", [one, { ...broken, addon_id: "c" }]],
    ["another version of one that is refused", [one, { ...broken, version: "2" }]],
    ["none that is refused", [one]],
  ])("do not with %s", (_what, entries) => {
    expect(sameList(listOf(one, broken), listOf(...entries))).toBe(false);
  });
});

describe("what may go", () => {
  const folders = (...names: string[]): GarbageFacts["folders"] =>
    names.map((folder) => ({ folder, sha256: sha256Of(folder) }));
  const choose = (more: Partial<GarbageFacts>): GarbageChoice =>
    chooseGarbage({
      current: null,
      specs: NO_SPECS,
      folders: folders("9", "8", "7", "6"),
      running: new Set(),
      keep: 0,
      ...more,
    });
  const kept = (more: Partial<GarbageFacts>): string[] =>
    choose(more).kept.map(({ folder, why }) => `${folder} ${why}`);

  test("is everything that nobody needs", () => {
    expect(choose({})).toEqual({ kept: [], removed: ["9", "8", "7", "6"] });
  });

  const pinned = { artifact_sha256: sha256Of("7"), version: "7", reason: "" };
  test.each<[string, Partial<GarbageFacts>, string[]]>([
    ["what is shown", { current: "8" }, ["8 current"]],
    ["what is active", { specs: { ...NO_SPECS, active: specNamed("8") } }, ["8 active"]],
    [
      "what is about to be",
      { specs: { ...NO_SPECS, pending: { spec: specNamed("8"), back: false } } },
      ["8 pending"],
    ],
    ["what was good", { specs: { ...NO_SPECS, last_known_good: specNamed("8") } }, ["8 last_known_good"]],
    [
      "what ran before",
      { specs: { ...NO_SPECS, history: [specNamed("8"), specNamed("7")] } },
      ["8 previous"],
    ],
    [
      "what ran before another folder",
      { specs: { ...NO_SPECS, active: specNamed("9"), history: [specNamed("9"), specNamed("7")] } },
      ["9 active", "7 previous"],
    ],
    ["what is pinned", { specs: { ...NO_SPECS, pinned } }, ["7 pinned"]],
    ["what runs", { running: new Set(["6"]) }, ["6 running"]],
    ["as many of the newest as are wanted", { keep: 2 }, ["9 recent", "8 recent"]],
    ["those besides what has to", { keep: 1, current: "9" }, ["9 current", "8 recent"]],
    ["nothing because its bytes are not known", { folders: [{ folder: "5", sha256: null }] }, []],
  ])("is not %s", (_what, facts, wanted) => {
    expect(kept(facts)).toEqual(wanted);
    const { kept: stays, removed } = choose(facts);
    expect(stays.length + removed.length).toBe((facts.folders ?? folders("9", "8", "7", "6")).length);
  });
});

describe("a rollback", () => {
  const specs = specsAfter("1", "1", "2");
  const code = (of: Specs, to?: string): unknown => {
    const { code: found, message, hint } = refusalOf(() => rollbackTarget(of, to));
    return { code: found, message, hint };
  };

  test("goes to the last known good before all else, though nothing remembers that it ran", () => {
    expect(rollbackTarget({ ...specs, history: [specNamed("0")] }, undefined)).toEqual(specNamed("1"));
    expect(rollbackTarget({ ...specs, active: null }, undefined)).toEqual(specNamed("1"));
  });

  test("goes to a version by its name or its folder, and to the newest that has the name", () => {
    const [old, aside] = [specNamed("1"), specNamed("1", { folder: "1+abc" as SafeName })];
    const both = { ...NO_SPECS, active: specNamed("2"), history: [aside, old] };
    expect(rollbackTarget(both, "1")).toEqual(aside);
    expect(rollbackTarget(both, "1+abc")).toEqual(aside);
    expect(rollbackTarget({ ...both, history: [old, aside] }, "1+abc")).toEqual(aside);
  });

  test("has to go somewhere", () => {
    expect(code(specs, "2")).toEqual({
      code: "nothing_named",
      message: 'version "2" is what runs already',
      hint: "keep it with: waybill addon pin sensor",
    });
    const aside = { ...specs, active: specNamed("2", { folder: "2+abc" as SafeName }) };
    expect(["2", "2+abc"].map((to) => refusalOf(() => rollbackTarget(aside, to)).code)).toEqual([
      "nothing_named",
      "nothing_named",
    ]);
    expect(code(NO_SPECS, "2")).toEqual({
      code: "rollback_target_missing",
      message: 'version "2" never ran here, or was removed',
      hint: "assign another version",
    });
    expect(code(specs, "3")).toMatchObject({ code: "rollback_target_missing", hint: "there is: 1" });
    expect(code(NO_SPECS)).toMatchObject({ message: "nothing ran before it" });
  });

  test("goes to nothing that its publisher took back", () => {
    expect(code({ ...specs, minimum_version: "1.5" })).toMatchObject({ code: "downgrade_refused" });
    expect(code({ ...specs, minimum_version: "1.5" }, "1")).toMatchObject({ code: "downgrade_refused" });
    expect(rollbackTarget({ ...specs, minimum_version: "1.0" }, undefined)).toEqual(specNamed("1"));
  });
});
