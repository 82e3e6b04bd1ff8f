import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeAssignments } from "../../src/addons/assigned/assignment.ts";
import {
  afterFailure,
  attemptKey,
  isHeld,
  isPermanent,
  type Attempt,
} from "../../src/addons/staging/backoff.ts";
import { allowedCapabilities } from "../../src/addons/assigned/capabilities.ts";
import { chooseGarbage } from "../../src/addons/operations/garbage.ts";
import type { Owed } from "../../src/addons/audit/owed-lines.ts";
import { settle, switchState } from "../../src/addons/on-host/journal.ts";
import type { SafeName } from "../../src/addons/names.ts";
import { rollbackTarget } from "../../src/addons/operations/rollback-target.ts";
import { owing, advance, goBack, NO_SPECS, type Specs, raisedFloor } from "../../src/addons/on-host/spec.ts";
import { decodeSpecs, encodeSpecs } from "../../src/addons/on-host/specs-document.ts";
import { isSettled, stampHolds, type FileMark, type Stamp } from "../../src/addons/on-host/stamp.ts";
import { compareVersions, higherVersion, type VersionOrder } from "../../src/addons/version-order.ts";
import { parseJson } from "../../src/base/json.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { specNamed, specsAfter } from "./specs.ts";

describe("the order of versions", () => {
  const orders: [string, VersionOrder, string][] = [
    ["1", "older", "2"],
    ["1.9", "older", "1.10"],
    ["1.2", "same", "1.2.0"],
    ["v1.2.0", "same", "1.2"],
    ["2026.05.1", "newer", "2026.4.30"],
    ["1.0.0-rc.9", "older", "1.0.0-rc.10"],
    ["1.0.0-rc.10", "older", "1.0.0"],
    ["1.0.0-alpha", "older", "1.0.0-alpha.1"],
    ["1.0.0-1", "older", "1.0.0-alpha"],
    ["1.0.0-alpha.beta", "older", "1.0.0-beta"],
    ["1.0.0+build1", "same", "1.0.0+build2"],
    ["1.0.0-rc.1+b", "older", "1.0.0+a"],
    ["0123", "same", "123"],
    ["999999999999999", "newer", "9"],
    ["9007199254740991", "incomparable", "1"],
    ["00c0ffee1234", "incomparable", "1"],
    ["1.0b2", "incomparable", "1.0"],
    ["latest", "incomparable", "1.0"],
    ["1..0", "incomparable", "1.0"],
    ["", "incomparable", "1"],
    ["1-", "incomparable", "1"],
    ["1+", "incomparable", "1"],
    ["1.0.1", "newer", "1"],
    ["1.0.0-rc", "older", "1"],
    ["1.0.0-a1", "newer", "1.0.0-9"],
    ["1.0.0-1a", "newer", "1.0.0-9"],
    ["1.0.0-a1", "older", "1.0.0-b"],
    ["1.0.0-a", "older", "1.0.0-a1"],
    ["1.0.0-a..b", "newer", "1.0.0-a.9.b"],
    ["1.0.0-a", "same", "1.0.0-a"],
    ["1.0.0--", "newer", "1.0.0-9"],
    ["1.0.0-9a", "newer", "1.0.0-10"],
    ["1.0.0-1b", "newer", "1.0.0-1a"],
    ["1.0.0-20260505123456788", "older", "1.0.0-20260505123456789"],
    ["1.0.0-20260505123456789", "older", "1.0.0-120260505123456788"],
    ["1.0.0-0007", "same", "1.0.0-7"],
    ["1.0.0-0", "same", "1.0.0-00"],
  ];
  test.each(orders)("case 36: %s is %s than %s", (a, order, b) => {
    const opposite = { older: "newer", newer: "older", same: "same", incomparable: "incomparable" } as const;
    expect(compareVersions(a, b)).toBe(order);
    expect(compareVersions(b, a)).toBe(opposite[order]);
  });

  const marks: [string, string, string][] = [
    ["", "1", "1"],
    ["", "latest", "latest"],
    ["1", "2", "2"],
    ["2", "1", "2"],
    ["1.0", "1", "1.0"],
    ["1", "latest", "latest"],
  ];
  test.each(marks)("the mark %p becomes, with %p, %p", (mark, version, wanted) => {
    expect(higherVersion(mark, version)).toBe(wanted);
  });

  const part = fc.integer({ min: 0, max: 20 });
  const version = fc
    .tuple(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.option(fc.array(fc.oneof(part, fc.constantFrom("a", "b", "rc")), { minLength: 1, maxLength: 3 })),
    )
    .map(([numbers, pre]) => numbers.join(".") + (pre === null ? "" : `-${pre.join(".")}`));
  test("is one: antisymmetric and transitive", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const notNewer = (x: string, y: string): boolean => ["older", "same"].includes(compareVersions(x, y));
        expect(notNewer(a, b) || notNewer(b, a)).toBe(true);
        if (notNewer(a, b) && notNewer(b, c)) expect(notNewer(a, c)).toBe(true);
        expect(notNewer(a, higherVersion(a, b)) && notNewer(b, higherVersion(a, b))).toBe(true);
      }),
    );
  });
});

