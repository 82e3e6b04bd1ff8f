import type { NatsConnection } from "@nats-io/transport-node";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { interruption } from "../base/interruption.ts";
import { printable, quoted } from "../base/printable.ts";
import { isLoopback, parseEndpoint } from "../host/endpoint.ts";
import { readBounded } from "../host/files.ts";
import type { TlsTrust } from "./http-object.ts";
import { keySegments } from "./key.ts";
import { wholeObject, type ObjectRead, type ObjectStream, type Store } from "./store.ts";

/** A JetStream object store on one server. */
export type NatsPlace = { readonly server: URL; readonly bucket: string; readonly prefix: string };

/** How to log in: a `.creds` file (a JWT and the seed of its key), or a token. */
export type NatsAccess = {
  readonly credentialsFile: string | undefined;
  readonly token: string | undefined;
  readonly tls: TlsTrust;
};

const CONNECT_MS = 10_000;
/** Bytes that the server may send ahead of us. */
const AHEAD_BYTES = 4_194_304;

/** `nats://host[:port]/bucket[/prefix]`. Throws Failure `url_invalid`. */
export function parseNats(text: string, from: string, allowInsecureHttp: boolean): NatsPlace {
  const found = /^nats:\/\/([^/?#]+)\/([A-Za-z0-9_-]{1,128})(\/[^?#]*)?$/iu.exec(text);
  if (found === null) {
    throw new Failure("url_invalid", `${from} is ${quoted(text)}; wanted nats://host[:port]/bucket[/prefix]`);
  }
  const authority = found[1] ?? "";
  // The rules for hosts are the same; without TLS only this machine is spoken to.
  const url = `http${isLoopbackText(authority) && allowInsecureHttp ? "" : "s"}://${authority}`;
  const server = parseEndpoint(url, { from, allowInsecureHttp, path: "none" });
  const prefix = (found[3] ?? "").replace(/^\/|\/$/gu, "");
  if (prefix !== "") keySegments(prefix);
  return { server, bucket: found[2] ?? "", prefix };
}

function isLoopbackText(authority: string): boolean {
  const url = URL.parse(`http://${authority}`);
  return url !== null && isLoopback(url);
}

/** Artifacts in a JetStream object store; read chunk by chunk as we keep up, unlike the client's own reader. */
export class NatsStore implements Store {
  readonly name: string;
  readonly #place: NatsPlace;
  readonly #access: NatsAccess;

  constructor(place: NatsPlace, access: NatsAccess) {
    this.#place = place;
    this.#access = access;
    const { server, bucket, prefix } = place;
    this.name = `nats://${server.host}/${bucket}${prefix === "" ? "" : `/${prefix}`}`;
  }

  async open(read: ObjectRead): Promise<ObjectStream> {
    const { prefix } = this.#place;
    const name = [...(prefix === "" ? [] : [prefix]), ...keySegments(read.key)].join("/");
    const connection = await this.#connect(read.stop);
    // Everything below waits for the connection, so its end is the end of every wait.
    const leave = (): void => void connection.close();
    read.stop.addEventListener("abort", leave, { once: true });
    try {
      if (read.stop.aborted) throw interruption(read.stop, `reading from ${this.name}`);
      const { id, size } = await this.#find(connection, name, read.maxBytes);
      return wholeObject(this.#chunks(connection, id, size, read.stop), size);
    } catch (error) {
      await connection.close();
      throw this.#failureOf(error, read.stop);
    }
  }

  async #connect(stop: AbortSignal): Promise<NatsConnection> {
    const { connect, credsAuthenticator, tokenAuthenticator } = await import("@nats-io/transport-node");
    const { credentialsFile, token, tls } = this.#access;
    const { server } = this.#place;
    const credentials = credentialsFile === undefined ? undefined : readCredentials(credentialsFile);
    try {
      return await connect({
        servers: `${server.hostname}:${server.port === "" ? "4222" : server.port}`,
        timeout: CONNECT_MS,
        reconnect: false,
        // Its list of other servers is one that nobody named.
        ignoreClusterUpdates: true,
        ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(credentials) }),
        ...(token === undefined ? {} : { authenticator: tokenAuthenticator(token) }),
        ...(server.protocol === "http:" && tls.ca === undefined ? {} : { tls: tlsOptions(tls) }),
      });
    } catch (error) {
      throw this.#failureOf(error, stop);
    }
  }

  async #find(
    connection: NatsConnection,
    name: string,
    maxBytes: number,
  ): Promise<{ readonly id: string; readonly size: number }> {
    const { Objm } = await import("@nats-io/obj");
    const bucket = await new Objm(connection).open(this.#place.bucket);
    const info = await bucket.info(name);
    const where = `${this.name} has`;
    if (info === null) throw new Failure("not_found", `${where} no object ${quoted(name)}`);
    if (info.deleted)
      throw new Failure("not_found", `${where} only the mark of a deleted object ${quoted(name)}`);
    const link = info.options?.link;
    if (link !== undefined && link !== null) {
      const to = quoted([link.bucket, link.name].filter((part) => part !== undefined).join("/"));
      throw new Failure(
        "answer_unexpected",
        `${where} a link to ${to} as ${quoted(name)}; links are not followed`,
        {
          hint: "name the object that it leads to",
        },
      );
    }
    if (!/^[A-Za-z0-9]{1,64}$/u.test(info.nuid) || !Number.isSafeInteger(info.size) || info.size < 0) {
      throw new Failure("answer_malformed", `${where} no readable description of ${quoted(name)}`);
    }
    if (info.size > maxBytes) {
      throw new Failure(
        "artifact_too_large",
        `${where} ${info.size} bytes as ${quoted(name)}; at most ${maxBytes} are taken`,
      );
    }
    return { id: info.nuid, size: info.size };
  }

  async *#chunks(
    connection: NatsConnection,
    id: string,
    size: number,
    stop: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    try {
      if (size === 0) return;
      const { jetstream } = await import("@nats-io/jetstream");
      const { bucket } = this.#place;
      const consumer = await jetstream(connection).consumers.get(`OBJ_${bucket}`, {
        filter_subjects: `$O.${bucket}.C.${id}`,
      });
      const messages = await consumer.consume({ max_bytes: AHEAD_BYTES });
      // The iterator would wait for ever for a server that is gone.
      void connection.closed().then(() => messages.stop());
      let length = 0;
      for await (const message of messages) {
        length += message.data.length;
        if (length > size)
          throw new Failure(
            "answer_malformed",
            `${this.name} sent more than the ${size} bytes of its description`,
          );
        yield message.data;
        if (message.info.pending === 0) break;
      }
      if (length < size) {
        const code = connection.isClosed() ? "connection_lost" : "answer_malformed";
        throw new Failure(code, `${this.name} sent ${length} of ${size} bytes`);
      }
    } catch (error) {
      throw this.#failureOf(error, stop);
    } finally {
      await connection.close();
    }
  }

  #failureOf(error: unknown, stop: AbortSignal): Failure {
    if (stop.aborted) return interruption(stop, `reading from ${this.name}`);
    if (error instanceof Failure) return error;
    const kind = error instanceof Error ? error.name : "";
    const message = printable(error instanceof Error ? error.message : String(error), 160);
    if (/Authorization|Authentication/u.test(kind) || /authorization|authentication/iu.test(message)) {
      return new Failure("unauthorized", `${this.name} refused the credential`, {
        hint: "check --nats-creds, its expiry, and --store-token-env",
      });
    }
    if (kind === "PermissionViolationError") {
      return new Failure("forbidden", `${this.name} does not allow this user to read objects: ${message}`);
    }
    if (/stream not found|object store not found|bucket not found/iu.test(message)) {
      return new Failure("not_found", `${this.name}: there is no such object store`);
    }
    if (/certificate|self.signed|altname|'tls'|tls/iu.test(message)) {
      return new Failure(
        "tls_failed",
        `the connection to ${this.#place.server.host} cannot be secured: ${message}`,
        {
          hint: "pass the issuing certificate with --cacert",
        },
      );
    }
    if (
      /jetstream (?:is )?not enabled|no responders/iu.test(`${kind} ${message}`) ||
      kind === "NoRespondersError"
    ) {
      return new Failure("object_store_unavailable", `${this.name}: the server has no JetStream`);
    }
    if (kind === "TimeoutError")
      return new Failure("deadline_passed", `${this.name} did not answer: ${message}`);
    const refused = /refused|connect/iu.test(message) && kind === "ConnectionError";
    const code = refused ? "connection_failed" : "connection_lost";
    return new Failure(code, `the exchange with ${this.name} broke: ${message}`);
  }
}

function tlsOptions({ ca, identity }: TlsTrust): { readonly [name: string]: string | boolean } {
  // Said, because NODE_TLS_REJECT_UNAUTHORIZED would decide otherwise.
  return { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }), ...identity };
}

function readCredentials(path: string): Uint8Array {
  const bytes = readBounded(path, LIMITS.secretBytes, "the NATS credentials", "credential_missing");
  const text = new TextDecoder().decode(bytes);
  if (/BEGIN NATS USER JWT/u.test(text) && /BEGIN USER NKEY SEED/u.test(text)) return bytes;
  throw new Failure("credential_missing", `${quoted(path)} holds no NATS user JWT with the seed of its key`);
}
