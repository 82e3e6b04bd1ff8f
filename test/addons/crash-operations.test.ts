import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../src/base/hashing.ts";
import { CLEAN_ENVIRONMENT, PROGRAM } from "../support/binary.ts";
import { HAS_STRACE, runFaulty } from "../support/faults.ts";
import { pointsOf } from "../support/points.ts";
import { SCENARIOS, versionsOf, type Form, type Scenario, type Versions } from "./crash-scenarios.ts";
import { Host } from "./host.ts";

/**
 * Kills an operation at its Nth call of one kind, or fails that call, for every N until none is left. After each,
 * `current` must name a whole version that was verified, and the next run must end well without anybody's help.
 */
const everything = (process.env["WAYBILL_FULL"] ?? "") !== "";

type Sweep = {
  readonly calls: string;
  readonly effect: string;
  readonly from: number;
  readonly step: number;
  readonly few: readonly number[];
};

/**
 * Every call that changes what others see, killed or failed in each way that a disk fails. Calls of the runtime's own
 * start come first and are left out; opening is killed, and fails as on a full or a broken disk.
 */
const CALLS: readonly (readonly [string, number, readonly string[]])[] = [
  ["mkdir,mkdirat", 1, ["ENOSPC", "EIO", "EROFS", "EDQUOT"]],
  ["openat", 40, ["ENOSPC", "EIO"]],
  ["write,pwrite64", 1, ["ENOSPC", "EIO", "EROFS", "EDQUOT"]],
  ["ftruncate", 1, []],
  ["fchmod,chmod,fchmodat", 1, ["ENOSPC", "EIO", "EROFS", "EDQUOT"]],
  ["fsync,fdatasync", 1, ["ENOSPC", "EIO", "EROFS", "EDQUOT"]],
  ["rename,renameat,renameat2", 1, ["ENOSPC", "EIO", "EROFS", "EDQUOT"]],
  ["symlink,symlinkat", 1, ["ENOSPC", "EIO", "EROFS", "EDQUOT"]],
  ["unlink,unlinkat,rmdir", 1, ["ENOSPC", "EIO", "EROFS", "EDQUOT"]],
];

/** They take the same way out as the others: every fourth call is enough. */
const RARE: ReadonlySet<string> = new Set(["error=EROFS", "error=EDQUOT"]);

/** The points of the short run. */
const FEW: Readonly<Record<string, readonly number[]>> = {
  "rename,renameat,renameat2 signal=KILL": [2, 4],
  "fsync,fdatasync signal=KILL": [6],
  "unlink,unlinkat,rmdir signal=KILL": [2],
  "rename,renameat,renameat2 error=ENOSPC": [3],
  "fsync,fdatasync error=EIO": [3],
};

const FAULTS: readonly Sweep[] = CALLS.flatMap(([calls, from, errors]) =>
  ["signal=KILL", ...errors.map((error) => `error=${error}`)].map((effect) => ({
    calls,
    effect,
    from,
    step: RARE.has(effect) ? 4 : 1,
    few: FEW[`${calls} ${effect}`] ?? [],
  })),
);

const KILLED = pointsOf("SIGKILL at each call that changes the disk, and at each open");
const FAILED = pointsOf("ENOSPC, EIO, EROFS or EDQUOT at each of them");

/** More than any of the operations makes. */
const MOST_CALLS = 400;

/** The other forms are killed; of them the short run takes two points: a version gets its name, and is shown. */
function isWanted({ name, form }: Scenario, { calls, effect, few }: Sweep): boolean {
  // It takes nothing away.
  if (!everything && name === "a rollback" && calls.startsWith("unlink")) return false;
  if (form === "tar.gz") return everything || few.length > 0;
  return effect === "signal=KILL" && (everything ? calls !== "openat" : calls.startsWith("rename"));
}

describe.skipIf(!HAS_STRACE)("a fault in", () => {
  const cases = SCENARIOS.flatMap((scenario) =>
    FAULTS.filter((fault) => isWanted(scenario, fault)).map(
      (fault): [string, string, string, Scenario, Sweep] => [
        `${scenario.name} of a ${scenario.form}`,
        fault.calls,
        fault.effect,
        scenario,
        fault,
      ],
    ),
  );
  test.concurrent.each(cases)(
    "%s at %s (%s)",
    async (_name, _calls, _effect, scenario, fault) => {
      using host = new Host();
      const versions = versionsOf(host, scenario.form);
      const words = await scenario.prepare(host, versions);
      const before = `${host.root}.before`;
      if (existsSync(host.root)) cpSync(host.root, before, { recursive: true, verbatimSymlinks: true });
      const points = everything
        ? Array.from({ length: MOST_CALLS }, (_, index) => fault.from + index * fault.step)
        : fault.few;
      let hits = 0;
      for (const when of points) {
        rmSync(host.root, { recursive: true, force: true });
        if (existsSync(before)) cpSync(before, host.root, { recursive: true, verbatimSymlinks: true });
        const log = join(host.home, "strace.log");
        const { wasHit } = await runFaulty(words, { ...fault, when }, log, { cwd: "/" });
        hits += Number(wasHit);
        const survive = async (): Promise<void> => {
          check(host, versions, scenario, when);
          await again(host, versions, scenario, words, when);
        };
        if (wasHit) await (fault.effect === "signal=KILL" ? KILLED : FAILED).try(survive);
        else {
          // Behind the last call nothing was injected, and nothing may be wrong either.
          await survive();
          break;
        }
      }
      // The full sweep asks for calls that some operations never make.
      if (!everything) expect(hits).toBeGreaterThan(0);
    },
    everything ? 1_800_000 : 60_000,
  );
});