describe("the journal", () => {
  const prepared = { ...specsAfter("1", "1"), pending: { spec: specNamed("2"), back: false } };

  test("a switch that did not take place is forgotten", () => {
    expect(switchState(prepared, "1")).toBe("prepared");
    expect(settle(prepared, "1")).toEqual(specsAfter("1", "1"));
    expect(settle(prepared, null)).toEqual(specsAfter("1", "1"));
  });

  test("one that did is finished, with the whole spec", () => {
    expect(switchState(prepared, "2")).toBe("activated");
    expect(settle(prepared, "2")).toEqual(advance(specsAfter("1", "1"), specNamed("2"), "2"));
    expect(switchState(settle(prepared, "2"), "2")).toBe("committed");
  });

  test("what the log is owed of before comes ahead of what it is owed of the switch", () => {
    const line = (event: string): Owed => ({ event, addon_id: "sensor", time: "2026-11-21T12:00:00Z" });
    const [before, now] = [line("pinned"), line("staged")];
    const owed = { ...prepared, owed: [before], pending: { ...prepared.pending, owed: [now] } };
    expect(settle(owed, "2").owed).toEqual([before, now]);
    expect(settle({ ...owed, pending: prepared.pending }, "2").owed).toEqual([before]);
    expect(settle({ ...prepared, pending: owed.pending }, "2").owed).toEqual([now]);
    expect(settle(owed, "2")).toEqual({ ...settle(prepared, "2"), owed: [before, now] });
    expect(settle(prepared, "2")).not.toHaveProperty("owed");
    // A switch that did not take place has no line.
    expect(settle(owed, "1").owed).toEqual([before]);
    const many = Array.from({ length: 65 }, (_, index) => line(`${index}`));
    expect(owing(prepared, many).owed?.map(({ event }) => event)).toEqual(
      Array.from({ length: 64 }, (_, index) => `${index + 1}`),
    );
    expect(owing({ ...prepared, owed: [before] }, [])).toStrictEqual(prepared);
  });

  test("so is one back, with what it blocks", () => {
    const back = { ...specsAfter("1", "2", "2"), pending: { spec: specNamed("1"), back: true } };
    expect(settle(back, "1")).toEqual(goBack(specsAfter("1", "2", "2"), specNamed("1")));
    expect(settle(back, "1").blocked).toEqual([sha256Of("2")]);
  });

  test("settling twice is settling once", () => {
    for (const current of [null, "1", "2"]) {
      expect(settle(settle(prepared, current), current)).toEqual(settle(prepared, current));
    }
  });

  test("specs survive being written, and those of an earlier build are read", () => {
    const specs = { ...prepared, pinned: { artifact_sha256: sha256Of("1"), version: "1", reason: "r" } };
    const read = (text: string): ReturnType<typeof decodeSpecs> =>
      decodeSpecs(parseJson(text, { what: "specs", code: "record_mismatch" }));
    expect(read(encodeSpecs(specs))).toMatchObject({ ok: true, value: JSON.parse(JSON.stringify(specs)) });
    const early = {
      schema: "waybill.addon-specs/v1",
      active: specNamed("1"),
      last_known_good: null,
      signed: true,
    };
    expect(read(JSON.stringify(early))).toMatchObject({
      ok: true,
      value: { ...NO_SPECS, active: { version: "1" }, signed: true },
    });
  });
});

