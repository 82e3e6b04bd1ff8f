import { Failure } from "../base/failure.ts";
import { Hasher } from "../base/hashing.ts";
import { throwIfStopped } from "../base/interruption.ts";
import { LIMITS } from "../base/limits.ts";
import { printable, quoted } from "../base/printable.ts";
import { compressionOf } from "./archive.ts";
import { shownText, type BytePath } from "./byte-path.ts";
import { blobWords, linkContent, type ObjectFormat } from "./contents.ts";
import type { TreeItem } from "./tree-digests.ts";
import type { FoundSource } from "./verify-source.ts";
import {
  archiveFailure,
  BLOCK,
  decodeHeader,
  joinedOverrides,
  paxOverrides,
  type Overrides,
  type TarEntry,
  type TarExtension,
} from "./tar-reading.ts";

/**
 * The tree in an archive, read once from start to end and never unpacked. Throws Failure `archive_malformed` for one
 * that is damaged, cut short, or says two things about one path, and `evidence_too_large`.
 */
export async function readArchiveSource(
  path: string,
  format: ObjectFormat | null,
  stop: AbortSignal,
): Promise<FoundSource> {
  const bytes = new Unpacked(unpacked(path), path, stop);
  const items = new Map<BytePath, TreeItem | null>();
  let overrides: Overrides = {};
  for (;;) {
    const block = await bytes.take(BLOCK);
    if (block.every((byte) => byte === 0)) break;
    const header = decodeHeader(block, overrides);
    if (!("path" in header)) {
      const content = await bytes.content(header.size);
      overrides = joinedOverrides(overrides, overridesIn(header.kind, content));
      continue;
    }
    overrides = {};
    const item = await readMember(header, bytes, format, items);
    if (header.path === "") continue;
    // The last one would win when it is unpacked, and another one where somebody lists it.
    if (items.has(header.path)) throw archiveFailure(`has ${quoted(shownText(header.path))} twice`);
    items.set(header.path, item);
    if (items.size > LIMITS.archiveMembers)
      throw new Failure(
        "evidence_too_large",
        `archive ${quoted(path)} has more than ${LIMITS.archiveMembers} members`,
      );
  }
  const tarSha256 = await bytes.end();
  const found = [...items.values()].filter((item) => item !== null);
  refuseBelowFiles(items.keys(), found);
  // One character a byte: the order of the tree hash.
  return { items: found.sort((a, b) => (a.path < b.path ? -1 : 1)), tarSha256 };
}

function overridesIn(kind: TarExtension["kind"], content: Uint8Array): Overrides {
  if (kind === "pax") return { ...paxOverrides(content, false), pax: true };
  if (kind === "pax_global") return paxOverrides(content, true);
  return { [kind === "long_name" ? "path" : "linkpath"]: withoutNul(content) };
}

async function readMember(
  header: TarEntry,
  bytes: Unpacked,
  format: ObjectFormat | null,
  before: ReadonlyMap<BytePath, TreeItem | null>,
): Promise<TreeItem | null> {
  const { kind, path, size, executable, target } = header;
  if (kind === "directory") return null;
  if (kind === "hard_link") return linked(path, target, before);
  if (kind === "symlink") return { path, kind, content: linkContent(target, format) };
  const hasher = new Hasher();
  const blob = format === null ? null : new Bun.CryptoHasher(format).update(blobWords(size));
  await bytes.pass(size, (chunk) => {
    hasher.update(chunk);
    blob?.update(chunk);
  });
  return { path, kind, content: { sha256: hasher.digest(), blob: blob?.digest() ?? null, size, executable } };
}

/** Another name of a member that came before: tar keeps the content of files with several names once. */
function linked(path: BytePath, target: BytePath, before: ReadonlyMap<BytePath, TreeItem | null>): TreeItem {
  const first = before.get(target);
  if (first !== null && first !== undefined) return { ...first, path };
  throw archiveFailure(
    `has ${quoted(shownText(path))}, a hard link to ${quoted(shownText(target))}, which is no file before it`,
  );
}

