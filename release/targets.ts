import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT: string = join(import.meta.dir, "..");

/** One executable that is given out. */
export type Target = {
  readonly name: string;
  /** Bun's name for it, and of the package `@oven/bun-NAME` with the base executable. */
  readonly bun: string;
  /** Of the base executable itself: the lock names the digest of its package only. */
  readonly base_sha256: string;
  readonly needs: string;
  readonly ran: string;
};

type Row = Omit<Target, "bun" | "base_sha256"> & Partial<Target> & { readonly same_as?: string };

type Table = { readonly bun: string; readonly targets: readonly Row[] };

/** The table of targets as it stands in the repository. */
export const TABLE: Table = JSON.parse(readFileSync(join(import.meta.dir, "targets.json"), "utf8"));

/** The targets with an executable of their own. */
export const TARGETS: readonly Target[] = TABLE.targets.flatMap(({ bun, base_sha256, ...row }) =>
  bun === undefined || base_sha256 === undefined ? [] : [{ ...row, bun, base_sha256 }],
);

/** The target that a name of the table means; an alias means another row. */
export function targetOf(name: string): Target {
  const alias = TABLE.targets.find((row) => row.name === name)?.same_as;
  const found = TARGETS.find((target) => target.name === (alias ?? name));
  if (found !== undefined) return found;
  throw new Error(
    `there is no target ${name}; wanted one of ${TABLE.targets.map((row) => row.name).join(", ")}`,
  );
}

/** The target of this machine. */
export function hostTarget(): Target {
  const { platform, arch } = process;
  return targetOf(`${platform === "win32" ? "windows" : platform}-${arch}`);
}

/** `waybill-0.1.0-linux-x64`, with `.exe` where that is the custom. */
export function fileName(version: string, target: Target): string {
  return `waybill-${version}-${target.name}${target.name.startsWith("windows") ? ".exe" : ""}`;
}
