import { readdirSync, readFileSync } from "node:fs";
import { CLEAN_ENVIRONMENT, PROGRAM } from "../../support/binary.ts";
import { checkDocument } from "../../support/schemas.ts";
import { IS_ROOT } from "./scratch.ts";

/** A program that hangs is killed after this long, and its test fails with what it said. */
export const HANGING_MS = 50_000;

export type Ran = { readonly exit: number; readonly stdout: string; readonly stderr: string };

export type Surroundings = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Octal, as in `umask 077`. */
  readonly umask?: string;
  /** What stands before the command, for example setpriv or strace. */
  readonly under?: readonly string[];
  /** For a run that takes longer than any other. */
  readonly hangingMs?: number;
};

/** root reads everything; without these capabilities it is held to the mode bits like everybody else. */
export const BOUND_BY_MODES: readonly string[] = IS_ROOT
  ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]
  : [];
export const CAN_BE_BOUND: boolean = !IS_ROOT || Bun.which("setpriv") !== null;

/** Nothing of the test's own environment gets in but PATH: a CI system's variables would change the answers. */
export function environment(extra: Surroundings["env"] = {}): Record<string, string> {
  const env: Record<string, string> = {
    ...CLEAN_ENVIRONMENT,
    GIT_CONFIG_NOSYSTEM: "1",
  };
  for (const [name, value] of Object.entries(extra)) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  return env;
}

export function startWaybill(
  args: readonly string[],
  { cwd = "/", env, umask, under = [], hangingMs = HANGING_MS }: Surroundings = {},
): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  const command = [...under, ...PROGRAM, ...args];
  return Bun.spawn(
    umask === undefined ? command : ["sh", "-c", `umask ${umask}; exec "$@"`, "sh", ...command],
    {
      cwd,
      env: environment(env),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: hangingMs,
      killSignal: "SIGKILL",
    },
  );
}

export async function waybill(args: readonly string[], surroundings: Surroundings = {}): Promise<Ran> {
  const child = startWaybill(args, surroundings);
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  checkDocument(stdout);
  return { exit, stdout, stderr };
}

export type FieldDocument = { value: string | boolean | null; source: string; reason: string | null };

/** What the tests look at in `capture --json`. */
export type CaptureDocument = {
  readonly schema: string;
  readonly ok: boolean;
  readonly exit_code: number;
  readonly source_fields: Readonly<Record<string, string | boolean>>;
  readonly fields: Readonly<Record<string, FieldDocument>>;
  readonly matches_commit: boolean | null;
  readonly matches_commit_detail: {
    readonly reason: string | null;
    readonly counts: Readonly<Record<string, number>>;
    readonly samples: Readonly<Record<string, readonly string[]>>;
  };
  readonly digests: Readonly<Record<string, string | null>>;
  readonly digests_detail: { readonly reasons: Readonly<Record<string, string>> };
  readonly context: {
    readonly files: number;
    readonly dirs: number;
    readonly symlinks: number;
    readonly bytes: number | null;
    readonly dockerfile: string | null;
    readonly ignore_file: string | null;
    readonly skipped: readonly { readonly path: string; readonly kind: string }[];
    readonly own_outputs: readonly string[];
  };
  readonly ref_full: string | null;
  readonly ref_full_detail: { readonly reason: string | null };
  readonly ref_kind: string | null;
  readonly tags: readonly string[];
  readonly pushed: boolean | null;
  readonly pushed_detail: { readonly reason: string | null; readonly ref: string | null };
  readonly git: Readonly<Record<string, unknown>> | null;
  readonly ci: Readonly<Record<string, unknown>> | null;
  readonly pull_request: Readonly<Record<string, unknown>> | null;
  readonly health: {
    readonly largest: readonly { readonly path: string; readonly size: number }[];
    readonly over_limit: boolean;
    readonly secrets: {
      readonly count: number;
      readonly found: readonly { readonly path: string; readonly kind: string }[];
      readonly unchecked: number;
    };
    readonly case_collisions: readonly { readonly path: string }[];
  } | null;
  readonly volatile: Readonly<Record<string, string | number | null>>;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly build?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
};

export type Captured = Ran & { readonly document: CaptureDocument };

/** `waybill capture CONTEXT … --json` and its document. */
export async function captureJson(
  context: string,
  args: readonly string[] = [],
  surroundings: Surroundings = {},
): Promise<Captured> {
  const ran = await waybill(["capture", context, ...args, "--json"], surroundings);
  try {
    return { ...ran, document: JSON.parse(ran.stdout) as CaptureDocument };
  } catch (cause) {
    throw new Error(`no JSON document; exit ${ran.exit}: ${ran.stdout}${ran.stderr}`, { cause });
  }
}

export function warningCodes(document: CaptureDocument): string[] {
  return document.warnings.map((warning) => warning.code);
}

/** Command lines of the processes that are alive, for proving that none is left over. */
export function livingCommands(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .map(commandOf);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    // It ended between being listed and being looked at.
    return "";
  }
}
