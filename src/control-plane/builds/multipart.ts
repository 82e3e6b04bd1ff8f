import { exactTextOf } from "../../base/encoding.ts";
import { quoted } from "../../base/printable.ts";
import { WireRefusal } from "../http/wire.ts";

/** One part of a form. `chunks` must be read to its end before the next part is asked for. */
export type FormPart = {
  readonly name: string;
  /** Present on a file: whatever the client called it, never a path of ours. */
  readonly filename: string | null;
  readonly chunks: AsyncIterable<Uint8Array>;
};

const MAX_PARTS = 64;
const MAX_HEADER_BYTES = 8_192;
const CRLF = Buffer.from("\r\n");
const HEADER_END = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);

const PARAMETER = /;[ \t]*([a-z0-9*_-]+)=(?:"((?:[^"\\\r\n]|\\.)*)"|([^\s";,\\]+))/giu;
const DISPOSITION = /^form-data(?:;[ \t]*[a-z0-9*_-]+=(?:"(?:[^"\\\r\n]|\\.)*"|[^\s";,\\]+))*[ \t]*$/iu;
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/u;

/** The boundary of a multipart/form-data content type (RFC 2046 §5.1.1). Throws WireRefusal. */
export function boundaryOf(contentType: string | null): string {
  if (contentType === null || !/^multipart\/form-data[ \t]*(?:;|$)/iu.test(contentType)) {
    throw new WireRefusal("unsupported_media_type", "send multipart/form-data");
  }
  const found = [...contentType.matchAll(PARAMETER)].filter((one) => one[1]?.toLowerCase() === "boundary");
  const boundary = found[0]?.[2] ?? found[0]?.[3] ?? "";
  if (found.length !== 1 || !BOUNDARY.test(boundary)) throw malformed("no single valid boundary");
  return boundary;
}

/**
 * The parts of a form, one after the other, each streamed: the runtime's own reader holds a whole archive in
 * memory. Strict: no preamble, no epilogue, no second part of the same name, the final boundary present. Readers
 * that guess at a broken form differ in what they see. Throws WireRefusal `invalid_multipart`.
 */
