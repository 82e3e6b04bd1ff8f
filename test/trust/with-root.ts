import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { inFolder, waybillJson, type Document, type Ran } from "./run-waybill.ts";

type Run = (...args: readonly string[]) => Promise<Ran & { readonly document: Document }>;

/** A folder with keys by name, `app`, and `root.json` that the key `root` signed; `run` is `key trust`. */
export async function withRoot(
  names: readonly string[],
  work: (cwd: string, run: Run) => Promise<void>,
): Promise<void> {
  await inFolder(async (cwd) => {
    for (const name of ["root", ...names]) createKeyFile(join(cwd, name));
    writeFileSync(join(cwd, "app"), "bytes");
    const run: Run = async (...args) => waybillJson(["key", "trust", ...args], { cwd });
    expect((await run("init", "root.json", "--key", "root")).exit).toBe(0);
    await work(cwd, run);
  });
}

/** The words that add the key `NAME.pub` of the folder to a root, as NAME in this role. */
export function adding(name: string, role: string, root = "root.json"): readonly string[] {
  return ["add", root, "--name", name, "--public-key", `${name}.pub`, "--role", role];
}

export function codeOf(ran: {
  readonly exit: number;
  readonly document: Document;
}): readonly [number, string | null] {
  return [ran.exit, ran.document.error?.code ?? null];
}

/** `verify artifact app` under that root. */
export async function verifyApp(
  cwd: string,
  ...flags: readonly string[]
): Promise<Ran & { readonly document: Document }> {
  return waybillJson(["verify", "artifact", "app", ...flags, "--trust", "root.json"], { cwd });
}
