import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { CLEAN_ENVIRONMENT } from "../support/binary.ts";
import { Host } from "./host.ts";

test("case 56: what runs is not removed, by whatever name of the root it was started or is looked for", async () => {
  using host = new Host();
  for (const version of ["1", "2", "3", "4"]) {
    host.assign(host.program("sample", version, `#!/bin/sh\n# ${version}\necho up\nread line\n`));
    await host.stage();
    await host.stage();
  }
  const linked = join(host.home, "linked");
  symlinkSync(host.home, linked);
  const starts = [
    host.path("sample/versions/1/sample"),
    join(linked, "root/addons/sample/versions/2/sample"),
  ];
  const children = starts.map((path) =>
    Bun.spawn([path], { env: { ...CLEAN_ENVIRONMENT }, stdin: "pipe", stdout: "pipe" }),
  );
  for (const child of children) await child.stdout.getReader().read();
  const running = { why: "running" };
  for (const root of [join(linked, "root"), host.root]) {
    const { document } = await host.addon("gc", ["--keep", "0", "--dry-run", "--root", root]);
    expect(document).toMatchObject({ removed: 0, addons: [{ kept: [{}, {}, running, running] }] });
  }
  for (const child of children) {
    await child.stdin.end();
    await child.exited;
  }
});
