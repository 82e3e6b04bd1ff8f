import { readdirSync } from "node:fs";

/** The C library of this machine, by the loader that its programs name; undefined where neither or both are there. */
export function hostLibc(): "glibc" | "musl" | undefined {
  if (process.platform !== "linux") return undefined;
  const names = ["/lib", "/lib64"].flatMap(namesIn);
  const musl = names.some((name) => name.startsWith("ld-musl-"));
  const glibc = names.some((name) => /^ld-linux[-.]|^ld64\.so/u.test(name));
  return musl === glibc ? undefined : musl ? "musl" : "glibc";
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
