import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/**
 * The segments of an object key. One rule for every store: a key names an object below the store's own place and
 * nothing else. Throws Failure `unsafe_path`.
 */
export function keySegments(key: string): string[] {
  const segments = key.split("/");
  const bad = segments.find(
    (segment) => segment === "" || segment === "." || segment === ".." || UNSAFE.test(segment),
  );
  if (bad === undefined && key.length <= 1024) return segments;
  throw new Failure("unsafe_path", `the object key ${quoted(key)} is not a plain path`, {
    hint: "wanted names with / between them: no empty part, no . or .., no control character, no backslash",
  });
}

/** Control characters, and the separator that some systems take for a slash. */
const UNSAFE = /[\u0000-\u001f\u007f\\]/u;
