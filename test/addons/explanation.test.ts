import { describe, expect, test } from "bun:test";
import { askOf } from "../../src/addons/assigned/ask.ts";
import { NOTHING_SAID, type Assignment } from "../../src/addons/assigned/assignment.ts";
import type { HostList } from "../../src/addons/assigned/host-list.ts";
import { Layout } from "../../src/addons/on-host/layout.ts";
import { describeExplanation, explain, type Explanation } from "../../src/addons/operations/explanation.ts";
import { describePlan, planDocument } from "../../src/addons/operations/plan-document.ts";
import type { Planned } from "../../src/addons/operations/plan.ts";
import type { Facts } from "../../src/addons/staging/next-step.ts";
import { safeName } from "../../src/addons/names.ts";
import { Failure } from "../../src/base/failure.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { FRESH } from "./facts.ts";

const ASSIGNED: Assignment = {
  ...NOTHING_SAID,
  addon_id: "sensor",
  enabled: true,
  config_json: undefined,
  version: "2",
  binary_path: "/usr/bin/sensor",
};

const PLANNED: Planned = {
  addonId: "sensor",
  version: "1",
  wantedVersion: "2",
  action: "stage",
  changes: true,
  failure: null,
  ask: askOf(ASSIGNED, { os: "linux", arch: "amd64" }, new Layout("/r", "waybill")),
  facts: null,
  step: null,
};

const FACTS: Facts = {
  ...FRESH,
  current: "1",
  staged: { recorded: null, sha256: sha256Of("1"), keyid: "k", retained: null },
  signedBefore: true,
  keys: 3,
  rootVersion: 1,
  signerMark: { keys: 2, root_version: 1 },
  active: sha256Of("1"),
  highestVersion: "1",
  pinned: { artifact_sha256: sha256Of("1"), version: "1", reason: "" },
  now: new Date(0),
};

function explained(
  planned: Partial<Planned> = {},
  pushed: Assignment | null = ASSIGNED,
  assignment = ASSIGNED,
): Explanation {
  const list: HostList = {
    pushed: [{ ...ASSIGNED, addon_id: "other", version: "7" }, ...(pushed === null ? [] : [pushed])],
    overrides: [],
    assignments: [assignment],
    refused: [],
    warnings: [],
  };
  return explain(assignment, list, { ...PLANNED, ...planned });
}

const WARNING = { code: "pinned", message: "it is pinned" } as const;
const FOLDER = safeName("2", "the folder");

