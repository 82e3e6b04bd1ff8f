import { run } from "./source.ts";

/** The newest symbol version of glibc that an executable asks for: 17 for GLIBC_2.17. */
export function newestGlibc(file: string): number {
  const versions = [...run(["readelf", "--wide", "--version-info", file]).matchAll(/\bGLIBC_2\.(\d+)/gu)];
  if (versions.length === 0) throw new Error(`readelf found no version of glibc in ${file}`);
  return Math.max(...versions.map(([, minor]) => Number(minor)));
}
