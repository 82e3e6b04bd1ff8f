import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, readBounded, reason, statusAt } from "../host/files.ts";
import { parseAllowedSigners } from "./allowed-signers.ts";
import { shownKeyNumber } from "./key-forms.ts";
import { writePublicFiles } from "./key-file.ts";
import { publicForm } from "./key-conversion.ts";
import { keyNumberOf, parsePublicKey, type PublicKey } from "./public-key.ts";
import { isKeyName } from "./trust-root.ts";
import type { TrustedKey } from "./trusted-key.ts";

/** Public keys as other tools keep them: folders of PEM or `.pub` files, one file, or allowed signers. */

type ImportedKey = Pick<TrustedKey, "name" | "key" | "namespaces" | "validFrom" | "validUntil">;
export type Import = { readonly keys: readonly ImportedKey[]; readonly skipped: readonly string[] };

const SUFFIX = /\.(?:pem|pub|key\.pub)$/u;

/** Every key in a file or folder. Throws Failure `file_unreadable`, `key_invalid`, `key_weak`. */
export function importPublicKeys(path: string): Import {
  if (statusAt(path)?.isDirectory() !== true) return { keys: [readKey(path)], skipped: [] };
  const names = listFolder(path).toSorted();
  if (names.length > LIMITS.trustedKeys)
    throw new Failure("input_invalid", `${quoted(path)} has more than ${LIMITS.trustedKeys} entries`);
  const taken = names.filter((name) => SUFFIX.test(name) && statusAt(join(path, name))?.isFile() === true);
  return {
    keys: taken.map((name) => readKey(join(path, name))),
    skipped: names
      .filter((name) => !taken.includes(name))
      .map((name) => `${quoted(name)} is no .pem or .pub file`),
  };
}

/** Every Ed25519 key of a file of allowed signers. Throws Failure `file_unreadable` or `trust_root_invalid`. */
export function importAllowedSigners(path: string): Import {
  const bytes = readBounded(path, LIMITS.allowedSignersBytes, "allowed signers");
  const { keys, skipped } = parseAllowedSigners(
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
    `allowed signers ${quoted(path)}`,
  );
  // Not the whole entry: what the keys are trusted with is for the importer to say.
  const imported = keys.map(({ name, key, namespaces, validFrom, validUntil }) => ({
    name: nameFor(name, key),
    key,
    namespaces,
    validFrom,
    validUntil,
  }));
  return { keys: imported, skipped };
}

/** One file for each key in an existing folder: all of them, or none when one is there already. The paths. */
export function exportKeys(
  folder: string,
  keys: readonly TrustedKey[],
  form: "spki" | "minisign",
): readonly string[] {
  const suffix = form === "spki" ? "pem" : "pub";
  const files = keys.map(({ name, key }) => ({
    path: join(folder, `${name}.${suffix}`),
    content: publicForm(key, form),
  }));
  writePublicFiles(files);
  return files.map(({ path }) => path);
}

function readKey(path: string): ImportedKey {
  const text = new TextDecoder().decode(readBounded(path, LIMITS.keyFileBytes, "key file"));
  const key = parsePublicKey(text, `key file ${quoted(path)}`);
  const name = nameFor(basename(path).replace(SUFFIX, ""), key);
  return { name, key, namespaces: null, validFrom: null, validUntil: null };
}

/** A list of principals or an odd file name is no name of a key: then its number is. */
function nameFor(found: string, key: PublicKey): string {
  return isKeyName(found) ? found : `key-${shownKeyNumber(keyNumberOf(key)).toLowerCase()}`;
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    const code = errorCode(error) === "ENOENT" ? "path_not_found" : "file_unreadable";
    throw new Failure(code, `folder ${quoted(path)} cannot be read: ${reason(error)}`, { cause: error });
  }
}
