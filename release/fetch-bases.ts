/** Fills the package cache with the base executable of every target, and compares each with the table. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installBases } from "./bases.ts";
import { sha256Of } from "./source.ts";
import { TARGETS } from "./targets.ts";

const folder = mkdtempSync(join(tmpdir(), "waybill-bases-"));
try {
  const modules = installBases(folder, false);
  for (const target of TARGETS) {
    const name = target.bun.startsWith("windows") ? "bun.exe" : "bun";
    const found = sha256Of(readFileSync(join(modules, "@oven", `bun-${target.bun}`, "bin", name)));
    const same = found === target.base_sha256;
    console.log(`${same ? "ok     " : "DIFFERS"} ${target.name} ${found}`);
    if (!same) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
