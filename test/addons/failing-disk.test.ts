import { expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { jsonOf, PROGRAM, runProgram, type Finished } from "../support/binary.ts";
import { HAS_STRACE } from "../support/faults.ts";
import { Host } from "./host.ts";

/** What waybill makes of a disk that gives no bytes of one file. */
async function withoutBytesOf(path: string, words: readonly string[]): Promise<Finished> {
  const fault = ["-P", path, "-e", "trace=read,pread64", "-e", "inject=read,pread64:error=EIO"];
  return runProgram(["strace", "-f", "-qq", "-o", "/dev/null", ...fault, ...PROGRAM, ...words, "--json"]);
}

test.skipIf(!HAS_STRACE)("a disk that gives bytes no more is no fault in waybill", async () => {
  using host = new Host();
  host.assign(host.program("sensor", "1"));
  expect((await host.stage()).exit).toBe(0);
  const path = host.path("sensor/versions/1/sensor");
  const plan = ["addon", "plan", "--assignments", host.list, "--key", host.publicKey];
  for (const words of [["addon", "fsck"], ["addon", "fsck", "--repair"], ["verify", "addon"], plan]) {
    const finished = await withoutBytesOf(path, [...words, "--root", host.root]);
    expect(finished.code).toBe(13);
    expect(JSON.stringify(jsonOf(finished))).toContain('"storage_failed"');
    expect(finished.stderr).not.toContain("fault in waybill");
  }
});

test.skipIf(!HAS_STRACE).each(["clock.json", "assignments.json"])(
  "nor is one that gives none of %s, which is told",
  async (name) => {
    using host = new Host();
    host.assign();
    await host.stage();
    copyFileSync(host.list, join(host.root, "assignments.json"));
    const finished = await withoutBytesOf(join(host.root, name), ["addon", "status", "--root", host.root]);
    expect(jsonOf(finished)).toMatchObject({ exit_code: 0, warnings: [{ code: "state_unreadable" }] });
    expect(finished.stderr).not.toContain("fault in waybill");
  },
);
