import { jsonOf, PROGRAM, runProgram } from "../support/binary.ts";
import { peakMemory } from "../support/peak-memory.ts";
import { checkDocument } from "../support/schemas.ts";
import { temporaryFolder } from "../support/temporary.ts";

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

/** Runs waybill to its end. */
export async function waybill(args: readonly string[], surroundings: Surroundings): Promise<Ran> {
  const { cwd, env = {}, umask } = surroundings;
  const shell = umask === undefined ? [] : ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"];
  const { code, stdout, stderr } = await runProgram([...shell, ...PROGRAM, ...args], { cwd, env });
  if (args.includes("--json")) checkDocument(stdout);
  return { exit: code, stdout, stderr };
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
  return { ...ran, document: jsonOf({ ...ran, code: ran.exit }) as Document };
}

/** The exit code and the peak of resident memory in bytes. */
export async function waybillMemory(args: readonly string[], cwd: string): ReturnType<typeof peakMemory> {
  return peakMemory([...PROGRAM, ...args], cwd);
}

/** A folder that is gone when the work is done. */
export async function inFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  using folder = temporaryFolder();
  return await work(folder.path);
}
