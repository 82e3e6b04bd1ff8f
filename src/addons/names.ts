import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/**
 * Names that become path segments. One allow-list for add-on ids, versions and file names: no separators, no NUL,
 * no leading dash or dot, no look-alikes, bounded length.
 */
const SAFE = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/u;

/** Names with a meaning of their own in the layout, and those that the original agent writes beside a binary. */
const RESERVED = new Set([
  "current",
  "versions",
  "state",
  "tmp",
  "lock",
  "artifact.bin",
  "artifact.tar.gz",
  "artifact.tar.zst",
  "assignments.json",
]);

/** Made only by `safeName` and `isSafeName`. */
export type SafeName = string & { readonly __safeName: unique symbol };

export function isSafeName(text: string): text is SafeName {
  // A trailing dot vanishes on some file systems, so that two names would be one.
  return SAFE.test(text) && !text.endsWith(".") && !RESERVED.has(text.toLowerCase());
}

/** A file of a bundle: as above, and the `@` of a systemd template. No dot first, so none of our own notes. */
export function isBundleName(text: string): boolean {
  return isSafeName(text.replaceAll("@", "_"));
}

/** The name, or a Failure `unsafe_path`, before anything is fetched or written. */
export function safeName(text: string, what: string): SafeName {
  if (isSafeName(text)) return text;
  const found = text === "" ? "is empty" : `is ${quoted(text, 140)}`;
  const why = RESERVED.has(text.toLowerCase()) ? ", which is reserved" : "";
  throw new Failure("unsafe_path", `${what} ${found}${why}; wanted ${SAFE_RULE}`, {
    hint: "names become folders on the host; rename it where it is assigned",
  });
}

const SAFE_RULE = "1 to 128 of A-Z a-z 0-9 . _ + -, with a letter or digit first and no dot last";

/** The file name that `binary_path` gives an add-on's executable: its last part; null when that is not safe. */
export function binaryNameOf(binaryPath: string): SafeName | null {
  const last = binaryPath.replace(/\/+$/u, "").split("/").at(-1) ?? "";
  return isSafeName(last) ? last : null;
}
