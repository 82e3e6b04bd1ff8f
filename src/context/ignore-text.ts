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
  if (text.isWellFormed()) return new TextEncoder().encode(text);
  const parts = text.split(/([\udc80-\udcff])/u);
  return Buffer.concat(
    parts.map((part) =>
      /^[\udc80-\udcff]$/u.test(part) ? Buffer.of(part.charCodeAt(0) - 0xdc00) : Buffer.from(part, "utf8"),
    ),
  );
}

/** Go's `strings.TrimSpace`: U+0085 is space and U+FEFF is not, the reverse of `trim()`. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  return (
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
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
