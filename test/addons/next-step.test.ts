import { describe, expect, test } from "bun:test";
import { decodeAssignments } from "../../src/addons/assigned/assignment.ts";
import { askOf, type Ask, type Wanted } from "../../src/addons/assigned/ask.ts";
import { Layout } from "../../src/addons/on-host/layout.ts";
import { markAfter, nextStep, type Facts, type NextStep } from "../../src/addons/staging/next-step.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { FRESH } from "./facts.ts";

const [SHA, OTHER] = [sha256Of("wanted"), sha256Of("other")];
const SIGNED = "00".repeat(64);
const layout = new Layout("/r", "waybill");

function ask(members: Record<string, unknown>, named: Layout = layout): Ask {
  const entry = { addon_id: "x", enabled: true, version: "1", ...members };
  const [assignment] = decodeAssignments(JSON.stringify({ addons: [entry] }), {
    what: "the list",
    code: "input_invalid",
  }).assignments;
  if (assignment === undefined) throw new Error("malformed");
  return askOf(assignment, { os: "linux", arch: "amd64" }, named);
}

const artifact = { artifact_object_key: "k", artifact_sha256: SHA, artifact_signature: SIGNED };

describe("what an assignment asks for", () => {
  const asks: [string, Record<string, unknown>, string][] = [
    ["an artifact", artifact, "artifact"],
    ["an artifact for this platform", { ...artifact, target_os: "linux", target_arch: "amd64" }, "artifact"],
    ["a service", { ...artifact, supervision: "systemd_service" }, "artifact"],
    ["a timer", { ...artifact, supervision: "systemd-timer" }, "artifact"],
    ["a helper", { ...artifact, supervision: "ephemeral_helper" }, "artifact"],
    ["disabled before all else", { ...artifact, addon_id: "..", enabled: false }, "disabled"],
    ["a switch", { ...artifact, supervision: "config_toggle" }, "acknowledged"],
    ["an unknown model", { ...artifact, supervision: "container" }, "unsupported"],
    ["an unknown delivery", { ...artifact, delivery: "pigeon" }, "unsupported"],
    ["a program of the host", { binary_path: "/usr/bin/x" }, "use_host_binary"],
    [
      "a package of the host, though an artifact is named",
      { ...artifact, delivery: "os_package", binary_path: "/x" },
      "use_host_binary",
    ],
    ["something compiled in", { delivery: "compiled_in" }, "compiled_in"],
  ];
  test.each(asks)("%s", (_name, members, kind) => {
    expect(ask(members).kind).toBe(kind as Ask["kind"]);
  });

  const refusals: [string, Record<string, unknown>, string][] = [
    ["nothing at all", {}, "artifact_incomplete"],
    ["a digest alone", { artifact_sha256: SHA, binary_path: "/x" }, "artifact_incomplete"],
    ["a key alone", { artifact_object_key: "k", binary_path: "/x" }, "artifact_incomplete"],
    ["a signature alone", { artifact_signature: SIGNED, binary_path: "/x" }, "artifact_incomplete"],
    ["a statement alone", { artifact_statement: "{}", binary_path: "/x" }, "artifact_incomplete"],
    ["a relative program of the host", { binary_path: "bin/x" }, "unsafe_path"],
    ["a program of the host by a detour", { binary_path: "/usr/../x" }, "unsafe_path"],
    ["another platform", { ...artifact, target_arch: "arm64" }, "platform_unsupported"],
    ["an unsafe id", { ...artifact, addon_id: "../x" }, "unsafe_path"],
    ["an unsafe version", { ...artifact, version: "../x" }, "unsafe_path"],
    ["a digest in place of a signature", { ...artifact, artifact_signature: SHA }, "signature_malformed"],
  ];
  test.each(refusals)("refused: %s", (_name, members, code) => {
    expect(ask(members)).toMatchObject({ kind: "refuse", failure: { code } });
  });

  test("what a server calls its platform is shown inert", () => {
    const asked = ask({ ...artifact, target_os: "lin\u001b[2Jux\u202e" });
    expect(asked.kind === "refuse" && asked.failure.message).toContain('is for "lin [2Jux /any", this host');
  });

  test("a default name of the executable that is too long is refused before anything is fetched", () => {
    const original = new Layout("/r", "serviceradar");
    const members = { ...artifact, addon_id: "x".repeat(110) };
    expect(ask(members, original)).toMatchObject({ kind: "refuse", failure: { code: "unsafe_path" } });
    expect(ask({ ...members, binary_path: "/usr/bin/x" }, original).kind).toBe("artifact");
  });
});

function wanted(members: Record<string, unknown> = {}): Wanted {
  const asked = ask({ ...artifact, ...members });
  if (asked.kind !== "artifact") throw new Error(asked.kind);
  return asked.wanted;
}

