import { describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileCapabilities } from "../../src/host/file-capabilities.ts";
import { CLEAN_ENVIRONMENT, PROGRAM } from "../support/binary.ts";
import { Host, type Entry } from "./host.ts";
import { tar } from "./tar.ts";

/** The moments of a stage, a rollback and a collection that have a name of their own; the sweeps take all others. */
const hasStrace = process.platform === "linux" && Bun.which("strace") !== null;
const isRoot = process.getuid?.() === 0;

/**
 * A run dies when it makes the first call that this fits, behind the first that `after` fits. `path`, below the root:
 * only calls about it are looked at and counted, as the runtime opens files of its own at moments of its own.
 */
type Point = { readonly calls: string; readonly at: RegExp; readonly after?: RegExp; readonly path?: string };

const RENAME = "rename,renameat,renameat2";
const WORK = "/tmp/waybill-[0-9a-f]{16}";
const VERSION = new RegExp(`rename\\w*\\(.*${WORK}", .*versions/2"`, "u");
const SHOWN = /rename\w*\(.*\.current\.[0-9a-f]{12}\.tmp", .*\/current"/u;
const SPECS = /rename\w*\(.*\/\.waybill-specs\.json"/u;

const POINTS: readonly [string, Point][] = [
  ["case 2: after the download, before any verdict", { calls: RENAME, at: /rename\w*\(.*\.part", / }],
  ["case 3: after the verdict, before unpacking", { calls: RENAME, at: /rename\w*\(.*artifact\.tar\.gz"/ }],
  [
    "case 4: with some files of the bundle unpacked",
    { calls: "fchmod", at: new RegExp(`fchmod\\(\\d+<[^>]*${WORK}/sample>`, "u") },
  ],
  ["case 5: with a complete version that has no name yet", { calls: RENAME, at: VERSION }],
  [
    "case 6: with a name that may not be on the disk",
    { calls: `${RENAME},fsync`, at: /fsync\(\d+<[^>]*\/sample\/versions>/u, after: VERSION },
  ],
  ["case 7: with a link that nobody sees yet", { calls: RENAME, at: SHOWN }],
  [
    "case 8: with a new link that may not be on the disk",
    { calls: `${RENAME},fsync`, at: /fsync\(\d+<[^>]*\/addons\/sample>/u, after: SHOWN },
  ],
  ["case 9: shown, and not yet noted as active", { calls: RENAME, at: SPECS, after: SHOWN }],
];

function versions(host: Host): [Entry, Entry] {
  const entry = (version: string): Entry => {
    const files = ["a.json", "sample", "z.conf"].map((name) => ({
      name,
      data: name === "sample" ? `#!/bin/sh\necho ${version}\n` : version,
    }));
    const bytes = gzipSync(tar(...files));
    return host.program("sample", version, bytes, { args: [version], config_json: { v: version } });
  };
  return [entry("1"), entry("2")];
}

type Call = { readonly name: string; readonly count: number };

/** Which of its calls it is that fits, counted as strace counts: for each thread and each name by itself. */
async function callOf(
  words: readonly string[],
  log: string,
  { calls, at, after }: Point,
  about: readonly string[],
): Promise<Call> {
  await traced(words, ["-y", "-o", log, ...about, "-e", `trace=${calls}`]);
  const counts = new Map<string, number>();
  let isBehind = after === undefined;
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const [, kind = "", call = ""] = /^(\d+ +(?=(\w+\(.*))\w+)/u.exec(line) ?? [];
    if (kind === "") continue;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (isBehind && at.test(call)) return { name: call.replace(/\(.*/u, ""), count };
    isBehind ||= after?.test(call) === true;
  }
  throw new Error(`no call fits ${at}:\n${readFileSync(log, "utf8")}`);
}

async function traced(words: readonly string[], flags: readonly string[]): Promise<number> {
  const child = Bun.spawn(["strace", "-f", "-qq", ...flags, ...PROGRAM, ...words], {
    env: { ...CLEAN_ENVIRONMENT },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await child.exited;
  return child.signalCode === null ? (child.exitCode ?? 0) : 137;
}

/** Does the whole once to see its calls, puts the root back, and does it again up to the point. */
async function killedAt(host: Host, words: readonly string[], point: Point): Promise<void> {
  expect(await hitAt(host, words, point, "signal=KILL")).toBe(137);
}

async function hitAt(host: Host, words: readonly string[], point: Point, effect: string): Promise<number> {
  const before = `${host.root}.before`;
  cpSync(host.root, before, { recursive: true, verbatimSymlinks: true });
  const about = point.path === undefined ? [] : ["-P", join(host.root, point.path)];
  const { name, count } = await callOf(words, join(host.home, "log"), point, about);
  rmSync(host.root, { recursive: true });
  cpSync(before, host.root, { recursive: true, verbatimSymlinks: true });
  const inject = `inject=${name}:${effect}:when=${count}`;
  return traced(words, ["-o", "/dev/null", ...about, "-e", `trace=${name}`, "-e", inject]);
}

function expectWhole(host: Host, allowed: readonly string[]): void {
  const version = readlinkSync(host.path("sample/current")).replace("versions/", "");
  expect(allowed).toContain(version);
  expect(host.read("sample/current/sample")).toBe(`#!/bin/sh\necho ${version}\n`);
  for (const name of ["a.json", "z.conf"]) expect(host.read("sample/current", name)).toBe(version);
}

async function expectSettled(host: Host, version: string): Promise<void> {
  expectWhole(host, [version]);
  const specs = JSON.parse(host.read("sample/.waybill-specs.json"));
  expect(specs).toMatchObject({ active: { version, args: [version] }, pending: null });
  expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
  expect(readdirSync(host.path("sample")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect((await host.verify(["--key", host.publicKey])).exit).toBe(0);
  expect(specs.owed).toBeUndefined();
}

describe.skipIf(!hasStrace)("killed", () => {
  test.each(POINTS)("%s", async (_name, point) => {
    using host = new Host();
    const [one, two] = versions(host);
    host.assign(one);
    expect((await host.stage()).exit).toBe(0);
    host.assign(two);
    await killedAt(host, host.arguments(), point);
    expectWhole(host, ["1", "2"]);
    expect((await host.stage()).exit).toBe(0);
    await expectSettled(host, "2");
  });

  const AT_LINE: Point = { calls: "openat", at: /audit\.jsonl/u, path: "audit.jsonl" };
  const BEHIND: Point = { calls: `${RENAME},fsync`, at: /fsync\(\d+<[^>]*audit\.jsonl>/u, after: SHOWN };
  test.each([
    ["before its line", AT_LINE, 0, true],
    ["with half of its line on the disk", BEHIND, 20, true],
    ["behind its line", BEHIND, 0, undefined],
  ] as const)(
    "with its work done, %s: the next run writes what is missing, once",
    async (_name, point, lost, recovered) => {
      using host = new Host();
      const [one] = versions(host);
      host.assign();
      expect((await host.stage()).exit).toBe(0);
      host.assign(one);
      await killedAt(host, host.arguments(), point);
      const log = join(host.root, "audit.jsonl");
      if (lost > 0) truncateSync(log, statSync(log).size - lost);
      for (const _ of [1, 2]) expect((await host.stage()).exit).toBe(0);
      await expectSettled(host, "1");
      const lines = host.log();
      expect(lines).toMatchObject([{ event: "staged", version: "1" }]);
      expect(lines[0]?.recovered).toBe(recovered);
    },
  );

  test("with the line of another command owed: whoever comes next writes it", async () => {
    using host = new Host();
    for (const entry of versions(host)) {
      host.assign(entry);
      expect((await host.stage()).exit).toBe(0);
    }
    await killedAt(host, ["addon", "pin", "sample", "--root", host.root], AT_LINE);
    // Nothing is assigned any more: what is forgotten with that is not what was done.
    host.assign();
    expect((await host.stage()).exit).toBe(0);
    expect(host.log().map(({ event }) => event)).toEqual(["staged", "staged", "pinned"]);
  });

  test("case 16: an fsync that failed once fails the stage, and is not asked again for the same file", async () => {
    using host = new Host();
    const [one, two] = versions(host);
    host.assign(one);
    expect((await host.stage()).exit).toBe(0);
    host.assign(two);
    const at = new RegExp(`fsync\\(\\d+<[^>]*${WORK}/artifact\\.tar\\.gz>`, "u");
    expect(await hitAt(host, host.arguments(), { calls: "fsync", at }, "error=EIO")).toBe(3);
    expectWhole(host, ["1"]);
    expect(readdirSync(host.path("sample/versions"))).toEqual(["1"]);
    expect((await host.stage()).exit).toBe(0);
    await expectSettled(host, "2");
  });

  test.skipIf(!isRoot)("case 10: with capabilities on what is not shown yet", async () => {
    using host = new Host();
    const [one, two] = versions(host);
    host.assign(one);
    expect((await host.stage()).exit).toBe(0);
    host.assign({ ...two, os_capabilities: ["cap_net_raw"] });
    await killedAt(host, host.arguments(), { calls: RENAME, at: VERSION });
    expectWhole(host, ["1"]);
    expect(fileCapabilities(host.path("sample/current/sample"))).toEqual([]);
    expect((await host.stage()).exit).toBe(0);
    expect(fileCapabilities(host.path("sample/current/sample"))).toEqual(["cap_net_raw"]);
    await expectSettled(host, "2");
  });

  test.each([
    ["before the link moves", { calls: RENAME, at: SHOWN }],
    ["after it moved", { calls: RENAME, at: SPECS, after: SHOWN }],
  ] as const)("case 13: in a rollback, %s", async (_name, point) => {
    using host = new Host();
    for (const entry of versions(host)) {
      host.assign(entry);
      expect((await host.stage()).exit).toBe(0);
    }
    const words = ["addon", "rollback", "sample", "--to", "1", "--json", "--root", host.root];
    await killedAt(host, words, point);
    expectWhole(host, ["1", "2"]);
    const isBack = readlinkSync(host.path("sample/current")) === "versions/1";
    expect((await host.addon("rollback", ["sample", "--to", "1"])).exit).toBe(isBack ? 2 : 0);
    await expectSettled(host, "1");
  });

  test("case 14: in a collection, with a version half deleted", async () => {
    using host = new Host();
    const [one, two] = versions(host);
    const three = host.program("sample", "3", gzipSync(tar({ name: "sample", data: "#!/bin/sh\necho 3\n" })));
    for (const entry of [one, two, three, three]) {
      host.assign(entry);
      expect((await host.stage()).exit).toBe(0);
    }
    const words = ["addon", "gc", "--keep", "0", "--json", "--root", host.root];
    const at = /unlink\w*\(.*(?:\.trash\.|sample|z\.conf)/u;
    await killedAt(host, words, { calls: "unlink,unlinkat", at });
    // What is half there has no name of a version any more.
    expect(readdirSync(host.path("sample/versions")).toSorted().at(-1)).toBe("3");
    for (const name of readdirSync(host.path("sample/versions"))) {
      expect(existsSync(host.path("sample/versions", name, "artifact.tar.gz"))).toBe(true);
    }
    expect((await host.addon("gc", ["--keep", "0"])).exit).toBe(0);
    expect(readdirSync(host.path("sample")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect((await host.verify(["--key", host.publicKey])).exit).toBe(0);
  });
});
