/**
 * Text and paths as Go's standard library sees them: ignore files and file names are bytes there, and what counts as
 * white space or as a clean path differs from JavaScript's `trim()` and `posix.normalize()`.
 */

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Runs of well-formed UTF-8 in a latin1 view of bytes; every other byte stands alone. */
const UTF8_RUN =
  /(?:[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+|[\x80-\xff]/g;

/**
 * Bytes as text without loss: a byte that is not UTF-8 becomes the lone surrogate U+DC00 + byte, so that two names
 * never become one. `encodeName` is the way back.
 */
export function decodeName(bytes: Uint8Array): string {
  try {
    return STRICT.decode(bytes);
  } catch {
    const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    return latin1.replace(UTF8_RUN, (run) => {
      const wellFormed = run.length > 1 || run < "\x80";
      return wellFormed
        ? STRICT.decode(Buffer.from(run, "latin1"))
        : String.fromCharCode(0xdc00 + run.charCodeAt(0));
    });
  }
}

export function encodeName(text: string): Uint8Array {
  const parts = text.split(/([\udc80-\udcff])/u);
  // Of such a surrogate the low byte is the byte; they stand between the others.
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 1 ? Buffer.of(part.charCodeAt(0)) : Buffer.from(part, "utf8"))),
  );
}

/** What is space to Go: U+0085 is and U+FEFF is not, the reverse of `trim()`. */
const SPACE = /\p{White_Space}/u;

/** Go's `strings.TrimSpace`. */
export function trimSpace(text: string): string {
  let start = 0;
  while (SPACE.test(text.charAt(start))) start++;
  let end = text.length;
  while (SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Go's `filepath.Clean` on a POSIX system: the shortest lexical equivalent, `.` for nothing. */
export function cleanPath(path: string): string {
  const rooted = path.startsWith("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push(part);
  }
  const joined = kept.join("/");
  if (rooted) return `/${joined}`;
  return joined === "" ? "." : joined;
}