/** With what the override of this host says, which no list can. */
function allowing(version: string, members: Record<string, unknown> = {}): Wanted {
  const asked = wanted(members);
  return { ...asked, assignment: { ...asked.assignment, allow_downgrade: version } };
}

const recorded = { sha256: SHA, binaryName: "x" };
const good = { recorded, sha256: SHA, keyid: "k", retained: null };
const conflict = { recorded: { sha256: OTHER, binaryName: "x" }, sha256: null, keyid: null, retained: null };
const aside = `1+${SHA.slice(0, 12)}`;

describe("the next step", () => {
  const steps: [string, Partial<Facts>, Partial<NextStep> | Record<string, unknown>][] = [
    ["fresh", {}, { kind: "stage", folder: "1", how: "new", retained: null }],
    [
      "in place",
      { staged: good, current: "1" },
      { kind: "in_place", folder: "1", switchLink: false, writeRecord: false },
    ],
    [
      "there, not current",
      { staged: good, current: "0" },
      { kind: "in_place", folder: "1", switchLink: true },
    ],
    [
      "there, without a record",
      { staged: { ...good, recorded: null } },
      { kind: "in_place", writeRecord: true },
    ],
    [
      "there, under another name in the record",
      { staged: { ...good, recorded: { sha256: SHA, binaryName: "y" } } },
      { kind: "in_place", writeRecord: true },
    ],
    [
      "damaged",
      { staged: { ...good, sha256: OTHER, keyid: null }, current: "1" },
      { kind: "stage", folder: "1", how: "repair" },
    ],
    [
      "gone from its folder",
      { staged: { ...good, sha256: null, keyid: null, retained: null } },
      { kind: "stage", folder: "1", how: "repair" },
    ],
    [
      "an empty folder",
      { staged: { recorded: null, sha256: null, keyid: null, retained: null } },
      { kind: "stage", how: "repair" },
    ],
    ["other bytes", { staged: conflict }, { kind: "refuse", failure: { code: "version_conflict" } }],
    [
      "other bytes without a record",
      { staged: { recorded: null, sha256: OTHER, keyid: null, retained: null } },
      { kind: "refuse", failure: { code: "version_conflict" } },
    ],
    [
      "other bytes, to be replaced",
      { staged: conflict, replace: true },
      { kind: "stage", folder: aside, how: "replace" },
    ],
    [
      "replaced before",
      { staged: conflict, replacement: good, current: aside },
      { kind: "in_place", folder: aside, switchLink: false },
    ],
    [
      "replaced before and damaged",
      { staged: conflict, replacement: { ...good, sha256: null } },
      { kind: "stage", folder: aside, how: "repair" },
    ],
    [
      "there, and not signed by a key of ours",
      { staged: { ...good, keyid: null } },
      { kind: "refuse", failure: { code: "signature_invalid" } },
    ],
    ["signed, and no key", { keys: 0 }, { kind: "refuse", failure: { code: "signature_invalid" } }],
    [
      "signed, no key, and unsigned ones allowed",
      { keys: 0, allowUnsigned: true },
      { kind: "refuse", failure: { code: "signature_invalid" } },
    ],
  ];
  test.each(steps)("%s", (_name, facts, expected) => {
    expect(nextStep(wanted(), { ...FRESH, ...facts })).toMatchObject(expected);
  });

  const unsigned = wanted({ artifact_signature: "" });
  const trust: [string, Partial<Facts>, Record<string, unknown>][] = [
    ["unsigned", {}, { kind: "refuse", failure: { code: "unsigned" } }],
    ["unsigned, without keys", { keys: 0 }, { kind: "refuse", failure: { code: "unsigned" } }],
    [
      "unsigned in place",
      { staged: { ...good, keyid: null }, current: "1" },
      { kind: "refuse", failure: { code: "unsigned" } },
    ],
    [
      "unsigned and allowed",
      { allowUnsigned: true },
      { kind: "stage", warnings: [{ code: "unsigned_allowed" }] },
    ],
    ["unsigned after signed", { signedBefore: true }, { kind: "refuse", failure: { code: "unsigned" } }],
    [
      "unsigned after signed, and allowed",
      { signedBefore: true, allowUnsigned: true },
      { kind: "stage", warnings: [{ code: "unsigned_after_signed" }] },
    ],
  ];
  test.each(trust)("%s", (_name, facts, expected) => {
    expect(nextStep(unsigned, { ...FRESH, ...facts })).toMatchObject(expected);
  });

  const said = {
    envelope: "{}",
    keyid: "k",
    signers: ["k"],
    size: 3,
    expires: "2026-07-01T00:00:00.000Z",
    minimum_version: "",
  };
  const ended = { ...said, expires: "2026-06-01T00:00:00.000Z" };
  const statements: [string, Partial<Facts>, Record<string, unknown>][] = [
    ["a statement that holds", { stated: said }, { kind: "stage", warnings: [] }],
    ["one without an end", { stated: { ...said, expires: "" } }, { kind: "stage", warnings: [] }],
    ["one that has ended", { stated: ended }, { kind: "refuse", failure: { code: "statement_expired" } }],
    [
      "one that has ended, of what is staged and does not run",
      { stated: ended, staged: good, current: "0" },
      { kind: "refuse", failure: { code: "statement_expired" } },
    ],
    [
      "one that has ended, of what runs",
      { stated: ended, staged: good, current: "1", active: SHA },
      { kind: "in_place", warnings: [{ code: "statement_expired" }] },
    ],
    [
      "one that has ended, of what runs and is damaged",
      { stated: ended, staged: { ...good, sha256: null }, current: "1", active: SHA },
      { kind: "stage", how: "repair", warnings: [{ code: "statement_expired" }] },
    ],
    ["none after one", { statedBefore: true }, { kind: "refuse", failure: { code: "statement_missing" } }],
    [
      "none after one, of what runs",
      { statedBefore: true, staged: good, current: "1", active: SHA },
      { kind: "refuse", failure: { code: "statement_missing" } },
    ],
    [
      "none after one, and allowed",
      { statedBefore: true, allowUnsigned: true },
      { kind: "stage", warnings: [{ code: "statement_vanished" }] },
    ],
    [
      "older than the floor",
      { minimumVersion: "2" },
      { kind: "refuse", failure: { code: "downgrade_refused" } },
    ],
    ["on the floor", { minimumVersion: "1.0" }, { kind: "stage" }],
    [
      "older than its own floor",
      { stated: { ...said, minimum_version: "2" } },
      { kind: "refuse", failure: { code: "downgrade_refused" } },
    ],
    [
      "older than the floor, and runs",
      { minimumVersion: "2", staged: good, current: "1", active: SHA },
      { kind: "in_place" },
    ],
  ];
  test.each(statements)("%s", (_name, facts, expected) => {
    expect(nextStep(wanted(), { ...FRESH, ...facts })).toMatchObject(expected);
  });

  const pin = { version: "0", artifact_sha256: OTHER, reason: "" };
  const rules: [string, Partial<Facts>, Record<string, unknown>][] = [
    [
      "pinned to something else",
      { pinned: pin, staged: good, keys: 0 },
      {
        kind: "hold",
        warnings: [{ code: "pinned", message: 'add-on "x" is pinned to "0"; "1" is assigned and not taken' }],
      },
    ],
    ["pinned to what is wanted", { pinned: { ...pin, artifact_sha256: SHA } }, { kind: "stage" }],
    ["rolled back here", { blocked: [OTHER, SHA] }, { kind: "refuse", failure: { code: "version_blocked" } }],
    ["another one was rolled back here", { blocked: [OTHER] }, { kind: "stage" }],
    [
      "older than what was here",
      { highestVersion: "2" },
      { kind: "refuse", failure: { code: "downgrade_refused" } },
    ],
    [
      "older than what was here, and runs",
      { highestVersion: "2", active: SHA },
      { kind: "stage", warnings: [] },
    ],
    ["as new as what was here", { highestVersion: "1.0" }, { kind: "stage", warnings: [] }],
    ["newer than what was here", { highestVersion: "0.9" }, { kind: "stage", warnings: [] }],
    ["not comparable with what was here", { highestVersion: "latest" }, { kind: "stage", warnings: [] }],
    [
      "kept beside what was damaged",
      { staged: { ...good, sha256: null, keyid: null, retained: "/kept" } },
      { kind: "stage", how: "repair", retained: "/kept" },
    ],
    [
      "kept where it was replaced before, and elsewhere",
      {
        staged: { ...conflict, retained: "/other" },
        replacement: { ...good, sha256: null, retained: "/kept" },
      },
      { kind: "stage", folder: aside, how: "repair", retained: "/kept" },
    ],
    [
      "kept in both places",
      {
        staged: { ...good, sha256: null, retained: "/second" },
        replacement: { ...good, sha256: null, retained: "/first" },
      },
      { kind: "stage", folder: aside, retained: "/first" },
    ],
    [
      "kept by a folder whose record is gone",
      { staged: { recorded: null, sha256: null, keyid: null, retained: "/kept" } },
      { kind: "stage", how: "repair", retained: "/kept" },
    ],
    [
      "kept under another artifact's record, where the wanted one has nothing kept",
      {
        staged: { ...good, sha256: null, retained: "/kept" },
        replacement: { ...conflict, retained: "/other" },
      },
      { kind: "stage", retained: "/kept" },
    ],
    ["kept nowhere", { staged: { ...good, sha256: null } }, { kind: "stage", retained: null }],
    [
      "replaced before by others",
      { staged: conflict, replacement: conflict, replace: true },
      { kind: "stage", folder: aside, how: "repair" },
    ],
    [
      "replaced before by something without a record",
      { staged: conflict, replacement: { ...conflict, recorded: null }, replace: true },
      { kind: "stage", folder: aside, how: "repair" },
    ],
  ];
  test.each(rules)("%s", (_name, facts, expected) => {
    expect(nextStep(wanted(), { ...FRESH, ...facts })).toMatchObject(expected);
  });

  const FOLDERS: [string, Partial<Facts>, string][] = [
    ["what is recorded", { staged: conflict }, OTHER],
    ["what is there", { staged: { ...conflict, recorded: null, sha256: OTHER } }, OTHER],
  ];
  test.each(FOLDERS)("a conflict names %s", (_name, facts, sha256) => {
    const step = nextStep(wanted(), { ...FRESH, ...facts });
    expect(step.kind === "refuse" && step.failure.message).toBe(
      `version "1" is staged with sha256 ${sha256}, and now assigned with ${SHA}`,
    );
  });

  test("a way back that the override allows is taken, and told", () => {
    expect(nextStep(wanted(), { ...FRESH, highestVersion: "2" }).kind).toBe("refuse");
    expect(nextStep(allowing("1"), { ...FRESH, highestVersion: "2" })).toMatchObject({
      kind: "stage",
      warnings: [
        {
          code: "downgrade_allowed",
          message: 'add-on "x" goes back from "2" to "1"; the override allows it',
        },
      ],
    });
    expect(nextStep(allowing("0"), { ...FRESH, highestVersion: "2" }).kind).toBe("refuse");
  });

  test("a name made from a digest is older than nothing", () => {
    // One that has digits alone looks like a number.
    const unnamed = wanted({ version: "", artifact_sha256: "1".repeat(64) });
    expect(nextStep(unnamed, { ...FRESH, highestVersion: "999999999999999" }).kind).toBe("stage");
    expect(markAfter(unnamed, "2")).toBe("2");
  });

  const marks: [string, string, string, string][] = [
    ["rises", "2", "", "2"],
    ["rises from nothing", "", "", "1"],
    ["stays for an older one", "1.5", "", "1.5"],
    ["goes back where the override says so", "1.5", "1", "1"],
    ["stays where the override says another one", "1.5", "0", "1.5"],
  ];
  test.each(marks)("the mark %s", (_name, before, allowed, after) => {
    const version = before === "2" ? "2" : "1";
    expect(markAfter(allowing(allowed, { version }), before)).toBe(after);
  });

  test("what vanished is told with its reason", () => {
    const message = (facts: Partial<Facts>): string | false => {
      const step = nextStep(unsigned, { ...FRESH, ...facts });
      return step.kind === "refuse" && step.failure.message;
    };
    expect(message({})).toBe("the artifact has no signature");
    expect(message({ signedBefore: true })).toBe(
      "the artifact has no signature; earlier ones of this add-on were signed",
    );
  });

  test("what is unsigned and in place needs no signature over it", () => {
    const facts = { ...FRESH, allowUnsigned: true, staged: { ...good, keyid: null }, current: "1" };
    expect(nextStep(unsigned, facts)).toMatchObject({ kind: "in_place", keyid: null });
  });

  test("a statement that is there, of an add-on that had one, is no loss", () => {
    expect(nextStep(wanted(), { ...FRESH, stated: said, statedBefore: true })).toMatchObject({
      kind: "stage",
      warnings: [],
    });
  });

  test("what a statement of two keys proves needs no signature over its bytes", () => {
    const stated = { ...said, keyid: "l", signers: ["l", "k"] };
    const facts = { ...FRESH, keys: 2, threshold: 2, stated, staged: { ...good, keyid: null }, current: "1" };
    expect(nextStep(wanted(), facts)).toMatchObject({ kind: "in_place", keyid: "l" });
  });

  test("a floor is lifted by no override", () => {
    const refused = nextStep(allowing("1"), { ...FRESH, highestVersion: "2", minimumVersion: "2" });
    expect(refused).toMatchObject({ kind: "refuse", failure: { code: "downgrade_refused" } });
  });

  test("a version too long to be replaced is refused", () => {
    const long = wanted({ version: "1".repeat(120) });
    expect(long.replacementFolder).toBe(null);
    expect(nextStep(long, { ...FRESH, staged: conflict, replace: true })).toMatchObject({ kind: "refuse" });
  });
});