/** `a` as a link and `a/b` as a file are no tree: who unpacks them writes where the link leads. */
function refuseBelowFiles(paths: Iterable<BytePath>, items: readonly TreeItem[]): void {
  const leaves = new Set<string>(items.map(({ path }) => path));
  for (const path of paths) {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      if (!leaves.has(path.slice(0, slash))) continue;
      throw archiveFailure(`has ${quoted(shownText(path))} below what is no folder`);
    }
  }
}

function withoutNul(content: Uint8Array): Uint8Array {
  const end = content.indexOf(0);
  return end === -1 ? content : content.subarray(0, end);
}

function unpacked(path: string): ReadableStream<Uint8Array> {
  const stream: ReadableStream<Uint8Array<ArrayBuffer>> = Bun.file(path).stream();
  const compression = compressionOf(path);
  if (compression === null)
    throw new Failure("invalid_value", `${quoted(path)} is no archive by its name`, {
      hint: "wanted a folder, or a name that ends in .tar, .tar.gz or .tar.zst",
    });
  // Both fail at a missing end, which node:zlib's zstd does not.
  return compression === "none" ? stream : stream.pipeThrough(new DecompressionStream(compression));
}

/** The bytes of a tar in pieces of any size, counted and hashed as they come. */
class Unpacked {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #path: string;
  readonly #stop: AbortSignal;
  readonly #hasher = new Hasher();
  #piece: Uint8Array = new Uint8Array();
  #total = 0;

  constructor(stream: ReadableStream<Uint8Array>, path: string, stop: AbortSignal) {
    this.#source = stream[Symbol.asyncIterator]();
    this.#path = path;
    this.#stop = stop;
  }

  async take(size: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    await this.#forward(size, (chunk) => parts.push(chunk));
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : new Uint8Array(Buffer.concat(parts));
  }

  /** The content of an extended header, and the padding after it: GNU tar reads a name on into it, up to a NUL. */
  async content(size: number): Promise<Uint8Array> {
    const content = await this.take(size);
    const rest = await this.take(padding(size));
    if (rest.some((byte) => byte !== 0))
      throw archiveFailure("has an extended header with something behind it");
    return content;
  }

  async pass(size: number, sink: (chunk: Uint8Array) => void): Promise<void> {
    await this.#forward(size, sink);
    await this.take(padding(size));
  }

  /** After the first zero block: one more, then nothing but zeros. The digest is of everything. */
  async end(): Promise<string> {
    if ((await this.take(BLOCK)).some((byte) => byte !== 0)) throw archiveFailure("ends with one zero block");
    do {
      if (this.#piece.some((byte) => byte !== 0)) throw archiveFailure("has something after its end");
      this.#piece = new Uint8Array();
    } while (await this.#more());
    return this.#hasher.digest();
  }

  async #forward(size: number, sink: (chunk: Uint8Array) => void): Promise<void> {
    let left = size;
    while (left > 0) {
      if (this.#piece.length === 0 && !(await this.#more())) throw archiveFailure("is cut short");
      const chunk = this.#piece.subarray(0, left);
      this.#piece = this.#piece.subarray(chunk.length);
      left -= chunk.length;
      sink(chunk);
    }
  }

  async #more(): Promise<boolean> {
    throwIfStopped(this.#stop, `reading ${quoted(this.#path)}`);
    let next: IteratorResult<Uint8Array>;
    try {
      next = await this.#source.next();
    } catch (error) {
      throw archiveFailure(
        `${quoted(this.#path)} cannot be unpacked: ${printable(error instanceof Error ? error.message : String(error))}`,
      );
    }
    if (next.done === true) return false;
    this.#total += next.value.length;
    if (this.#total > LIMITS.unpackedArchiveBytes)
      throw new Failure(
        "evidence_too_large",
        `archive ${quoted(this.#path)} has more than ${LIMITS.unpackedArchiveBytes} bytes unpacked`,
      );
    this.#hasher.update(next.value);
    this.#piece = next.value;
    return next.value.length > 0 ? true : this.#more();
  }
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
