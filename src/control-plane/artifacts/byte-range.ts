/** What a Range header asks of a file: the whole, one piece (`end` is exclusive), or nothing that exists. */
export type ByteRange = "whole" | "unsatisfiable" | { readonly start: number; readonly end: number };

/**
 * Reads a Range header (RFC 9110 §14.1.2). Several ranges, other units and broken ones get the whole file, which a
 * server may always send.
 */
export function byteRange(header: string | null, size: number): ByteRange {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/iu.exec(header?.trim() ?? "");
  if (found === null) return "whole";
  const [, first = "", last = ""] = found;
  if (first === "" && last === "") return "whole";
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  if (last !== "" && Number(last) < Number(first)) return "whole";
  if (Number(first) >= size) return "unsatisfiable";
  return { start: Number(first), end: last === "" ? size : Math.min(Number(last) + 1, size) };
}
