import type { Consumer } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { interruption } from "../base/interruption.ts";
import { quoted } from "../base/printable.ts";
import { readBounded } from "../host/files.ts";
import type { Reach } from "./http-object.ts";
import { keySegments } from "./key.ts";
import { natsFailure } from "./nats-failure.ts";
import type { NatsPlace } from "./nats-place.ts";
import type { ObjectRead, ObjectStream, ObjectWrite, Resume, WritableStore } from "./store.ts";

/** How to log in: a `.creds` file (a JWT and the seed of its key), or a token. */
export type NatsAccess = {
  readonly credentialsFile: string | undefined;
  readonly token: string | undefined;
  readonly reach: Reach;
};

/** An object as its description says. */
type Found = {
  readonly id: string;
  readonly size: number;
  readonly chunks: number;
  readonly chunkBytes: number;
};
/** The first byte that comes; the number of its piece, null for the first of all; the bytes of that piece before it. */
type Start = { readonly offset: number; readonly sequence: number | null; readonly skip: number };

const CONNECT_MS = 10_000;
/** Bytes that the server may send ahead of us. */
const AHEAD_BYTES = 4_194_304;

/** Artifacts in a JetStream object store; read chunk by chunk as we keep up, unlike the client's own reader. */
export class NatsStore implements WritableStore {
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
    const name = this.#nameOf(read.key);
    const limit = new Limit(read);
    const connection = await this.#connect(limit);
    limit.closes(connection);
    try {
      const found = await this.#find(connection, name, read.maxBytes);
      const start = await this.#startOf(connection, found, read.resume);
      const chunks = this.#chunks(connection, found, start, limit);
      return {
        offset: start.offset,
        length: found.size,
        // Made anew with every put: the bytes under one id never change.
        validator: { kind: "etag", text: found.id },
        [Symbol.asyncIterator]: () => chunks,
      };
    } catch (error) {
      await connection.close();
      throw this.#failure(error, limit);
    }
  }

  #failure(error: unknown, limit: Limit): Failure {
    return limit.passed(this.name) ?? natsFailure(error, this.name, this.#place.server.host);
  }

  async write({ key, file, ...given }: ObjectWrite): Promise<void> {
    const limit = new Limit(given);
    const connection = await this.#connect(limit);
    limit.closes(connection);
    try {
      const { Objm } = await import("@nats-io/obj");
      const bucket = await new Objm(connection).open(this.#place.bucket);
      await bucket.put({ name: this.#nameOf(key) }, Bun.file(file).stream());
    } catch (error) {
      throw this.#failure(error, limit);
    } finally {
      await connection.close();
    }
  }

  #nameOf(key: string): string {
    const { prefix } = this.#place;
    return [...(prefix === "" ? [] : [prefix]), ...keySegments(key)].join("/");
  }

  async #connect(limit: Limit): Promise<NatsConnection> {
    const { connect, credsAuthenticator, tokenAuthenticator } = await import("@nats-io/transport-node");
    const { credentialsFile, token, reach } = this.#access;
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
        ...(server.protocol === "http:" && reach.ca === undefined ? {} : { tls: tlsOptions(reach) }),
      });
    } catch (error) {
      throw this.#failure(error, limit);
    }
  }

  async #find(connection: NatsConnection, name: string, maxBytes: number): Promise<Found> {
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
    return {
      id: info.nuid,
      size: info.size,
      chunks: info.chunks,
      chunkBytes: info.options?.max_chunk_size ?? 0,
    };
  }

  /**
   * Where to go on: at the piece in which the bytes that are here end. Pieces are asked for by their number in the
   * stream, counted back from the last one; other objects may lie between them, so the server has to count as many.
   */
  async #startOf(connection: NatsConnection, found: Found, resume: Resume | undefined): Promise<Start> {
    const { id, size, chunks, chunkBytes } = found;
    const whole = { offset: 0, sequence: null, skip: 0 };
    if (resume === undefined || resume.validator.text !== id || chunkBytes <= 0) return whole;
    const left = chunks - Math.floor(resume.offset / chunkBytes);
    if (left <= 0 || left >= chunks || chunks !== Math.ceil(size / chunkBytes)) return whole;
    const { jetstreamManager } = await import("@nats-io/jetstream");
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const last = await manager.streams.getMessage(`OBJ_${this.#place.bucket}`, {
      last_by_subj: this.#subjectOf(id),
    });
    if (last === null || last.seq < left) return whole;
    const start = { offset: resume.offset, sequence: last.seq - left + 1, skip: resume.offset % chunkBytes };
    const { num_pending: pending } = await (await this.#consumer(connection, id, start)).info();
    return pending === left ? start : whole;
  }

  #subjectOf(id: string): string {
    return `$O.${this.#place.bucket}.C.${id}`;
  }

  async #consumer(connection: NatsConnection, id: string, { sequence }: Start): Promise<Consumer> {
    const { DeliverPolicy, jetstream } = await import("@nats-io/jetstream");
    return jetstream(connection).consumers.get(`OBJ_${this.#place.bucket}`, {
      filter_subjects: this.#subjectOf(id),
      ...(sequence === null ? {} : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence }),
    });
  }

  async *#chunks(
    connection: NatsConnection,
    { id, size }: Found,
    start: Start,
    limit: Limit,
  ): AsyncGenerator<Uint8Array> {
    try {
      if (size === 0) return;
      const consumer = await this.#consumer(connection, id, start);
      const messages = await consumer.consume({ max_bytes: AHEAD_BYTES });
      // The iterator would wait for ever for a server that is gone.
      void connection.closed().then(() => messages.stop());
      let length = start.offset - start.skip;
      let skip = start.skip;
      for await (const message of messages) {
        length += message.data.length;
        if (length > size)
          throw new Failure(
            "answer_malformed",
            `${this.name} sent more than the ${size} bytes of its description`,
          );
        yield message.data.subarray(skip);
        skip = 0;
        if (message.info.pending === 0) break;
      }
      if (length < size) {
        const code = connection.isClosed() ? "connection_lost" : "answer_malformed";
        throw new Failure(code, `${this.name} sent ${length} of ${size} bytes`);
      }
    } catch (error) {
      throw this.#failure(error, limit);
    } finally {
      await connection.close();
    }
  }
}

