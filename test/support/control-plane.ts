import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLEAN_ENVIRONMENT, PROGRAM, runWaybill } from "./binary.ts";

/** A control plane that runs as a process of its own, on a folder of its own. */
export type ControlPlaneProcess = {
  /** `http://127.0.0.1:41234`, `https://…`, or `unix:/path`. */
  readonly address: string;
  readonly data: string;
  readonly pid: number;
  /** A token that lives an hour. */
  readonly token: (scopes: readonly string[], env?: string) => Promise<string>;
  /** Sends the signal (SIGTERM) and waits for the end: its exit code, or 128 + n when a signal ended it. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number>;
  /** What it wrote on standard error so far. */
  readonly stderr: () => string;
  /** What it wrote there since the last call of this, when the text is in it. Rejects when it ends without. */
  readonly told: (text: string) => Promise<string>;
};

export type ControlPlaneSettings = {
  /** Left to the caller when it is given; otherwise a temporary folder that `stop` removes. */
  readonly data?: string;
  readonly listen?: string;
  readonly args?: readonly string[];
  /** Variables of the server beside the usual ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** The address of a PostgreSQL database in place of the file in the folder. */
  readonly database?: string | undefined;
};

/** Starts `waybill serve` and resolves when it listens. Throws with its standard error when it does not. */
export async function startControlPlane(settings: ControlPlaneSettings = {}): Promise<ControlPlaneProcess> {
  const data = settings.data ?? mkdtempSync(join(tmpdir(), "waybill-plane-"));
  const listen = settings.listen ?? "127.0.0.1:0";
  const child = Bun.spawn(
    [
      ...PROGRAM,
      "serve",
      "--json",
      "--listen",
      listen,
      "--data",
      data,
      ...databaseFlags(settings.database),
      ...(settings.args ?? []),
    ],
    {
      env: { ...environment(settings.database), ...settings.env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const errors = new Said(child.stderr);
  const line = await firstLine(child.stdout);
  const document: { ok?: boolean; listening?: string } = line === "" ? {} : JSON.parse(line);
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number> => {
    child.kill(signal);
    const code = await child.exited;
    await errors.ended;
    if (settings.data === undefined) rmSync(data, { recursive: true, force: true });
    return code;
  };
  if (document.ok !== true || document.listening === undefined) {
    await stop("SIGKILL");
    throw new Error(`waybill serve did not start: ${line} ${errors.text}`);
  }
  return {
    address: document.listening,
    data,
    pid: child.pid,
    token: (scopes, env = "default") => newToken(data, scopes, env, settings.database),
    stop,
    stderr: () => errors.text,
    told: (text) => errors.until(text),
  };
}

/** A token by the real command; works while a server runs on the folder. */
async function newToken(
  data: string,
  scopes: readonly string[],
  env = "default",
  database?: string,
): Promise<string> {
  const flags = scopes.flatMap((scope) => ["--scope", scope]);
  const place = database === undefined ? ["--data", data] : databaseFlags(database);
  const ran = await runWaybill(
    ["token", "new", ...place, "--env", env, "--expires", "1h", "--quiet", ...flags],
    { env: environment(database) },
  );
  if (ran.code !== 0) throw new Error(`waybill token new failed: ${ran.stderr}`);
  return ran.stdout.trim();
}

function databaseFlags(database: string | undefined): string[] {
  return database === undefined ? [] : ["--database-env", "CP_DATABASE"];
}

function environment(database: string | undefined): Record<string, string> {
  return { ...CLEAN_ENVIRONMENT, ...(database === undefined ? {} : { CP_DATABASE: database }) };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

/** A stream as text, as it comes. */
class Said {
  text = "";
  readonly ended: Promise<void>;
  #heard = 0;
  #more = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#collect(stream);
  }

  async until(wanted: string): Promise<string> {
    const from = this.#heard;
    while (!this.text.slice(from).includes(wanted)) await this.#more.promise;
    this.#heard = this.text.length;
    return this.text.slice(from);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.text += decoder.decode(chunk, { stream: true });
      this.#more.resolve();
      this.#more = Promise.withResolvers<void>();
    }
    this.#more.promise.catch(() => {});
    this.#more.reject(new Error(`it ended and had said: ${this.text}`));
  }
}
