import { createHash } from "node:crypto";

/** Little-endian load commands behind a header of 32 bytes; the blobs of a code signature are big-endian. */
const HEADER_BYTES = 32;
const MAGIC_64 = 0xfeedfacf;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;

const MAGIC_SIGNATURE = 0xfade0cc0;
const MAGIC_CODE_DIRECTORY = 0xfade0c02;
/** The first version that says where the code itself lies, which the kernel asks of a main executable. */
const DIRECTORY_VERSION = 0x20400;
const DIRECTORY_BYTES = 88;
const SIGNATURE_HEADER_BYTES = 20;
/** Ad hoc: nobody vouches for it. Made by a linker: `codesign` puts another in its place without being asked twice. */
const FLAGS = 0x20002;
const MAIN_BINARY = 1;
const SHA256 = { type: 2, bytes: 32 };
const PAGE = { bits: 12, bytes: 4096 };
/** Segments are mapped in pages of 16 KiB, on processors of either kind. */
const SEGMENT_ALIGNMENT = 0x4000n;

type Segment = {
  /** Where its load command begins. */
  readonly at: number;
  readonly offset: number;
  readonly size: number;
};
type Layout = {
  readonly text: Segment;
  readonly linkedit: Segment;
  /** Where the load command of the signature begins, and where the signature itself does. */
  readonly signatureCommand: number;
  readonly signature: number;
};

function layoutOf(file: Buffer): Layout {
  if (file.length < HEADER_BYTES || file.readUInt32LE(0) !== MAGIC_64)
    throw new Error("this is no 64-bit Mach-O file");
  const segments = new Map<string, Segment>();
  let signatureCommand: number | null = null;
  let at = HEADER_BYTES;
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    const command = file.readUInt32LE(at);
    if (command === LC_SEGMENT_64) {
      const name = file.toString("latin1", at + 8, at + 24).replace(/\0+$/u, "");
      const offset = Number(file.readBigUInt64LE(at + 40));
      segments.set(name, { at, offset, size: Number(file.readBigUInt64LE(at + 48)) });
    } else if (command === LC_CODE_SIGNATURE) signatureCommand = at;
    at += file.readUInt32LE(at + 4);
  }
  const [text, linkedit] = [segments.get("__TEXT"), segments.get("__LINKEDIT")];
  if (text === undefined || linkedit === undefined || signatureCommand === null)
    throw new Error("it has no __TEXT, no __LINKEDIT or no code signature to replace");
  const signature = file.readUInt32LE(signatureCommand + 8);
  const end = signature + file.readUInt32LE(signatureCommand + 12);
  if (end !== file.length || linkedit.offset + linkedit.size !== end)
    throw new Error("the code signature is not the last thing in the file");
  return { text, linkedit, signatureCommand, signature };
}

/**
 * The same executable under an ad hoc signature of all that it holds now. `bun build --compile` writes the program into
 * the file; for arm64 it signs again, for x64 it leaves the signature of the bare runtime, whose hashes no longer fit.
 */
export function signAdHoc(executable: Buffer, identifier: string): Buffer {
  const { text, linkedit, signatureCommand, signature } = layoutOf(executable);
  const pages = Math.ceil(signature / PAGE.bytes);
  const name = Buffer.from(`${identifier}\0`, "utf8");
  const hashes = DIRECTORY_BYTES + name.length;
  const directoryBytes = hashes + pages * SHA256.bytes;
  const signatureBytes = SIGNATURE_HEADER_BYTES + directoryBytes;

  const file = Buffer.alloc(signature + signatureBytes);
  executable.copy(file, 0, 0, signature);
  // The header is in the first page, which is hashed below: it has to be as it will be.
  const linkeditBytes = BigInt(file.length - linkedit.offset);
  if (linkeditBytes > file.readBigUInt64LE(linkedit.at + 32)) {
    const mapped = ((linkeditBytes + SEGMENT_ALIGNMENT - 1n) / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
    file.writeBigUInt64LE(mapped, linkedit.at + 32);
  }
  file.writeBigUInt64LE(linkeditBytes, linkedit.at + 48);
  file.writeUInt32LE(signatureBytes, signatureCommand + 12);

  const blob = file.subarray(signature);
  // One entry: the code directory, in slot 0.
  [MAGIC_SIGNATURE, signatureBytes, 1, 0, SIGNATURE_HEADER_BYTES].forEach((word, index) => {
    blob.writeUInt32BE(word, index * 4);
  });
  const directory = blob.subarray(SIGNATURE_HEADER_BYTES);
  [
    MAGIC_CODE_DIRECTORY,
    directoryBytes,
    DIRECTORY_VERSION,
    FLAGS,
    hashes,
    DIRECTORY_BYTES,
    0,
    pages,
    signature,
  ].forEach((word, index) => {
    directory.writeUInt32BE(word, index * 4);
  });
  directory.set([SHA256.bytes, SHA256.type, 0, PAGE.bits], 36);
  directory.writeBigUInt64BE(BigInt(text.offset), 64);
  directory.writeBigUInt64BE(BigInt(text.size), 72);
  directory.writeBigUInt64BE(BigInt(MAIN_BINARY), 80);
  name.copy(directory, DIRECTORY_BYTES);
  for (let page = 0; page < pages; page++) {
    const bytes = file.subarray(page * PAGE.bytes, Math.min((page + 1) * PAGE.bytes, signature));
    createHash("sha256")
      .update(bytes)
      .digest()
      .copy(directory, hashes + page * SHA256.bytes);
  }
  return file;
}