export async function* formParts(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<FormPart> {
  const reader = new PartReader(body, boundary);
  const names = new Set<string>();
  try {
    await reader.start();
    while (await reader.hasPart()) {
      const { name, filename } = readHeaders(await reader.headers());
      if (names.has(name)) throw malformed(`a second part named ${quoted(name, 60)}`);
      names.add(name);
      if (names.size > MAX_PARTS) throw malformed(`more than ${MAX_PARTS} parts`);
      yield { name, filename, chunks: reader.contents() };
      if (!reader.partEnded) throw new Error("a part was not read to its end");
    }
    await reader.end();
  } finally {
    await reader.release();
  }
}

class PartReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #dashBoundary: Buffer;
  readonly #delimiter: Buffer;
  #buffer: Buffer = NOTHING;
  #ended = false;
  partEnded = true;

  constructor(body: AsyncIterable<Uint8Array>, boundary: string) {
    this.#source = body[Symbol.asyncIterator]();
    this.#dashBoundary = Buffer.from(`--${boundary}`);
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  async start(): Promise<void> {
    await this.#need(this.#dashBoundary.length, "the first boundary");
    if (!this.#buffer.subarray(0, this.#dashBoundary.length).equals(this.#dashBoundary)) {
      throw malformed("it does not begin with its boundary");
    }
    this.#skip(this.#dashBoundary.length);
  }

  /** What follows a boundary: a part, or the end of the form. */
  async hasPart(): Promise<boolean> {
    await this.#need(2, "the final boundary");
    const two = this.#buffer.toString("latin1", 0, 2);
    if (two !== "\r\n" && two !== "--") throw malformed("a boundary is followed by something else");
    this.#skip(2);
    return two === "\r\n";
  }

  async headers(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(HEADER_END);
      if (end > MAX_HEADER_BYTES || (end === -1 && this.#buffer.length > MAX_HEADER_BYTES)) {
        throw malformed(`the headers of a part exceed ${MAX_HEADER_BYTES} bytes`);
      }
      if (end !== -1) {
        const text = utf8(this.#buffer.subarray(0, end), "the headers of a part");
        this.#skip(end + HEADER_END.length);
        this.partEnded = false;
        return text;
      }
      await this.#more("the end of a part's headers");
    }
  }

  /** The bytes up to the next delimiter. What could be the beginning of one is held back until more is known. */
  async *contents(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const end = this.#buffer.indexOf(this.#delimiter);
      if (end !== -1) {
        if (end > 0) yield this.#buffer.subarray(0, end);
        this.#skip(end + this.#delimiter.length);
        this.partEnded = true;
        return;
      }
      const certain = this.#buffer.length - (this.#delimiter.length - 1);
      if (certain > 0) {
        yield this.#buffer.subarray(0, certain);
        this.#skip(certain);
      }
      await this.#more("the final boundary");
    }
  }

  /** After the final boundary only one line break may come. */
  async end(): Promise<void> {
    while (!this.#ended) {
      if (this.#buffer.length > CRLF.length) break;
      await this.#pull();
    }
    if (this.#buffer.length > 0 && !this.#buffer.equals(CRLF)) {
      throw malformed("more bytes after the final boundary");
    }
  }

  /** Whoever stops reading early lets the sender know. */
  async release(): Promise<void> {
    await this.#source.return?.();
  }

  async #need(bytes: number, what: string): Promise<void> {
    while (this.#buffer.length < bytes) await this.#more(what);
  }

  async #more(what: string): Promise<void> {
    await this.#pull();
    if (this.#ended) throw malformed(`it ends before ${what}`);
  }

  async #pull(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) this.#ended = true;
    else if (this.#buffer.length === 0) this.#buffer = asBuffer(next.value);
    else this.#buffer = Buffer.concat([this.#buffer, next.value]);
  }

  #skip(bytes: number): void {
    this.#buffer = this.#buffer.subarray(bytes);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readHeaders(text: string): { name: string; filename: string | null } {
  const headers = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const found = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)$/u.exec(line);
    if (found === null) throw malformed("a part has a broken header line");
    const name = (found[1] ?? "").toLowerCase();
    if (headers.has(name)) throw malformed(`a part has two ${name} headers`);
    headers.set(name, found[2] ?? "");
  }
  const encoding = headers.get("content-transfer-encoding")?.trim().toLowerCase() ?? "binary";
  if (!["binary", "8bit", "7bit"].includes(encoding)) {
    throw malformed("a part has a content-transfer-encoding");
  }
  const disposition = headers.get("content-disposition") ?? "";
  if (!DISPOSITION.test(disposition)) throw malformed("a part has no valid form-data disposition");
  const parameters = new Map<string, string>();
  for (const [, name = "", inQuotes, bare] of disposition.matchAll(PARAMETER)) {
    if (parameters.has(name.toLowerCase())) throw malformed(`a part has two ${name} parameters`);
    parameters.set(name.toLowerCase(), inQuotes?.replace(/\\(["\\])/gu, "$1") ?? bare ?? "");
  }
  const name = parameters.get("name") ?? "";
  if (name === "") throw malformed("a part has no name");
  return { name, filename: parameters.get("filename") ?? parameters.get("filename*") ?? null };
}

/** The text of a small field. Throws WireRefusal when it is longer than `maxBytes` or not UTF-8. */
export async function fieldText(part: FormPart, maxBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of part.chunks) {
    length += chunk.length;
    if (length > maxBytes)
      throw new WireRefusal("invalid_field", `${part.name} must be <= ${maxBytes} bytes`);
    pieces.push(chunk);
  }
  return utf8(Buffer.concat(pieces, length), `the field ${part.name}`);
}

function utf8(bytes: Uint8Array, what: string): string {
  const text = exactTextOf(bytes);
  if (text === null) throw malformed(`${what} is not valid UTF-8`);
  return text;
}

function malformed(found: string): WireRefusal {
  return new WireRefusal("invalid_multipart", `the form is malformed: ${found}`);
}
