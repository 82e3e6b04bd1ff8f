/** Servers that benches put a load on, each on the first processor, and the load, on the second. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY } from "./record.ts";
import type { Role } from "./result.ts";
import type { Way } from "./rounds.ts";
import { PEERS, run, startBeside } from "./workshop.ts";

export const LANES = 64;
const PINNED = Bun.which("taskset") !== null;
const ON_ONE = PINNED ? ["taskset", "-c", "0"] : [];
const ON_OTHER = PINNED ? ["taskset", "-c", "1"] : [];
const PROMOTION = "/cp/admin/runtime-image/promote";

export type Server = { readonly port: string; readonly pid: number; readonly url: string } & AsyncDisposable;

async function start(words: readonly string[]): Promise<Server> {
  const child = startBeside([...ON_ONE, ...words]);
  const { value } = await child.stdout.getReader().read();
  const { origin, port } = new URL(JSON.parse(new TextDecoder().decode(value)).listening);
  return {
    port,
    // taskset becomes the program, so that this is the server's own.
    pid: child.pid,
    url: origin,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
    },
  };
}

/** A server of `peers`. */
export async function startPeer(name: string, ...words: readonly string[]): Promise<Server> {
  return start([process.execPath, join(PEERS, name), ...words]);
}

/** `waybill serve` on a data folder of its own. */
export class ControlPlane implements Server {
  readonly port: string;
  readonly pid: number;
  readonly url: string;
  readonly #data: string;
  readonly #server: Server;
  #token: string | null = null;

  private constructor(data: string, server: Server) {
    this.#data = data;
    this.#server = server;
    ({ port: this.port, pid: this.pid, url: this.url } = server);
  }

  static async start(data: string): Promise<ControlPlane> {
    return new ControlPlane(
      data,
      await start([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, "--json"]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  newToken(other?: string): string {
    const scopes = ["--scope", "admin", "--scope", "audit:read"];
    return run([BINARY, "token", "new", "--data", other ?? this.#data, ...scopes, "--quiet"]).trim();
  }

  get token(): string {
    return (this.#token ??= this.newToken());
  }

  async send(method: string, path: string, body?: object | string): Promise<Response> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}` },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  /** Ten packages on every host. */
  async assignTenAddons(): Promise<void> {
    const sha256 = new Bun.CryptoHasher("sha256").update("x").digest("hex");
    await this.send("PUT", `/v1/artifacts/${sha256}`, "x");
    for (let at = 0; at < 10; at++) {
      const artifacts = { "linux/amd64": { object_key: `a/${sha256}`, sha256 } };
      const made = { addon_id: `addon-${at}`, version: "1.0.0", binary: "a", artifacts };
      await this.send("POST", "/v1/addons/packages", made);
      await this.send("PUT", `/v1/addons/assignments/addon-${at}`, { version: "1.0.0" });
    }
  }

  /** The request of a host that has what is assigned; %n is its number. */
  async poll(): Promise<string> {
    const path = "/v1/addons/assignments?platform=linux/amd64&host=";
    const { headers } = await this.send("GET", `${path}host-0000000`);
    return `GET ${path}host-%n HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${this.token}\r\nIf-None-Match: ${headers.get("etag")}\r\n\r\n`;
  }
}

/** A promotion as older clients send it; %n, of seven digits, is its number. */
export function promotion(
  bearer: string,
  template: string = "bench-%n",
  digest: string = "ab".repeat(32),
): string {
  const body = JSON.stringify({
    template_name: template,
    image_digest: `sha256:${digest}`,
    git_sha: "0123abc",
  });
  const length = body.replaceAll("%n", "1234567").length;
  return `POST ${PROMOTION} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

export type Requests = {
  readonly server: Server;
  readonly count: number;
  readonly status: number;
  readonly request: string;
  /** Of how many numbers %n is one. */
  readonly distinct?: number;
  /** The first of them. */
  readonly from?: number;
  /** Whether the load never sleeps, see serve-load.ts. */
  readonly awake?: boolean;
};

export class Load {
  readonly #folder: string;
  #made = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  way({ name, role = "peer", ...requests }: Requests & { readonly name: string; readonly role?: Role }): Way {
    return { name, role, words: this.words(requests), server: requests.server.pid };
  }

  words({ server, count, status, request, distinct = 1_000, from = 0, awake = false }: Requests): string[] {
    const file = join(this.#folder, `request-${this.#made++}`);
    writeFileSync(file, request);
    const numbers = [server.port, count, LANES, status, file, distinct, from].map(String);
    return [
      ...ON_OTHER,
      process.execPath,
      join(PEERS, "serve-load.ts"),
      ...numbers,
      ...(awake ? ["awake"] : []),
    ];
  }
}