/** How long one exchange may take, and whether anybody still wants it. */
class Limit {
  readonly #stop: AbortSignal;
  readonly #deadline: AbortSignal;
  readonly #deadlineMs: number;

  constructor({ stop, deadlineMs }: Pick<ObjectRead, "stop" | "deadlineMs">) {
    this.#stop = stop;
    this.#deadlineMs = deadlineMs;
    this.#deadline = AbortSignal.timeout(deadlineMs);
  }

  /** Everything waits for the connection, so its end is the end of every wait. */
  closes(connection: NatsConnection): void {
    const leave = (): void => void connection.close();
    const ended = AbortSignal.any([this.#stop, this.#deadline]);
    if (ended.aborted) leave();
    else ended.addEventListener("abort", leave, { once: true });
  }

  /** Why nothing more comes from a store, if it is over. */
  passed(name: string): Failure | null {
    if (this.#stop.aborted) return interruption(this.#stop, `waiting for ${name}`);
    if (!this.#deadline.aborted) return null;
    return new Failure("deadline_passed", `${name} was not done within ${this.#deadlineMs} ms`);
  }
}

function tlsOptions({ ca, identity }: Reach): { readonly [name: string]: string | boolean } {
  // Said, because NODE_TLS_REJECT_UNAUTHORIZED would decide otherwise.
  return { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }), ...identity };
}

function readCredentials(path: string): Uint8Array {
  const bytes = readBounded(path, LIMITS.secretBytes, "the NATS credentials", "credential_missing");
  const text = new TextDecoder().decode(bytes);
  if (/BEGIN NATS USER JWT/u.test(text) && /BEGIN USER NKEY SEED/u.test(text)) return bytes;
  throw new Failure("credential_missing", `${quoted(path)} holds no NATS user JWT with the seed of its key`);
}
