import { Failure } from "../../base/failure.ts";
import { parseJson, type JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { WireRefusal } from "./wire.ts";

/** The bytes of a request as they come. Refuses what `refuseUnread` does, before anything is read. */
export function bodyChunks(request: Request, maxBytes: number, what: string): AsyncIterable<Uint8Array> {
  refuseUnread(request, maxBytes, what);
  return request.body === null ? nothing() : inTime(request.body);
}

/**
 * Refuses what would make the bytes mean something else (a coding, a part of a whole) and a declared length above
 * `maxBytes`. The length that was declared; null without one.
 */
function refuseUnread(request: Request, maxBytes: number, what: string): number | null {
  const coding = request.headers.get("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") {
    throw new WireRefusal("unsupported_media_type", "send the body without a content-encoding");
  }
  if (request.headers.has("content-range")) {
    throw new WireRefusal("unsupported_media_type", "send the whole body, without a content-range");
  }
  const declared = request.headers.get("content-length");
  if (declared === null) return null;
  if (Number(declared) > maxBytes) throw tooLarge(what, maxBytes);
  return Number(declared);
}

/** Slower than this from its second half minute on, a body is meant to keep us busy. */
const LEAST_BYTES_PER_SECOND = 1_024;
const PATIENCE_MS = 30_000;
/** What is not there after the first half minute came slower than that, so nobody has to look at it as it comes. */
const AT_ONCE_BYTES = (PATIENCE_MS / 1_000) * LEAST_BYTES_PER_SECOND;

async function* inTime(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const started = performance.now();
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    const allowed = PATIENCE_MS + (length / LEAST_BYTES_PER_SECOND) * 1_000;
    if (performance.now() - started > allowed) throw tooSlow();
    yield chunk;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** A JSON body of at most 1 MiB, by the strict reader: no duplicate members, no junk after the value. */
export async function readJsonBody(request: Request): Promise<JsonValue> {
  const max = LIMITS.apiAnswerBytes;
  const bytes = await wholeBody(request, max, "the body");
  try {
    return parseJson(bytes, {
      what: "the body",
      code: "request_rejected",
      maxBytes: max,
    });
  } catch (error) {
    if (error instanceof Failure) throw new WireRefusal("invalid_json", error.message);
    throw error;
  }
}

/** All bytes of a small request, which refusals call `what`. Throws WireRefusal. */
export async function wholeBody(request: Request, max: number, what: string): Promise<Uint8Array> {
  const declared = refuseUnread(request, max, what);
  // A stream costs more than all the rest of a small request; a declared length is kept by the server.
  if (declared !== null && declared <= AT_ONCE_BYTES) return soon(request.bytes());
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bodyChunks(request, max, what)) {
    length += chunk.length;
    if (length > max) throw tooLarge(what, max);
    pieces.push(chunk);
  }
  return new Uint8Array(Buffer.concat(pieces, length));
}

function soon(bytes: Promise<Uint8Array>): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlow()), PATIENCE_MS);
    const settled = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
    };
    bytes.then(
      (value) => settled(() => resolve(value)),
      (error: unknown) => settled(() => reject(error)),
    );
  });
}

function tooLarge(what: string, max: number): WireRefusal {
  return new WireRefusal("too_large", `${what} must be <= ${max} bytes`);
}

function tooSlow(): WireRefusal {
  return new WireRefusal("upload_too_slow", "the body comes too slowly", { connection: "close" });
}
