import { rm } from "node:fs/promises";
import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { open, request } from "../../host/http.ts";
import { refusalOf, s3Url, type S3Access, type S3Place } from "../../stores/s3.ts";
import { presign, type S3Credentials } from "../../stores/s3-presign.ts";
import type { BlobStore, Piece, StagedBlob } from "./blob-store.ts";
import { stage } from "./file-blobs.ts";

/** A bucket, or a part of one, that this server may write to. */
export type Bucket = {
  readonly place: S3Place;
  readonly access: S3Access & { readonly credentials: S3Credentials };
};

const UPLOAD_MS = 600_000;
/** A host on a slow line may take this long to get a whole artifact through us. */
const DOWNLOAD_MS = 3_600_000;
const PROBE_MS = 15_000;
const REFUSAL_BYTES = 16_384;
const BYTES = { "content-type": "application/octet-stream" };

/**
 * Objects by the SHA-256 of their bytes, below `folder` in a bucket that several servers share. Bytes are hashed into a
 * file of ours first: an object that was begun and not finished is never seen, and a wrong digest never leaves here.
 */
export class S3Blobs implements BlobStore {
  readonly #bucket: Bucket;
  readonly #folder: string;
  readonly #incoming: string;

  constructor(bucket: Bucket, folder: string, incoming: string) {
    this.#bucket = bucket;
    this.#folder = folder;
    this.#incoming = incoming;
  }

  async receive(chunks: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<StagedBlob> {
    const { path, sha256, bytes } = await stage(this.#incoming, chunks, maxBytes, what);
    const discard = (): Promise<void> => rm(path, { force: true });
    const keep = async <T>(record: () => Promise<T>): Promise<T> => {
      await put(this.#bucket, this.#keyOf(sha256), Bun.file(path), UPLOAD_MS);
      await discard();
      // An object whose row is refused stays: no lock of ours is
      // on a bucket, and another server may be about to name it.
      return record();
    };
    return { sha256, bytes, keep, discard };
  }

  async read(sha256: Sha256, piece: Piece | null, size: number): Promise<AsyncIterable<Uint8Array>> {
    const { place, access } = this.#bucket;
    const plain = s3Url(place, access, this.#keyOf(sha256));
    const { start, end } = piece ?? { start: 0, end: size };
    const answer = await reached(() =>
      open({
        method: "GET",
        url: presign("GET", plain, access.region, access.credentials, new Date()),
        headers: piece === null ? {} : { range: `bytes=${start}-${end - 1}` },
        deadlineMs: DOWNLOAD_MS,
        maxBytes: Math.max(end - start, REFUSAL_BYTES),
      }),
    );
    const { status, headers, chunks } = answer;
    const isIt =
      piece === null
        ? status === 200
        : status === 206 && headers.get("content-range") === `bytes ${start}-${end - 1}/${size}`;
    if (isIt) return exactly(chunks, end - start, plain);
    throw unavailable(await refusalOf(status, headers, chunks, plain));
  }

  #keyOf(sha256: Sha256): string {
    return `${this.#folder}/${sha256.slice(0, 2)}/${sha256}`;
  }
}

/** Throws Failure `object_store_unavailable` unless the bucket is there and takes an object. */
export async function proveBucket(bucket: Bucket, stop: AbortSignal): Promise<void> {
  await put(bucket, "waybill-control-plane", new TextEncoder().encode("in use\n"), PROBE_MS, stop);
}

async function put(
  bucket: Bucket,
  key: string,
  body: Blob | Uint8Array,
  deadlineMs: number,
  stop?: AbortSignal,
): Promise<void> {
  const { place, access } = bucket;
  const plain = s3Url(place, access, key);
  const url = presign("PUT", plain, access.region, access.credentials, new Date());
  const wanted = { method: "PUT", url, body, headers: BYTES, deadlineMs, maxBytes: REFUSAL_BYTES } as const;
  const answer = await reached(() => request(stop === undefined ? wanted : { ...wanted, stop }));
  if (answer.status === 200) return;
  throw unavailable(await refusalOf(answer.status, answer.headers, one(answer.body), plain));
}

async function* one(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

/** A shorter object than was stored must not look like a whole one. */
async function* exactly(
  chunks: AsyncIterable<Uint8Array>,
  wanted: number,
  url: URL,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    yield chunk;
  }
  if (length !== wanted) {
    throw new Failure("object_store_unavailable", `${url.pathname} has ${length} bytes; wanted ${wanted}`);
  }
}

async function reached<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof Failure ? unavailable(error) : error;
  }
}

/** Whatever it is, it is ours and not the client's: the message goes to the log, the client tries again. */
function unavailable(failure: Failure): Failure {
  return new Failure("object_store_unavailable", failure.message, { hint: failure.hint });
}