describe("an explanation", () => {
  test("says of each member who said it", () => {
    const { fields } = explained({}, { ...ASSIGNED, version: "1" });
    expect(fields["version"]).toEqual({ value: "2", from: "override" });
    expect(fields["binary_path"]).toEqual({ value: "/usr/bin/sensor", from: "assigned" });
    expect(fields["args"]).toEqual({ value: [], from: "default" });
    expect(fields["config_json"]).toBeUndefined();
    expect(explained({}, null).fields["version"]?.from).toBe("override");
    expect(explained({}, null).fields["args"]?.from).toBe("override");
  });

  test("does not show what may be secret", () => {
    const secret = { ...ASSIGNED, download_token: "t", download_url: "https://x", config_json: { a: 1 } };
    const { fields } = explained({}, secret, secret);
    expect(["download_token", "download_url", "config_json"].map((name) => fields[name]?.value)).toEqual([
      "(set)",
      "(set)",
      "(set)",
    ]);
    expect(explained().fields["download_token"]).toEqual({ value: "", from: "default" });
  });

  test("says what was found, and what is done", () => {
    expect(explained()).toMatchObject({ ask: "use_host_binary", host: null, decision: "stage", reasons: [] });
    expect(explained({ facts: FACTS }).host).toEqual({
      current: "1",
      active: sha256Of("1"),
      highest_version: "1",
      signed_before: true,
      staged: sha256Of("1"),
      signed_by: "k",
      pinned: "1",
      keys: 3,
      keys_wanted: 2,
      statement_signed_by: [],
    });
    const stated = {
      envelope: "{}",
      keyid: "k",
      signers: ["k", "l"],
      size: 1,
      expires: "",
      minimum_version: "",
    };
    expect(explained({ facts: { ...FACTS, stated } }).host?.["statement_signed_by"]).toEqual(["k", "l"]);
    expect(explained({ facts: { ...FACTS, staged: null, pinned: null } }).host).toMatchObject({
      staged: null,
      signed_by: null,
      pinned: null,
    });
  });

  test("gives the reasons of a refusal, and the warnings of a step", () => {
    const failure = new Failure("unsigned", "no signature", { hint: "sign it\nor allow it\n" });
    const refuse = { kind: "refuse", failure } as const;
    expect(explained({ failure, step: refuse })).toMatchObject({
      decision: "refuse",
      reasons: ["unsigned: no signature", "sign it", "or allow it"],
    });
    const plain = new Failure("unsigned", "no signature");
    expect(explained({ failure: plain, step: refuse }).reasons).toEqual(["unsigned: no signature"]);
    expect(explained({ step: { kind: "hold", warnings: [WARNING] } }).reasons).toEqual(["it is pinned"]);
  });

  test("does nothing to a terminal or a log", () => {
    const args = ["\u009b31m", "\u202e", "::error::x::", "y".repeat(9_000)];
    const [, , , line = ""] = describeExplanation(
      "sensor",
      explained({}, ASSIGNED, { ...ASSIGNED, args }),
    ).split("\n");
    expect(line).toStartWith('  args = [" 31m"," ",": :error: :x::","yyy');
    expect(line).toEndWith("yyy… (override)");
  });

  test("is read by people without what nobody said", () => {
    const failure = new Failure("unsigned", "no signature");
    expect(describeExplanation("sensor", explained())).toBe(
      [
        "sensor asks for: use_host_binary",
        '  version = "2" (assigned)',
        '  binary_path = "/usr/bin/sensor" (assigned)',
        '  addon_id = "sensor" (assigned)',
        "  enabled = true (assigned)",
        "decision: stage",
        "",
      ].join("\n"),
    );
    const lines = describeExplanation("sensor", explained({ facts: FACTS, failure })).split("\n");
    expect(lines.slice(5)).toEqual([
      "on the host:",
      '  current: "1"',
      `  active: "${sha256Of("1")}"`,
      '  highest_version: "1"',
      "  signed_before: true",
      `  staged: "${sha256Of("1")}"`,
      '  signed_by: "k"',
      '  pinned: "1"',
      "  keys: 3",
      "  keys_wanted: 2",
      "  statement_signed_by: []",
      "decision: refuse",
      "  unsigned: no signature",
      "",
    ]);
  });
});

describe("a plan", () => {
  const staged = { kind: "stage", folder: FOLDER, how: "new", warnings: [] } as const;

  test("says where the bytes would come from", () => {
    const from = [
      planDocument({ ...PLANNED, step: { ...staged, retained: "/kept" } }),
      planDocument({ ...PLANNED, step: { ...staged, retained: null } }),
      planDocument({ ...PLANNED, step: { kind: "hold", warnings: [] } }),
      planDocument(PLANNED),
    ].map((document) => document.from);
    expect(from).toEqual(["kept", "store", null, null]);
  });

  test("is a document, with a failure where there is one", () => {
    expect(planDocument(PLANNED)).toEqual({
      addon_id: "sensor",
      version: "1",
      wanted_version: "2",
      ok: true,
      changes: true,
      action: "stage",
      from: null,
      error: null,
    });
    const failure = new Failure("unsigned", "no signature");
    expect(planDocument({ ...PLANNED, failure })).toMatchObject({
      ok: false,
      error: { code: "unsigned", message: "no signature" },
    });
  });

  test("is one line for people", () => {
    expect(describePlan([])).toBe("no add-on is assigned\n");
    const all = [
      PLANNED,
      { ...PLANNED, version: "" },
      { ...PLANNED, changes: false },
      { ...PLANNED, changes: false, failure: new Failure("unsigned", "no signature") },
    ];
    expect(describePlan(all)).toBe(
      "sensor: 1 -> 2 stage\nsensor: nothing -> 2 stage\nsensor: no change\nsensor: unsigned\n",
    );
  });
});
