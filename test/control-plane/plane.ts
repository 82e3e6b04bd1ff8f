import { ViewCache } from "../../src/control-plane/storage/view-cache.ts";
import type { HostConfig } from "../../src/control-plane/addons/delivery.ts";
import type { TokenRecord } from "../../src/control-plane/tokens/token.ts";
import type { FileBlobs } from "../../src/control-plane/artifacts/file-blobs.ts";
import { fileBlobs } from "../../src/control-plane/control-plane.ts";
import { openDataDirectory, prepareDataDirectory } from "../../src/control-plane/storage/data-directory.ts";
import type { Database } from "../../src/control-plane/storage/database.ts";
import { requestHandler, type Handler } from "../../src/control-plane/handle.ts";
import { rfc3339Micros } from "../../src/control-plane/http/instant.ts";
import { Metrics } from "../../src/control-plane/http/metrics.ts";
import { openDatabase } from "../../src/control-plane/storage/open-database.ts";
import { readPostgresAddress } from "../../src/control-plane/storage/postgres-address.ts";
import type { TrustPolicy } from "../../src/control-plane/pins/trust-policy.ts";
import type { Deps } from "../../src/control-plane/router.ts";
import type { Scope } from "../../src/control-plane/tokens/scopes.ts";
import { UNBOUND, type TokenBounds } from "../../src/control-plane/tokens/token-bounds.ts";
import { tokenId } from "../../src/control-plane/tokens/token.ts";
import { tokenText } from "../../src/control-plane/tokens/token-text.ts";
import { addToken } from "../../src/control-plane/tokens/tokens.ts";
import { undocumented } from "./api/against-api.ts";
import { emptyDatabase } from "../support/postgres.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { isImageDigest, type ImageDigest } from "../../src/base/digest.ts";
import { sha256Of } from "../../src/base/hashing.ts";

/** What `Request` takes as a body. */
export type Body = NonNullable<RequestInit["body"]>;

export type CallOptions = {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Body;
  /** Sent as JSON. */
  readonly json?: unknown;
};

export type EventRow = {
  readonly at: string;
  readonly env: string | null;
  readonly actor: string;
  readonly action: string;
  readonly decision: string;
  readonly subject: string;
  readonly reason: string | null;
  readonly before_json: string | null;
  readonly after_json: string | null;
  readonly request_id: string | null;
};

/** The real handlers over a real database in a temporary folder, without a socket, with a clock that we set. */
export class Plane {
  readonly folder: string;
  readonly database: Database;
  readonly artifacts: FileBlobs;
  readonly contexts: FileBlobs;
  readonly faults: string[] = [];
  readonly lines: string[] = [];
  now: Date = new Date("2026-11-21T12:00:00.123Z");
  trustPolicy: TrustPolicy | null = null;
  /** The database once more, as another server opens it. */
  readonly again: () => Promise<Database>;
  readonly quota: number | null;
  readonly deps: Deps;
  readonly #handle: Handler;
  #ids = 0;

  constructor(
    folder: TemporaryFolder,
    database: Database,
    again: () => Promise<Database>,
    quota: number | null = null,
  ) {
    this.quota = quota;
    this.again = again;
    this.folder = folder.path;
    this.database = database;
    const directory = openDataDirectory(folder.path, false);
    prepareDataDirectory(directory);
    const { artifacts, contexts } = fileBlobs(directory, database);
    this.artifacts = artifacts;
    this.contexts = contexts;
    this.deps = {
      database: this.database,
      artifacts: this.artifacts,
      contexts: this.contexts,
      quota: this.quota,
      metrics: new Metrics(),
      tokens: new ViewCache<TokenRecord | null>(),
      hostConfigs: new ViewCache<HostConfig>(),
      trustPolicy: () => this.trustPolicy,
      now: () => this.now,
      newId: () => `id-${++this.#ids}`,
    };
    const log = {
      request: (line: string) => this.lines.push(line),
      fault: (text: string) => this.faults.push(text),
    };
    this.#handle = requestHandler(this.deps, log);
  }

