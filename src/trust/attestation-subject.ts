import { basename } from "node:path";
import { hexOf, isImageDigest, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { Hasher } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { ArtifactFile } from "./artifact-file.ts";

/** The artifact that an attestation is about. */
export type ArtifactSubject = {
  readonly sha256: Sha256;
  /** The name of the file without its folders; null for a digest, which has none. */
  readonly name: string | null;
  readonly file: string | null;
};

/**
 * A value of `FILE|sha256:HEX`; a file is hashed. Throws Failure `invalid_value`, `path_not_found`,
 * `file_unreadable`.
 */
export async function readSubject(value: string, flag: string, stop: AbortSignal): Promise<ArtifactSubject> {
  if (value.startsWith("sha256:")) {
    if (isImageDigest(value)) return { sha256: hexOf(value), name: null, file: null };
    throw new Failure(
      "invalid_value",
      `${flag} is ${quoted(value)}; wanted a file or sha256:<64 lower-case hex>`,
    );
  }
  return { sha256: await digestOf(value, stop), name: basename(value), file: value };
}

async function digestOf(path: string, stop: AbortSignal): Promise<Sha256> {
  const file = new ArtifactFile(path);
  try {
    const hasher = new Hasher();
    for await (const chunk of file.chunks(stop)) hasher.update(chunk);
    return hasher.digest();
  } finally {
    file.close();
  }
}
