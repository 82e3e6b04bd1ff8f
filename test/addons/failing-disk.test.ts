import { expect, test } from "bun:test";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM } from "../support/binary.ts";
import { HAS_STRACE } from "../support/faults.ts";
import { Host } from "./host.ts";

test.skipIf(!HAS_STRACE)("a disk that gives bytes no more is no fault in waybill", async () => {
  using host = new Host();
  host.assign(host.program("sensor", "1"));
  expect((await host.stage()).exit).toBe(0);
  const path = host.path("sensor/versions/1/sensor");
  const fault = ["-P", path, "-e", "trace=read,pread64", "-e", "inject=read,pread64:error=EIO"];
  const plan = ["addon", "plan", "--assignments", host.list, "--key", host.publicKey];
  for (const words of [["addon", "fsck"], ["addon", "fsck", "--repair"], ["verify", "addon"], plan]) {
    const child = Bun.spawn(
      [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        ...fault,
        ...PROGRAM,
        ...words,
        "--json",
        "--root",
        host.root,
      ],
      { env: CLEAN_ENVIRONMENT, stdout: "pipe", stderr: "pipe" },
    );
    const [stdout, stderr, code] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    expect(code).toBe(13);
    expect(JSON.stringify(jsonOf({ code, stdout, stderr }))).toContain('"storage_failed"');
    expect(stderr).not.toContain("fault in waybill");
  }
});