  async token(
    scopes: readonly Scope[],
    env = "default",
    expires_at: string | null = null,
    bounds: Partial<TokenBounds & { name: string }> = {},
  ): Promise<string> {
    const token = tokenText(crypto.getRandomValues(new Uint8Array(32)));
    const at = rfc3339Micros(this.now);
    await addToken(
      this.database,
      {
        id: tokenId(token),
        sha256: sha256Of(token),
        name: "",
        scopes,
        env,
        created_at: at,
        expires_at,
        revoked_at: null,
        ...UNBOUND,
        ...bounds,
      },
      { actor: "cli", env, at, requestId: null },
    );
    return token;
  }

  /** Every answer is held against the document of the API. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Response> {
    const { token, headers, body, json } = options;
    const answer = await this.#handle(
      new Request(`http://plane.test${path}`, {
        method,
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(body === undefined ? {} : { body }),
      }),
      () => "192.0.2.1",
    );
    const wrong = await undocumented(method, path, answer);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    return answer;
  }

  /** Everything that the database and the files beside it hold, as text. */
  async stored(): Promise<string> {
    const files = await Array.fromAsync(new Bun.Glob("**").scan({ cwd: this.folder, absolute: true }));
    const texts = await Promise.all(files.map((file) => Bun.file(file).text()));
    const tables = ["tokens", "pins", "builds", "packages", "assignments", "events", "idempotency"];
    const rows = tables.map((name) => this.database.read((sql) => sql.rows(`SELECT * FROM ${name}`)));
    return [...texts, JSON.stringify(await Promise.all(rows))].join("\n");
  }

  events(where = "action NOT LIKE 'token.%'"): Promise<EventRow[]> {
    return this.database.read((sql) =>
      sql.rows<EventRow>(`SELECT * FROM events WHERE ${where} ORDER BY seq`),
    );
  }
}

/** The work on SQLite, and then once more on PostgreSQL. `wrap` puts something between the handlers and either. */
export async function withPlane(
  work: (plane: Plane) => Promise<void>,
  wrap: (real: Database) => Database = (real) => real,
  quota: number | null = null,
): Promise<void> {
  {
    using folder = temporaryFolder();
    const file = openDataDirectory(folder.path, false).database;
    await withDatabase("SQLite", () => openDatabase(file, true), folder, work, wrap, quota);
  }
  {
    using folder = temporaryFolder();
    await using empty = await emptyDatabase();
    const open = (): Promise<Database> => openDatabase(readPostgresAddress(empty.url, "the test"), true);
    await withDatabase("PostgreSQL", open, folder, work, wrap, quota);
  }
}

async function withDatabase(
  engine: string,
  open: () => Promise<Database>,
  folder: TemporaryFolder,
  work: (plane: Plane) => Promise<void>,
  wrap: (real: Database) => Database,
  quota: number | null,
): Promise<void> {
  const database = await open();
  try {
    await work(new Plane(folder, wrap(database), open, quota));
  } catch (error) {
    if (error instanceof Error) error.message = `on ${engine}: ${error.message}`;
    throw error;
  } finally {
    await database.close();
  }
}

/** The JSON of an answer, in the shape that the test goes on to check; of a problem the members that are its own. */
export async function bodyOf<T>(answer: Response): Promise<T> {
  const body = (await answer.json()) as T;
  if (answer.headers.get("content-type") !== "application/problem+json") return body;
  const {
    type: _,
    title: _1,
    status: _2,
    detail: _3,
    instance: _4,
    ...own
  } = body as Record<string, unknown>;
  return own as T;
}

/** What the work fails with; null when it does not. */
export function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

export function digestOf(text: string): string {
  return `sha256:${sha256Of(text)}`;
}

/** The same in the type of what is pinned. */
export function imageDigestOf(text: string): ImageDigest {
  const found = digestOf(text);
  if (!isImageDigest(found)) throw new Error("not a digest");
  return found;
}

/** A gzip file with something in it. */
export function archive(text: string): Blob {
  return new Blob([Bun.gzipSync(new TextEncoder().encode(text))]);
}
