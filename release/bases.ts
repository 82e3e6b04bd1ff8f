import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run, sha256Of } from "./source.ts";
import { hostTarget, ROOT, type Target } from "./targets.ts";

const EVERY = ["--cpu", "*", "--os", "*", "--libc", "*"];

/**
 * A folder with the packages of every target, installed by the frozen lock. Offline, whatever the cache lacks is a
 * failure: every way out leads to a proxy that nobody is.
 */
export function installBases(folder: string, offline: boolean): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "bun.lock", "bunfig.toml"])
    copyFileSync(join(ROOT, name), join(folder, name));
  const nowhere = "http://127.0.0.1:1";
  const env = offline
    ? { HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere, https_proxy: nowhere, http_proxy: nowhere }
    : {};
  const words = [
    "scripts/bun",
    "install",
    "--cwd",
    folder,
    "--frozen-lockfile",
    "--ignore-scripts",
    "--silent",
  ];
  try {
    run([...words, ...EVERY], env);
  } catch (cause) {
    throw new Error("a base executable is not in the package cache; fetch all with: release/fetch", {
      cause,
    });
  }
  return join(folder, "node_modules");
}

/** Where the base executable of a target lies under `modules`, and its digest. */
export function findBase(
  target: Target,
  modules: string,
): { readonly path: string; readonly sha256: string } {
  const name = target.bun.startsWith("windows") ? "bun.exe" : "bun";
  const path = join(modules, "@oven", `bun-${target.bun}`, "bin", name);
  return { path, sha256: sha256Of(readFileSync(path)) };
}

/** The same, proven to be the one of the table. */
export function provenBase(target: Target, modules: string): string {
  const { path, sha256 } = findBase(target, modules);
  if (sha256 === target.base_sha256) return path;
  throw new Error(`${path} has sha256 ${sha256}; release/targets.json wants ${target.base_sha256}`);
}

/** The modules with the bases of these targets; this machine's own came with the ordinary installation. */
export function modulesFor(targets: readonly Target[], folder: string): string {
  const own = targets.every((target) => target.name === hostTarget().name);
  return own ? join(ROOT, "node_modules") : installBases(folder, true);
}