function shown(host: Host): string | null {
  try {
    return readlinkSync(host.path("sample/current")).replace(/^versions\//u, "");
  } catch {
    return null;
  }
}

/** Every file of the version that is shown is there, with the bytes that were verified. */
function checkWhole(host: Host, versions: Versions, form: Form, when: number): void {
  const version = shown(host);
  if (version === null) return;
  const folder = host.path("sample/versions", version);
  const entry = Object.entries(versions).find(([name]) => name === version)?.[1];
  expect({
    when,
    sha256: sha256Of(readFileSync(join(folder, form === "file" ? "sample" : `artifact.${form}`))),
  }).toEqual({
    when,
    sha256: String(entry?.["artifact_sha256"]) as ReturnType<typeof sha256Of>,
  });
  expect(readFileSync(join(folder, "sample"), "utf8")).toBe(`#!/bin/sh\necho ${version}\n`);
  expect(existsSync(join(folder, ".waybill-addon.json"))).toBe(true);
}

function check(host: Host, versions: Versions, scenario: Scenario, when: number): void {
  expect({ when, shown: scenario.allowed.includes(shown(host)) }).toEqual({ when, shown: true });
  checkWhole(host, versions, scenario.form, when);
}

async function again(
  host: Host,
  versions: Versions,
  scenario: Scenario,
  words: readonly string[],
  when: number,
): Promise<void> {
  if (scenario.again === "stage") {
    const { exit, document } = await host.stage();
    expect({ when, exit, error: document.addons[0]?.error ?? null }).toEqual({ when, exit: 0, error: null });
  } else {
    const child = Bun.spawn([...PROGRAM, ...words], {
      env: { ...CLEAN_ENVIRONMENT },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const [text, code] = await Promise.all([child.stdout.text(), child.exited]);
    // A rollback that was done before it was killed has nothing left to do, and says so.
    const done = scenario.name === "a rollback" && text.includes("nothing_named");
    expect({ when, code: done ? 0 : code, text: code === 0 || done ? "" : text }).toEqual({
      when,
      code: 0,
      text: "",
    });
  }
  expect({ when, shown: shown(host) }).toEqual({ when, shown: scenario.after });
  checkWhole(host, versions, scenario.form, when);
  for (const name of scenario.form === "file" ? [] : [`only-${scenario.after}.conf`, "sample.json"]) {
    expect(readFileSync(host.path("sample/current", name), "utf8")).toContain(scenario.after);
  }
  const specs = JSON.parse(host.read("sample/.waybill-specs.json"));
  expect(specs).toMatchObject({ active: { version: scenario.after, args: [scenario.after] }, pending: null });
  expect(readdirSync(join(host.root, "tmp")).filter((name) => name.startsWith("waybill-"))).toEqual([]);
  expect(readdirSync(host.path("sample")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(await host.verify(["--key", host.publicKey])).toMatchObject({ exit: 0 });
  expect({ when, log: linesOf(host).toSorted() }).toEqual({ when, log: scenario.log.toSorted() });
}

/**
 * What the log tells of what was done. That a call failed has
 * a line of its own, and `activated` is a stage's other half.
 */
function linesOf(host: Host): string[] {
  return host
    .log()
    .filter(({ event }) => event !== "failed")
    .map(({ event, version }) => `${event === "activated" ? "staged" : event} ${version}`);
}

test.skipIf(!HAS_STRACE)("a bundle is on the disk, file by file, before it gets its name", async () => {
  using host = new Host();
  host.assign(versionsOf(host, "tar.gz")["1"]);
  const log = join(host.home, "log");
  const calls = "trace=fsync,fdatasync,rename,renameat,renameat2,symlink,symlinkat";
  const child = Bun.spawn(
    ["strace", "-f", "-qq", "-y", "-o", log, "-e", calls, ...PROGRAM, ...host.arguments()],
    { env: { ...CLEAN_ENVIRONMENT }, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  expect(await child.exited).toBe(0);
  const lines = readFileSync(log, "utf8").split("\n");
  const first = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));
  const named = first(/rename\w*\(.*\/tmp\/waybill-[0-9a-f]{16}", .*versions\/1"/u);
  const synced = ["sample", "sample.json", "only-1.conf", "artifact.tar.gz"].map((name) =>
    first(new RegExp(`fsync\\(\\d+<[^>]*/tmp/waybill-[0-9a-f]{16}/${name.replaceAll(".", "\\.")}>`, "u")),
  );
  const folder = first(/fsync\(\d+<[^>]*\/tmp\/waybill-[0-9a-f]{16}>/u);
  expect(Math.min(...synced, folder)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...synced)).toBeLessThan(named);
  expect(folder).toBeLessThan(named);
  // The journal, then the link, then what counts: each durable before the next.
  const specs = lines.flatMap((line, index) =>
    /rename\w*\(.*\/\.waybill-specs\.json"/u.test(line) ? [index] : [],
  );
  const link = first(/rename\w*\(.*\.current\.[0-9a-f]{12}\.tmp", .*\/current"/u);
  // Behind them, when the log has its line, it is not owed any more.
  expect(specs).toHaveLength(3);
  expect(named).toBeLessThan(specs[0] ?? -1);
  expect(specs[0] ?? -1).toBeLessThan(link);
  expect(link).toBeLessThan(specs[1] ?? -1);
});
