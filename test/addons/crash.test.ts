import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../src/base/hashing.ts";
import { CLEAN_ENVIRONMENT, PROGRAM } from "../support/binary.ts";
import { HAS_STRACE, runFaulty } from "../support/faults.ts";
import { Host } from "./host.ts";

/**
 * Kills the program, or fails a call of it, at the Nth call of some kind. After that `current` must name a whole
 * version that was verified, the old one or the new one, and the next run must end well.
 */
const everything = (process.env["WAYBILL_FULL"] ?? "") !== "";

/** What is staged before the fault: nothing, an older version, or the wanted one with damaged bytes. */
type Before = "nothing" | "older" | "damaged";
type Fault = {
  readonly calls: string;
  readonly effect: string;
  readonly at: readonly number[];
  /** In the short sweep; the full one takes all three. */
  readonly before?: readonly Before[];
};

const ALL: readonly Before[] = ["nothing", "older", "damaged"];

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** The numbers cover the calls of one run: 4 renames, 1 link, 13 fsyncs, 9 modes, 6 folders. */
const FAULTS: readonly Fault[] = [
  {
    calls: "rename,renameat,renameat2",
    effect: "signal=KILL",
    at: everything ? upTo(6) : [1, 2, 3, 4],
    before: ALL,
  },
  // What is damaged is shown already.
  { calls: "symlink,symlinkat", effect: "signal=KILL", at: [1], before: ["nothing", "older"] },
  { calls: "fsync,fdatasync", effect: "signal=KILL", at: everything ? upTo(15) : [1, 4, 8] },
  { calls: "fchmod,chmod,fchmodat", effect: "signal=KILL", at: everything ? upTo(10) : [1] },
  { calls: "mkdir,mkdirat", effect: "signal=KILL", at: everything ? upTo(7) : [1] },
  { calls: "unlink,unlinkat,rmdir", effect: "signal=KILL", at: everything ? upTo(4) : [1] },
  // Those of the runtime's own start come first.
  { calls: "openat", effect: "signal=KILL", at: everything ? upTo(100).slice(50) : [] },
  { calls: "rename,renameat,renameat2", effect: "error=ENOSPC", at: everything ? upTo(6) : [1, 2, 3] },
  { calls: "symlink,symlinkat", effect: "error=ENOSPC", at: [1] },
  { calls: "fsync,fdatasync", effect: "error=EIO", at: everything ? upTo(15) : [1, 5] },
  { calls: "mkdir,mkdirat", effect: "error=EROFS", at: everything ? upTo(7) : [1] },
];

describe.skipIf(!HAS_STRACE)("a fault at", () => {
  const cases = FAULTS.flatMap(({ calls, effect, at, before = everything ? ALL : (["older"] as const) }) =>
    at.flatMap((when) =>
      before.map((state): [string, number, string, Before] => [calls, when, effect, state]),
    ),
  );
  test.concurrent.each(cases)(
    "%s number %i (%s), %s staged before",
    async (calls, when, effect, before) => {
      using host = new Host();
      const older = host.program("sample", "1");
      const newer = host.program("sample", "2");
      if (before !== "nothing") {
        host.assign(older);
        expect((await host.stage()).exit).toBe(0);
      }
      host.assign(newer);
      if (before === "damaged") {
        expect((await host.stage()).exit).toBe(0);
        await Bun.write(host.path("sample/versions/2/sample"), "");
      }

      const log = join(host.home, "strace.log");
      const { wasHit } = await runFaulty(host.arguments(), { calls, effect, when }, log, { cwd: "/" });
      // The full sweep goes on behind the last call.
      if (!everything) expect(wasHit).toBe(true);

      if (before === "older") checkCurrent(host, [older, newer]);
      else if (before === "nothing" && existsSync(host.path("sample/current"))) checkCurrent(host, [newer]);

      const { exit, document } = await host.stage();
      expect({ exit, error: document.addons[0]?.error ?? null }).toEqual({ exit: 0, error: null });
      expect(readlinkSync(host.path("sample/current"))).toBe("versions/2");
      checkCurrent(host, [newer]);
      const specs = JSON.parse(host.read("sample/.waybill-specs.json"));
      expect(specs.active).toMatchObject({ version: "2", folder: "2" });
      expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
      expect(readdirSync(host.path("sample")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    },
    60_000,
  );
});

function checkCurrent(host: Host, allowed: readonly Record<string, unknown>[]): void {
  const bytes = readFileSync(host.path("sample/current/sample"));
  expect(allowed.map((entry) => entry["artifact_sha256"])).toContain(sha256Of(bytes));
}

test.skipIf(!HAS_STRACE)("nothing gets its public name before its bytes are on the disk", async () => {
  using host = new Host();
  host.assign(host.program("sample", "1"));
  const log = join(host.home, "log");
  const child = Bun.spawn(
    [
      "strace",
      "-f",
      "-qq",
      "-y",
      "-o",
      log,
      "-e",
      "trace=fsync,fdatasync,rename,renameat,renameat2,symlink,symlinkat",
      ...PROGRAM,
      ...host.arguments(),
    ],
    { env: { ...CLEAN_ENVIRONMENT }, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  expect(await child.exited).toBe(0);
  const lines = readFileSync(log, "utf8").split("\n");
  let last = -1;
  // Each is looked for behind the one before it: folders are made durable several times.
  const at = (pattern: RegExp): number =>
    (last = lines.findIndex((line, index) => index > last && pattern.test(line)));
  const order = [
    at(/fsync\(\d+<[^>]*\/tmp\/waybill-[0-9a-f]{16}\/sample>/u),
    at(/rename\w*\(.*\/tmp\/waybill-[0-9a-f]{16}", .*versions\/1"/u),
    at(/fsync\(\d+<[^>]*\/sample\/versions>/u),
    at(/symlink\w*\("versions\/1"/u),
    at(/rename\w*\(.*\.current\.[0-9a-f]{12}\.tmp", .*\/current"/u),
    at(/fsync\(\d+<[^>]*\/addons\/sample>/u),
    at(/rename\w*\(.*\.waybill-specs\.json"/u),
    at(/fsync\(\d+<[^>]*\/root\/audit\.jsonl>/u),
    at(/fsync\(\d+<[^>]*\/root>/u),
    at(/rename\w*\(.*\.waybill-specs\.json"/u),
  ];
  expect(order).not.toContain(-1);
});
