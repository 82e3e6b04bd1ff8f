import { writeFileSync } from "node:fs";
import { sha256Of } from "../../src/base/hashing.ts";
import { answers, freePort, startDaemon, type Daemon } from "../support/programs.ts";
import type { TemporaryFolder } from "../support/temporary.ts";

export const HAS_REGISTRY: boolean = Bun.which("docker-registry") !== null;

export type RegistryServer = { readonly daemon: Daemon; readonly host: string };

/** A real registry on loopback; with `login` it wants that user and password. */
export async function startRegistry(
  folder: TemporaryFolder,
  login?: { readonly user: string; readonly password: string },
): Promise<RegistryServer> {
  const port = await freePort();
  const config: Record<string, unknown> = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: folder.at(`registry-${port}`) } },
    http: { addr: `127.0.0.1:${port}` },
  };
  if (login !== undefined) {
    const hash = await Bun.password.hash(login.password, { algorithm: "bcrypt", cost: 4 });
    writeFileSync(folder.at(`htpasswd-${port}`), `${login.user}:${hash}\n`);
    config["auth"] = { htpasswd: { realm: "test", path: folder.at(`htpasswd-${port}`) } };
  }
  writeFileSync(folder.at(`registry-${port}.yml`), JSON.stringify(config));
  const words = ["docker-registry", "serve", folder.at(`registry-${port}.yml`)];
  const daemon = await startDaemon(words, () => answers(`http://127.0.0.1:${port}/v2/`));
  return { daemon, host: `127.0.0.1:${port}` };
}

type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };

/** Pushes as `oras` and `docker` do, by plain requests. */
export class Pusher {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  constructor(
    host: string,
    repository: string,
    login?: { readonly user: string; readonly password: string },
  ) {
    this.#base = `http://${host}/v2/${repository}`;
    this.#headers =
      login === undefined ? {} : { authorization: `Basic ${btoa(`${login.user}:${login.password}`)}` };
  }

  async blob(bytes: Uint8Array, mediaType = "application/octet-stream"): Promise<Descriptor> {
    const digest = `sha256:${sha256Of(bytes)}`;
    const begun = await this.#send("POST", "/blobs/uploads/");
    const location = new URL(begun.headers.get("location") ?? "", this.#base);
    location.searchParams.set("digest", digest);
    await this.#send("PUT", location.href, bytes, "application/octet-stream");
    return { mediaType, digest, size: bytes.length };
  }

  async manifest(document: object, mediaType: string, reference?: string): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = `sha256:${sha256Of(bytes)}`;
    await this.#send("PUT", `/manifests/${reference ?? digest}`, bytes, mediaType);
    return { mediaType, digest, size: bytes.length };
  }

  async #send(method: string, path: string, body?: Uint8Array, type?: string): Promise<Response> {
    const answer = await fetch(path.startsWith("/") ? `${this.#base}${path}` : path, {
      method,
      keepalive: false,
      headers: { ...this.#headers, ...(type === undefined ? {} : { "content-type": type }) },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}
