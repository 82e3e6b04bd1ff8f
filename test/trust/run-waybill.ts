import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { peakMemory } from "../support/peak-memory.ts";

const SOURCE: readonly string[] = [process.execPath, resolve(import.meta.dir, "../../src/main.ts")];
const BINARY = process.env["WAYBILL_BINARY"];
const COMMAND: readonly string[] = BINARY === undefined ? SOURCE : [resolve(BINARY)];

export type Ran = {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
};
export type Surroundings = {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Octal, as in `umask 077`. */
  readonly umask?: string;
};

/** Runs the compiled binary when WAYBILL_BINARY names one, else the sources. */
export async function waybill(args: readonly string[], surroundings: Surroundings): Promise<Ran> {
  const { cwd, env = {}, umask } = surroundings;
  const command = [...COMMAND, ...args];
  const shell = umask === undefined ? command : ["sh", "-c", `umask ${umask}; exec "$@"`, "sh", ...command];
  const process_ = Bun.spawn(shell, {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exit] = await Promise.all([
    new Response(process_.stdout).text(),
    new Response(process_.stderr).text(),
    process_.exited,
  ]);
  return { exit, stdout, stderr };
}

export type Document = Record<string, unknown> & {
  readonly ok: boolean;
  readonly exit_code: number;
  readonly error?: { readonly code: string; readonly message: string };
};

/** The same with `--json`, and the one document parsed. */
export async function waybillJson(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<Ran & { readonly document: Document }> {
  const ran = await waybill([...args, "--json"], surroundings);
  return { ...ran, document: JSON.parse(ran.stdout) as Document };
}

/** The exit code and the peak of resident memory in bytes. */
export async function waybillMemory(args: readonly string[], cwd: string): ReturnType<typeof peakMemory> {
  return peakMemory([...COMMAND, ...args], cwd);
}

/** A folder that is gone when the work is done. */
export async function inFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-trust-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs openssl and gives its exit code and output. */
export async function openssl(
  args: readonly string[],
  cwd: string,
): Promise<{ exit: number; stdout: string; stderr: string }> {
  const process_ = Bun.spawn(["openssl", ...args], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exit] = await Promise.all([
    new Response(process_.stdout).text(),
    new Response(process_.stderr).text(),
    process_.exited,
  ]);
  return { exit, stdout, stderr };
}

export const HAS_OPENSSL: boolean = Bun.which("openssl") !== null;