describe("what a rollback goes to", () => {
  const targets: [string, Specs, string | undefined, string][] = [
    ["the last known good", specsAfter("1", "1", "2"), undefined, "1"],
    ["the one before, when the last known good runs", specsAfter("1", "1", "2", "2"), undefined, "1"],
    ["the named one", specsAfter("1", "2", "3", "3"), "1", "1"],
  ];
  test.each(targets)("%s", (_name, specs, to, version) => {
    expect(rollbackTarget(specs, to).version).toBe(version);
  });

  test("nothing, when only one ever ran", () => {
    expect(() => rollbackTarget(specsAfter("1", "1"), undefined)).toThrow("nothing ran before");
  });
});

test("nothing that is needed is ever garbage", () => {
  const names = ["1", "2", "3", "4", "5", "6"];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 12 }),
      fc.subarray(names),
      fc.option(fc.constantFrom(...names)),
      fc.nat(3),
      (history, running, current, keep) => {
        const specs = specsAfter(...history);
        const folders = names.map((folder) => ({ folder, sha256: sha256Of(folder) }));
        const choice = chooseGarbage({ current, specs, folders, running: new Set(running), keep });
        const needed = [...running, current, specs.active?.folder, specs.last_known_good?.folder];
        for (const folder of needed) expect(choice.removed).not.toContain(folder as SafeName);
        expect(choice.removed.length + choice.kept.length).toBe(names.length);
        const previous = history.toReversed().find((version) => version !== history.at(-1));
        expect(choice.removed).not.toContain(previous ?? "");
      },
    ),
  );
});

describe("a stamp", () => {
  const mark: FileMark = {
    name: "x",
    dev: "1",
    ino: "2",
    size: "3",
    mtime_ns: "1000000000000000000",
    ctime_ns: "1000000000000000000",
    mode: 0o100755,
    uid: 0,
  };
  const wanted = { folder: "1", artifact_sha256: sha256Of("1"), artifact_signature: "s", binary_name: "x" };
  const stamp: Stamp = { ...wanted, keyid: "k", taken_ms: 1_000_000_010_000, files: [mark] };

  test("holds while nothing changed", () => {
    expect(stampHolds(stamp, wanted, [mark])).toBe(true);
  });

  const changes: [string, Partial<FileMark>][] = [
    ["inode", { ino: "3" }],
    ["size", { size: "4" }],
    ["time of its bytes", { mtime_ns: "1" }],
    ["time of any change", { ctime_ns: "1000000000000000001" }],
    ["mode", { mode: 0o104755 }],
    ["owner", { uid: 1 }],
    ["device", { dev: "2" }],
  ];
  test.each(changes)("does not with another %s", (_name, change) => {
    expect(stampHolds(stamp, wanted, [{ ...mark, ...change }])).toBe(false);
  });

  test("does not for other files, another artifact, signature, folder or program", () => {
    expect(stampHolds(stamp, wanted, [])).toBe(false);
    expect(stampHolds(stamp, wanted, [mark, { ...mark, name: "y" }])).toBe(false);
    expect(stampHolds(stamp, { ...wanted, artifact_sha256: sha256Of("2") }, [mark])).toBe(false);
    expect(stampHolds(stamp, { ...wanted, artifact_signature: "t" }, [mark])).toBe(false);
    expect(stampHolds(stamp, { ...wanted, folder: "2" }, [mark])).toBe(false);
    expect(stampHolds(stamp, { ...wanted, binary_name: "y" }, [mark])).toBe(false);
  });

  test("does not when the files were younger than a tick of the clock", () => {
    expect(isSettled([mark], 1_000_000_001_000)).toBe(false);
    expect(isSettled([mark], 1_000_000_002_000)).toBe(false);
    expect(isSettled([mark], 1_000_000_002_001)).toBe(true);
    expect(isSettled([mark, { ...mark, ctime_ns: "1000000000001000000" }], 1_000_000_002_001)).toBe(false);
    expect(stampHolds({ ...stamp, taken_ms: 1_000_000_001_000 }, wanted, [mark])).toBe(false);
  });
});

