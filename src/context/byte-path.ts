import { exactTextOf } from "../base/encoding.ts";
import { decodeName } from "./ignore-text.ts";

/**
 * A path inside a context, relative, with `/` between its parts, one character for each BYTE of the name on disk
 * (latin1). So names that are not UTF-8 survive, and JavaScript's own string comparison is the byte order that the
 * tree hash, git and tar want (comparing UTF-16 would put U+1F600 before U+FF5E).
 */
export type BytePath = string & { readonly __bytes: unique symbol };

const ASCII = /^[\u0000-\u007f]*$/u;

export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

export function bytePathOf(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1") as BytePath; // oxlint-disable-line typescript/no-unsafe-type-assertion -- latin1 is one character a byte
}

/** From text, as UTF-8. */
export function bytePathFromText(text: string): BytePath {
  return isAscii(text) ? (text as BytePath) : bytePathOf(Buffer.from(text, "utf8")); // oxlint-disable-line typescript/no-unsafe-type-assertion -- ASCII is its own bytes
}

export function childPath(parent: BytePath | "", name: BytePath): BytePath {
  return (parent === "" ? name : `${parent}/${name}`) as BytePath; // oxlint-disable-line typescript/no-unsafe-type-assertion -- two byte paths joined are one
}

export function bytesOf(path: BytePath): Buffer {
  return Buffer.from(path, "latin1");
}

/** The name as text, or null when its bytes are not UTF-8. */
export function exactText(path: BytePath): string | null {
  return isAscii(path) ? path : exactTextOf(bytesOf(path));
}

/** The name as ignore patterns see it: without loss, so that two names never match as one. */
export function patternText(path: BytePath): string {
  return isAscii(path) ? path : decodeName(bytesOf(path));
}

/** The name as text for people; bytes that are not UTF-8 become U+FFFD. */
export function shownText(path: BytePath): string {
  return isAscii(path) ? path : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(path));
}

/** What the file system calls take for a whole path: a string when that is exact, else the bytes. */
export function placeOf(path: BytePath): string | Buffer {
  return isAscii(path) ? path : bytesOf(path);
}

/** The same of a path below a folder. */
export function locate(root: string, path: BytePath): string | Buffer {
  return placeOf(childPath(bytePathFromText(root), path));
}
