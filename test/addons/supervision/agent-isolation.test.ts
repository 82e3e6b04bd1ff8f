import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { HAS_STRACE } from "../../support/faults.ts";
import { AgentHost, counting, QUICK, STAYS } from "./agent-process.ts";

/** Ends when it is told to, and so that it is started again. */
const ENDS = counting('trap "exit 0" TERM\nwhile [ ! -e end ]; do sleep 0.05; done\nrm end\nexit 1');

/** Waits until a file is there and says what it should. */
async function fileSays(path: string, is: (text: string) => boolean): Promise<void> {
  for (let tries = 0; !existsSync(path) || !is(readFileSync(path, "utf8")); tries++) {
    if (tries > 800) throw new Error(`${path} never was as wanted`);
    await Bun.sleep(25);
  }
}

describe("what is wrong with one add-on does not keep the agent from the others", () => {
  const wrongs: [string, (host: AgentHost) => unknown][] = [
    ["specs that others could write", (host) => chmodSync(host.path("other/.waybill-specs.json"), 0o666)],
    [
      "specs of a newer waybill",
      (host) => writeFileSync(host.path("other/.waybill-specs.json"), '{"schema":"waybill.addon-specs/v9"}'),
    ],
    [
      "a pipe in the place of its log, and nobody who reads it",
      (host) => {
        mkdirSync(host.path("other/log"));
        Bun.spawnSync(["mkfifo", host.path("other/log/stdout.log")]);
      },
    ],
    [
      "a pipe in the place of the note about its start",
      (host) => Bun.spawnSync(["mkfifo", host.path("other/.waybill-run.json")]),
    ],
    ["a log folder that leads elsewhere", (host) => symlinkSync(host.home, host.path("other/log"))],
    [
      "a file in the place of its folder",
      (host) => {
        rmSync(host.path("other"), { recursive: true });
        writeFileSync(host.path("other"), "");
      },
    ],
  ];
  test.each(wrongs)("%s", async (_name, spoil) => {
    using host = new AgentHost();
    host.assign(host.program("other", "1", STAYS), await host.bundle("1", STAYS, { health: QUICK }));
    expect((await host.stage()).exit).toBe(0);
    spoil(host);
    host.start();
    await host.until(({ state, pid }) => state === "running" && pid !== null);
    // Some rounds later as well.
    await host.rounds(3);
    expect(host.report()).toMatchObject({ state: "running", starts: 1 });
    expect(host.report("other")?.last_error).toContain("other");
    expect(host.report("other")?.pid).toBeNull();
    expect(await host.stop()).toBe(0);
  });
});

test("a program that takes its own log folder away ends nobody else", async () => {
  using host = new AgentHost();
  const program = `#!/bin/sh\nrm -r "$PWD/../log"; : >"$PWD/../log"\n: >gone\nexec sleep 1000\n`;
  const other = host.program("other", "1", program);
  host.assign(other, await host.bundle("1", STAYS, { health: QUICK }));
  host.start();
  await host.until(({ state, last_known_good: good }) => state === "running" && good === "1");
  await fileSays(host.path("other/state/gone"), () => true);
  await host.rounds(3);
  expect(host.hasEnded).toBe(false);
  expect(host.report()).toMatchObject({ state: "running", starts: 1 });
  expect(await host.stop()).toBe(0);
});

test.skipIf(process.geteuid?.() !== 0)("a full disk on which a log has to be cut ends nothing", async () => {
  using host = new AgentHost();
  mkdirSync(host.root);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=6m,mode=755", "none", host.root]);
  // Not every machine lets us.
  if (!mounted.success) return;
  try {
    const log = host.path("sensor/log/stdout.log");
    const noisy = counting(
      `while [ ! -e go ]; do sleep 0.05; done
head -c 1200000 /dev/zero
mv go written
trap "exit 0" TERM
while :; do sleep 0.05; done`,
    );
    host.assign(await host.bundle("1", noisy, { health: QUICK }));
    host.start();
    const { pid } = await host.until(({ last_known_good: good }) => good === "1");
    const { bavail, bsize } = statfsSync(host.root);
    // Room for what it writes, and for no copy of it.
    writeFileSync(join(host.root, "filler"), new Uint8Array(bavail * bsize - 1_300_000));
    writeFileSync(host.state("go"), "");
    await fileSays(host.state("written"), () => true);
    await fileSays(log, (text) => text === "");
    expect(existsSync(`${log}.1`)).toBe(false);
    await host.until(({ state }) => state === "running");
    expect(host.report()).toMatchObject({ pid, starts: 1 });
    expect(await host.stop()).toBe(0);
  } finally {
    for (const one of host.processes()) process.kill(one, "SIGKILL");
    Bun.spawnSync(["umount", "-l", host.root]);
  }
});

test.skipIf(!HAS_STRACE).each([
  ["is started", 2],
  ["has ended", 3],
])(
  "a note that cannot be written when a program %s: it is there once, and started again",
  async (_name, when) => {
    using host = new AgentHost();
    host.assign(await host.bundle("1", ENDS, { health: QUICK }));
    expect((await host.stage()).exit).toBe(0);
    const [log, note] = [join(host.home, "calls"), host.path("sensor/.waybill-run.json")];
    const inject = `inject=openat:error=EMFILE:when=${when}`;
    host.startUnder([
      "strace",
      "-f",
      "-qq",
      "-e",
      "signal=none",
      "-o",
      log,
      "-P",
      note,
      "-e",
      "trace=openat",
      "-e",
      inject,
    ]);
    await host.until(({ state }) => state === "running");
    writeFileSync(host.state("end"), "");
    await host.until(({ state, starts }) => state === "running" && starts === 2);
    await fileSays(host.state("starts"), (text) => text === "1\n1\n");
    expect(readFileSync(log, "utf8")).toContain("(INJECTED)");
    for (const pid of host.agents()) process.kill(pid, "SIGTERM");
    expect(await host.ended()).toBe(0);
    expect(existsSync(host.state("double"))).toBe(false);
    expect(host.processes()).toEqual([]);
  },
);

test("a plugin whose handshake was cut from its log is asked where it listens, by the next agent as well", async () => {
  using host = new AgentHost();
  const program = `#!/usr/bin/env python3
import os, socket, time
os.chdir(os.environ['WAYBILL_ADDON_STATE_DIR'])
open('starts', 'a').write('1\\n')
s = socket.socket(socket.AF_UNIX)
s.bind('plugin.sock'); s.listen(1000)
print('1|1|unix|' + os.getcwd() + '/plugin.sock|grpc|', flush=True)
while not os.path.exists('go'): time.sleep(0.05)
print('x' * 3000000, flush=True)
os.close(1)
asked = 0
while True:
  s.accept(); asked += 1; open('asked', 'w').write(str(asked))
`;
  const health = { ...QUICK, timeout_ms: 10_000, misses: 5, ready_ms: 20_000, probe: { kind: "handshake" } };
  host.assign(await host.bundle("1", program, { health }));
  host.start();
  const { pid } = await host.until(({ state, last_known_good: good }) => state === "running" && good === "1");
  writeFileSync(host.state("go"), "");
  await fileSays(host.path("sensor/log/stdout.log"), (text) => text === "");
  const seen = Number(readFileSync(host.state("asked"), "utf8"));
  await fileSays(host.state("asked"), (text) => Number(text) > seen + 5);
  await host.stop("SIGKILL");
  host.start();
  await host.until(({ state, starts }) => state === "running" && starts === 0);
  expect(host.report()?.pid).toBe(pid ?? null);
  expect(readFileSync(host.state("starts"), "utf8")).toBe("1\n");
  await host.stop();
});
