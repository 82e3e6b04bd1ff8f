import { sha256Of } from "../base/hashing.ts";
import type { Sha256 } from "../base/digest.ts";
import { bytesOf, type BytePath } from "./byte-path.ts";

/** The algorithm that a git repository names its objects with. */
export type ObjectFormat = "sha1" | "sha256";

export type FileContent = {
  readonly sha256: Sha256;
  /**
   * Writes what the line of a file has behind the name in the tree hash, where that lies in memory, and gives where it
   * ends.
   */
  readonly writeLineEnd?: (into: Uint8Array, at: number) => number;
  /** The id of the content as a git blob, or null when nobody asked for it. */
  readonly blob: Uint8Array | null;
  /** Writes that id, where one was asked for, and gives where it ends. */
  readonly writeBlob?: (into: Uint8Array, at: number) => number;
  readonly size: number;
  readonly executable: boolean;
};

/** What git hashes before the content of a blob. */
export function blobWords(size: number): string {
  return `blob ${size}\0`;
}

/** A link's content is the path that it points to. */
export function linkContent(target: BytePath, format: ObjectFormat | null): FileContent {
  const bytes = bytesOf(target);
  const blob =
    format === null
      ? null
      : new Bun.CryptoHasher(format).update(blobWords(bytes.length)).update(bytes).digest();
  return { sha256: sha256Of(bytes), blob, size: bytes.length, executable: false };
}