describe("trying again", () => {
  const many = (code: Parameters<typeof isPermanent>[0], count: number): Attempt => {
    let attempt: Attempt | undefined;
    for (let index = 0; index < count; index++) attempt = afterFailure(attempt, code, 1_000_000, 0.5);
    if (attempt === undefined) throw new Error("none");
    return attempt;
  };

  test("is free after the first failure, then waits longer, up to five minutes", () => {
    const pauses = (code: Parameters<typeof isPermanent>[0]): number[] =>
      [1, 2, 3, 4, 5, 20].map((count) => many(code, count).not_before_ms - 1_000_000);
    expect(pauses("hash_mismatch")).toEqual([0, 30_000, 60_000, 120_000, 240_000, 300_000]);
    expect(pauses("connection_failed")).toEqual([0, 5_000, 10_000, 20_000, 40_000, 300_000]);
  });

  test("is spread over a fleet", () => {
    const first = afterFailure(undefined, "hash_mismatch", 0, 0);
    expect(afterFailure(first, "hash_mismatch", 0, 0).not_before_ms).toBe(22_500);
    expect(afterFailure(first, "hash_mismatch", 0, 0.999).not_before_ms).toBe(37_485);
  });

  test("does not wait for a clock that was wrong", () => {
    const attempt = many("hash_mismatch", 9);
    expect(isHeld(attempt, 1_000_001)).toBe(true);
    expect(isHeld(attempt, attempt.not_before_ms)).toBe(false);
    expect(isHeld(attempt, attempt.not_before_ms - 700_000)).toBe(false);
    // As late as it was ever meant, and a millisecond more.
    expect(isHeld(attempt, attempt.not_before_ms - 600_000)).toBe(true);
    expect(isHeld(attempt, attempt.not_before_ms - 600_001)).toBe(false);
  });

  const codes: [Parameters<typeof isPermanent>[0], boolean][] = [
    ["hash_mismatch", true],
    ["signature_invalid", true],
    ["tarball_unsafe", true],
    ["signature_malformed", true],
    ["statement_mismatch", true],
    ["tarball_too_large", true],
    ["tarball_binary_missing", true],
    ["artifact_too_large", true],
    ["platform_unsupported", true],
    ["unsafe_path", true],
    ["forbidden", true],
    ["request_rejected", true],
    ["not_found", true],
    ["unauthorized", false],
    ["rate_limited", false],
    ["server_failed", false],
    ["deadline_passed", false],
    ["object_store_unavailable", false],
    ["no_space", false],
    ["storage_failed", false],
  ];
  test.each(codes)("%s is permanent: %p", (code, permanent) => {
    expect(isPermanent(code)).toBe(permanent);
  });

  test("another version, artifact, signature, place or configuration is another attempt; another grant is not", () => {
    const key = (members: Record<string, unknown>): string => {
      const entry = { addon_id: "x", enabled: true, version: "1", artifact_object_key: "k", ...members };
      const [one] = decodeAssignments(JSON.stringify({ addons: [entry] }), {
        what: "l",
        code: "input_invalid",
      }).assignments;
      if (one === undefined) throw new Error("malformed");
      return attemptKey(one);
    };
    const changes = [
      { version: "2" },
      { artifact_sha256: "0".repeat(64) },
      { artifact_object_key: "j" },
      { artifact_signature: "00" },
      { artifact_statement: {} },
      { config_json: { a: 1 } },
    ];
    for (const change of changes) expect(key(change)).not.toBe(key({}));
    const url = "https://s.example/x";
    expect(key({ artifact_object_key: `${url}?X-Signature=1` })).toBe(
      key({ artifact_object_key: `${url}?X-Signature=2` }),
    );
    expect(key({ download_token: "a" })).toBe(key({ download_token: "b" }));
  });
});

describe("capabilities", () => {
  test.each(["cap_sys_admin", "all", "cap_net_raw+eip", "", "cap_net_raw,cap_bpf", "=ep"])(
    "%p refuses the set",
    (name) => {
      expect(() => allowedCapabilities(["cap_net_raw", name])).toThrow("os_capabilities has");
    },
  );
});

describe("the floor of an add-on", () => {
  const floors: [string, string, string][] = [
    ["", "1.2", "1.2"],
    ["1.2", "", "1.2"],
    ["1.2", "1.10", "1.10"],
    ["1.10", "1.2", "1.10"],
    ["", "release", ""],
    ["1.2", "release", "1.2"],
  ];
  test.each(floors)("of %p, when %p is said, is %p", (before, said, after) => {
    expect(raisedFloor(before, said)).toBe(after);
  });
});
