import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  rmSync,
  type Stats,
} from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, fsyncDirectory, readBounded, reason, writeAll } from "../host/files.ts";
import { encodePkcs8 } from "./key-der.ts";
import { spkiPem } from "./key-forms.ts";
import { encryptPkcs8, IV_BYTES, SALT_BYTES } from "./pbes2.ts";
import { pem } from "./pem.ts";
import { parsePublicKey, type PublicKey } from "./public-key.ts";
import { isBareKeyText, isPrivateKeyText, parseSigningKey, SigningKey } from "./signing-key.ts";

const PRIVATE_MODE = 0o600;
const PUBLIC_MODE = 0o644;

export type NewKey = { readonly file: string; readonly publicFile: string; readonly publicKey: PublicKey };

/**
 * Makes a key: the private half in `file` (PKCS#8 PEM, mode 0600), the public half in `file.pub` (SPKI PEM, 0644).
 * Both names must be free, else Failure `file_exists`; a failed run leaves neither.
 */
export function createKeyFile(file: string, passphrase?: Uint8Array): NewKey {
  const key = new SigningKey(randomBytes(32), "the new key");
  const bytes = encodePkcs8(key.seed());
  // Derived before a name is taken: nothing may come between the two files.
  const text =
    passphrase === undefined
      ? pem("PRIVATE KEY", bytes)
      : pem(
          "ENCRYPTED PRIVATE KEY",
          encryptPkcs8(bytes, passphrase, randomBytes(SALT_BYTES), randomBytes(IV_BYTES)),
        );
  const publicFile = `${file}.pub`;
  const made: string[] = [];
  try {
    writeNew(file, text, PRIVATE_MODE, made);
    writeNew(publicFile, spkiPem(key.publicKey), PUBLIC_MODE, made);
    fsyncDirectory(dirname(file));
  } catch (error) {
    for (const path of made) rmSync(path, { force: true });
    throw error instanceof Failure
      ? error
      : new Failure("output_not_written", `the key ${quoted(file)} cannot be written: ${reason(error)}`, {
          cause: error,
        });
  }
  return { file, publicFile, publicKey: key.publicKey };
}

/** O_EXCL: never through a link that somebody put there, never over a key that is in use. */
function writeNew(path: string, text: string, mode: number, made: string[]): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, PRIVATE_MODE);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    throw new Failure("file_exists", `${quoted(path)} exists and is not overwritten`, {
      hint: "choose another --out, or move the old key away",
    });
  }
  made.push(path);
  try {
    // The umask may have taken bits away or, for the public half, must not decide.
    fchmodSync(descriptor, mode);
    writeAll(descriptor, new TextEncoder().encode(text));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A private key lies in a file, or its text was in a variable; `from` names that one in messages. */
export type SigningKeySource = { readonly file: string } | { readonly text: string; readonly from: string };

/** Throws Failure: `key_invalid`, `key_weak`, `key_permissions` when others may read the file. */
export function loadSigningKey(source: SigningKeySource, passphrase?: Uint8Array): SigningKey {
  if ("text" in source) return parseSigningKey(source.text, source.from, passphrase);
  const { text, exposed } = readKeyFile(source.file);
  if (exposed !== null && (isPrivateKeyText(text) || isBareKeyText(text))) throw exposed;
  // What is no private key is refused as such: `chmod 600` would not help a public one.
  const key = parseSigningKey(text, nameOf(source.file), passphrase);
  if (exposed !== null) throw exposed;
  return key;
}

export type ShownKey = { readonly kind: "public" | "private"; readonly publicKey: PublicKey };

/** The public key in a file of either kind. `seed` says that 32 bare bytes are a private seed. */
export function inspectKeyFile(file: string, seed: boolean, passphrase?: Uint8Array): ShownKey {
  const { text, exposed } = readKeyFile(file);
  if (seed || isPrivateKeyText(text)) {
    if (exposed !== null) throw exposed;
    return { kind: "private", publicKey: parseSigningKey(text, nameOf(file), passphrase).publicKey };
  }
  // A seed that was taken for a public key would be printed. One that others can read was refused as a seed anyway.
  if (isBareKeyText(text) && exposed === null)
    throw new Failure("key_invalid", `${nameOf(file)} holds 32 bytes, a public key or a private seed`, {
      hint: `say --seed when it is a seed; a public key may be read by others: chmod 644 ${quoted(file)}`,
    });
  return { kind: "public", publicKey: parsePublicKey(text, nameOf(file)) };
}

/** The passphrase in a file: its one line, without the line break. */
export function readPassphrase(file: string): Uint8Array {
  const bytes = readBounded(file, LIMITS.secretBytes, "passphrase file");
  const line = Buffer.from(bytes)
    .toString("latin1")
    .replace(/\r?\n$/u, "");
  if (line === "") throw new Failure("input_invalid", `passphrase file ${quoted(file)} is empty`);
  // OpenSSL takes only the first line, so a longer passphrase would open the key here and nowhere else.
  if (/[\r\n]/u.test(line))
    throw new Failure("input_invalid", `passphrase file ${quoted(file)} has more than one line; wanted one`);
  return new Uint8Array(Buffer.from(line, "latin1"));
}

function nameOf(file: string): string {
  return `key file ${quoted(file)}`;
}

/** The text of a key file, and the refusal that applies if it is private. Mode and text are of the same open file. */
function readKeyFile(file: string): { readonly text: string; readonly exposed: Failure | null } {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new Failure("file_unreadable", `${nameOf(file)} cannot be read: ${reason(error)}`, {
      cause: error,
    });
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new Failure("file_unreadable", `${nameOf(file)} is not a regular file`);
    const buffer = new Uint8Array(LIMITS.keyFileBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (length > LIMITS.keyFileBytes)
      throw new Failure("key_invalid", `${nameOf(file)} has more than ${LIMITS.keyFileBytes} bytes`);
    return { text: textOf(buffer.subarray(0, length), file), exposed: exposureOf(status, file) };
  } finally {
    closeSync(descriptor);
  }
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Failure("key_invalid", `${nameOf(file)} is ${bytes.length} bytes and no text`, {
      hint: "write the key as PEM, hex or base64",
    });
  }
}

/** As ssh does: a private key that another user may read, or could have put there, is not used. */
function exposureOf(status: Stats, file: string): Failure | null {
  // Windows keeps neither in these fields.
  if (process.platform === "win32") return null;
  const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
  if ((status.mode & 0o777 & ~PRIVATE_MODE) !== 0)
    return new Failure(
      "key_permissions",
      `${nameOf(file)} has mode ${mode}; a private key may have at most 0600`,
      {
        hint: `chmod 600 ${quoted(file)}`,
      },
    );
  const user = process.geteuid?.();
  if (user !== undefined && status.uid !== user)
    return new Failure(
      "key_permissions",
      `${nameOf(file)} belongs to user ${status.uid}; this is user ${user}`,
      {
        hint: `chown ${user} ${quoted(file)} && chmod 600 ${quoted(file)}`,
      },
    );
  return null;
}
