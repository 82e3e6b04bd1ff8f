import { lstatSync, rmSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, PendingFile, whyUnwritten } from "../host/files.ts";
import { randomBytes } from "../host/random.ts";
import { spkiPem } from "./key-forms.ts";
import { privateForm } from "./key-conversion.ts";
import type { KeyText } from "./key-text.ts";
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
  // Derived before a name is taken: nothing may come between the two files.
  const text = privateForm(key, "pkcs8", randomBytes, passphrase);
  const publicFile = `${file}.pub`;
  writeNewFiles([
    { path: file, content: text, mode: PRIVATE_MODE },
    { path: publicFile, content: spkiPem(key.publicKey), mode: PUBLIC_MODE },
  ]);
  return { file, publicFile, publicKey: key.publicKey };
}

/** One new file, with the mode that its secrecy asks for. Throws Failure `file_exists` or `output_not_written`. */
export function writeKeyFile(path: string, content: string, secrecy: "private" | "public"): void {
  writeNewFiles([{ path, content, mode: secrecy === "private" ? PRIVATE_MODE : PUBLIC_MODE }]);
}

/** New files for everybody to read, all of them or none. Throws as `writeKeyFile`. */
export function writePublicFiles(
  files: readonly { readonly path: string; readonly content: string }[],
): void {
  writeNewFiles(files.map((file) => ({ ...file, mode: PUBLIC_MODE })));
}

type NewFile = { readonly path: string; readonly content: string; readonly mode: number };

/** All of them or none; each is whole or not there, also when we are killed. */
function writeNewFiles(files: readonly NewFile[]): void {
  const made: string[] = [];
  let current = "";
  try {
    for (const file of files) {
      current = file.path;
      writeNew(file);
      made.push(current);
    }
  } catch (error) {
    for (const path of made) rmSync(path, { force: true });
    if (error instanceof Failure) throw error;
    throw new Failure(
      "output_not_written",
      `the key ${quoted(current)} cannot be written: ${whyUnwritten(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** Never through a link that somebody put there, never over a key that is in use. */
function writeNew({ path, content, mode }: NewFile): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw taken(path);
  const pending = new PendingFile(path, mode);
  try {
    pending.write(new TextEncoder().encode(content));
    pending.commitNew();
  } catch (error) {
    if (pending.isCommitted) rmSync(path, { force: true });
    throw errorCode(error) === "EEXIST" ? taken(path) : error;
  } finally {
    pending.discard();
  }
}

function taken(path: string): Failure {
  return new Failure("file_exists", `${quoted(path)} exists and is not overwritten`, {
    hint: "choose another --out, or move the old key away",
  });
}

/** Throws Failure: `key_invalid`, `key_weak`, `key_permissions` when others may read the file. */
export function signingKeyOf(read: KeyText, passphrase?: Uint8Array): SigningKey {
  const { text, from, exposed } = read;
  if (exposed !== null && (isPrivateKeyText(text) || isBareKeyText(text))) throw exposed;
  // What is no private key is refused as such: `chmod 600` would not help a public one.
  const key = parseSigningKey(text, from, passphrase);
  if (exposed !== null) throw exposed;
  return key;
}

export type ShownKey =
  | { readonly kind: "public"; readonly publicKey: PublicKey }
  | { readonly kind: "private"; readonly publicKey: PublicKey; readonly signingKey: SigningKey };

/** The key of either kind in a text. `seed` says that 32 bare bytes are a private seed. Throws as `signingKeyOf`. */
export function inspectKey(read: KeyText, seed: boolean, passphrase?: Uint8Array): ShownKey {
  const { text, from, exposed } = read;
  if (seed || isPrivateKeyText(text)) {
    if (exposed !== null) throw exposed;
    const signingKey = parseSigningKey(text, from, passphrase);
    return { kind: "private", publicKey: signingKey.publicKey, signingKey };
  }
  // A seed that was taken for a public key would be printed. One that others can read was refused as a seed anyway.
  if (isBareKeyText(text) && exposed === null)
    throw new Failure("key_invalid", `${from} holds 32 bytes, a public key or a private seed`, {
      hint: "say --seed when it is a seed; a file with a public key may be read by others: chmod 644",
    });
  return { kind: "public", publicKey: parsePublicKey(text, from) };
}
