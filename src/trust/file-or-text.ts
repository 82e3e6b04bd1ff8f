import { statSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, readBounded, statusAt } from "../host/files.ts";
import {
  formatOf,
  parseDetachedSignature,
  type DetachedSignature,
  type SignatureFormat,
} from "./detached-signature.ts";
import { KEY_BYTES } from "./ed25519.ts";
import { parsePublicKey, publicKeyFromBytes, type PublicKey } from "./public-key.ts";

/** Values of flags that are `FILE|TEXT`: an existing file is a file; else the value is the text itself. */

/** A public key from a flag. Throws Failure with a usage code. */
export function publicKeyArgument(value: string, flag: string): PublicKey {
  if (isFile(value)) {
    refuseFileOfKeyName(value, flag);
    const name = `${flag} ${quoted(value)}`;
    const bytes = readBounded(value, LIMITS.keyFileBytes, flag, "key_invalid");
    // 32 bytes without any encoding are a key as well; as text they would be nonsense.
    const bare = bytes.length === KEY_BYTES && bytes.some((byte) => byte < 9 || byte > 126);
    return bare ? publicKeyFromBytes(bytes, name) : parsePublicKey(new TextDecoder().decode(bytes), name);
  }
  if (looksLikePath(value)) throw noSuchFile(value, flag, "an Ed25519 public key");
  return parsePublicKey(value, `the value of ${flag}`);
}

/**
 * A detached signature from a flag; without `format` it is found out. What is in a file is evidence, so a malformed
 * one comes back as a refusal; a text that is none is a wrong argument and throws Failure `invalid_value`.
 */
export function signatureArgument(
  value: string,
  flag: string,
  format: SignatureFormat | undefined,
): DetachedSignature | Failure {
  const file = isFile(value);
  if (!file && looksLikePath(value)) throw noSuchFile(value, flag, "a signature");
  if (file && isTooLarge(value)) return tooLarge(value, flag);
  const input = file ? readBounded(value, LIMITS.keyFileBytes, flag) : new TextEncoder().encode(value);
  const from = file ? `${flag} ${quoted(value)}` : `the value of ${flag}`;
  try {
    return parseDetachedSignature(input, format ?? formatOf(input), from);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (file || error.code === "signature_unsupported") return error;
    throw new Failure("invalid_value", error.message, {
      hint: "it names no existing file, so it was read as text",
    });
  }
}

/**
 * A key on the command line is public, so whoever can put files into the current folder (a checkout, an unpacked
 * archive) could name a file like it and put another key there.
 */
function refuseFileOfKeyName(value: string, flag: string): void {
  if (!isKeyText(value)) return;
  throw new Failure("invalid_value", `${flag} is a public key as text, and a file of that very name exists`, {
    hint: "remove the file, or run in another folder; a file that is meant is named with its path: ./FILE",
  });
}

function isKeyText(value: string): boolean {
  try {
    parsePublicKey(value, "the value");
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** True for anything that exists: a directory is then refused by name, and not taken for a text. */
function isFile(value: string): boolean {
  try {
    statSync(value);
    return true;
  } catch (error) {
    // A PEM text is too long for a name, or has a "/" behind something that is no folder.
    return !["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(errorCode(error));
  }
}

/** A folder is no evidence at all, whatever size it has. */
function isTooLarge(path: string): boolean {
  const status = statusAt(path);
  return status?.isFile() === true && status.size > LIMITS.keyFileBytes;
}

function tooLarge(path: string, flag: string): Failure {
  return new Failure(
    "evidence_too_large",
    `${flag} ${quoted(path)} has ${statusAt(path)?.size} bytes; a signature has at most ${LIMITS.keyFileBytes}`,
  );
}

/** A dot is in no hex and no base64, so such a value can be shown: it is a name with a spelling mistake. */
function looksLikePath(value: string): boolean {
  return /^[^\n]{0,120}\.[\w-]{1,12}$/u.test(value) && !/\s/u.test(value);
}

function noSuchFile(value: string, flag: string, wanted: string): Failure {
  return new Failure("invalid_value", `${flag} is ${quoted(value)}, which does not exist`, {
    hint: `pass a file, or ${wanted} as text`,
  });
}
