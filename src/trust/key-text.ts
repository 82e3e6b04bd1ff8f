import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { textOf, toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { readBounded, readInto, reason } from "../host/files.ts";
import { readInheritedDescriptor } from "../host/inherited-descriptor.ts";
import { KEY_BYTES } from "./ed25519.ts";

const PRIVATE_MODE = 0o600;

/** Where a key is read from: a file, a descriptor that the caller opened, or text that was in a variable. */
export type KeySource =
  | { readonly file: string }
  | { readonly descriptor: number }
  /** `from` names the variable in messages. */
  | { readonly text: string; readonly from: string };

export type KeyText = {
  readonly text: string;
  /** How messages call it. */
  readonly from: string;
  /** The refusal that applies if it is private: others may read the file, or it belongs to somebody else. */
  readonly exposed: Failure | null;
};

/** The text of a key, whatever kind it is of. Throws Failure `file_unreadable`, `input_invalid` or `key_invalid`. */
export function readKeyText(source: KeySource): KeyText {
  if ("text" in source) return { ...source, exposed: null };
  if ("file" in source) return readKeyFile(source.file);
  const from =
    source.descriptor === 0 ? "the key on standard input" : `the key on descriptor ${source.descriptor}`;
  const bytes = readInheritedDescriptor(source.descriptor, LIMITS.keyFileBytes, from);
  return { text: keyTextOf(bytes, from), from, exposed: null };
}

/** Mode and text are of the same open file. */
function readKeyFile(file: string): KeyText {
  const from = `key file ${quoted(file)}`;
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new Failure("file_unreadable", `${from} cannot be read: ${reason(error)}`, { cause: error });
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new Failure("file_unreadable", `${from} is not a regular file`);
    const buffer = new Uint8Array(LIMITS.keyFileBytes + 1);
    const length = readInto(descriptor, 0, buffer);
    if (length > LIMITS.keyFileBytes)
      throw new Failure("key_invalid", `${from} has more than ${LIMITS.keyFileBytes} bytes`);
    return { text: keyTextOf(buffer.subarray(0, length), from), from, exposed: exposureOf(status, file) };
  } finally {
    closeSync(descriptor);
  }
}

/** The bytes of a key without any encoding become hex, which says the same. */
function keyTextOf(bytes: Uint8Array, from: string): string {
  const bare = bytes.length === KEY_BYTES || bytes.length === 2 * KEY_BYTES;
  if (bare && bytes.some((byte) => byte < 9 || byte > 126)) return toHex(bytes);
  const text = textOf(bytes);
  if (text !== null) return text;
  throw new Failure("key_invalid", `${from} is ${bytes.length} bytes and no text`, {
    hint: "write the key as PEM, hex or base64",
  });
}

/** As ssh does: a private key that another user may read, or could have put there, is not used. */
function exposureOf(status: Stats, file: string): Failure | null {
  // Windows keeps neither in these fields.
  if (process.platform === "win32") return null;
  const from = `key file ${quoted(file)}`;
  const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
  if ((status.mode & 0o777 & ~PRIVATE_MODE) !== 0)
    return new Failure("key_permissions", `${from} has mode ${mode}; a private key may have at most 0600`, {
      hint: `chmod 600 ${quoted(file)}`,
    });
  const user = process.geteuid?.();
  if (user !== undefined && status.uid !== user)
    return new Failure("key_permissions", `${from} belongs to user ${status.uid}; this is user ${user}`, {
      hint: `chown ${user} ${quoted(file)} && chmod 600 ${quoted(file)}`,
    });
  return null;
}

/** A passphrase lies in a file or comes through a descriptor: its one line, without the line break. */
export type PassphraseSource = { readonly file: string } | { readonly descriptor: number };

export function readPassphrase(source: PassphraseSource): Uint8Array {
  const what = "passphrase file";
  if ("file" in source)
    return onlyLine(readBounded(source.file, LIMITS.secretBytes, what), `${what} ${quoted(source.file)}`);
  const from = `the passphrase on descriptor ${source.descriptor}`;
  return onlyLine(readInheritedDescriptor(source.descriptor, LIMITS.secretBytes, from), from);
}

function onlyLine(bytes: Uint8Array, from: string): Uint8Array {
  const line = Buffer.from(bytes)
    .toString("latin1")
    .replace(/\r?\n$/u, "");
  if (line === "") throw new Failure("input_invalid", `${from} is empty`);
  // OpenSSL takes only the first line, so a longer passphrase would open the key here and nowhere else.
  if (/[\r\n]/u.test(line)) throw new Failure("input_invalid", `${from} has more than one line; wanted one`);
  return new Uint8Array(Buffer.from(line, "latin1"));
}
