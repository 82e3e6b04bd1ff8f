/** Fills the package cache with the base executable of every target, and compares each with the table. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBase, installBases } from "./bases.ts";
import { TARGETS } from "./targets.ts";

const folder = mkdtempSync(join(tmpdir(), "waybill-bases-"));
try {
  const modules = installBases(folder, false);
  for (const target of TARGETS) {
    const { sha256 } = findBase(target, modules);
    const same = sha256 === target.base_sha256;
    console.log(`${same ? "ok     " : "DIFFERS"} ${target.name} ${sha256}`);
    if (!same) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
