import { decode, nullable, object, optional, string, within } from "../base/decode.ts";
import { isSha256 } from "../base/digest.ts";
import { fromBase64, toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { bytePathFromText, bytePathOf, bytesOf, type BytePath } from "./byte-path.ts";
import { pathMembers } from "./git-document.ts";
import { modeOf, type TreeItem } from "./tree-digests.ts";

/** One file or link, by what it is. */
export type ManifestEntry = {
  readonly path: BytePath;
  readonly mode: string;
  readonly size: number;
  readonly sha256: string;
  /** The id as a git blob; null when the context lay in no work tree. */
  readonly blob: string | null;
};

/** One line of a manifest. The path is exact: beside text that is not, `path_base64` has its bytes. */
export function manifestLine(item: TreeItem): string {
  const { sha256, blob, size } = item.content;
  const line = {
    ...pathMembers(bytesOf(item.path)),
    mode: modeOf(item),
    size,
    sha256,
    git_blob: blob === null ? null : toHex(blob),
  };
  return `${JSON.stringify(line)}\n`;
}

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;
const ENTRY = object({
  path: string("a path", (text) => text !== ""),
  path_base64: optional(string("base64", (text) => text !== "" && fromBase64(text) !== null)),
  mode: string("a mode", (text) => /^(?:100644|100755|120000)$/u.test(text)),
  size: within(0, Number.MAX_SAFE_INTEGER),
  sha256: string("a sha256", isSha256),
  git_blob: optional(nullable(string("an object id", (text) => OBJECT_ID.test(text)))),
});

/** Reads the lines of a manifest. Throws Failure `input_invalid`. */
export function parseManifest(text: string, from: string): ManifestEntry[] {
  const paths = new Set<BytePath>();
  return text.split("\n").flatMap((line, index) => {
    if (line === "") return [];
    const what = `line ${index + 1} of ${from}`;
    const entry = parseLine(line, what);
    // Two contents of one name: a comparison would be with either.
    if (paths.has(entry.path)) throw noEntry(what, "its path is there already");
    paths.add(entry.path);
    return [entry];
  });
}

function parseLine(line: string, what: string): ManifestEntry {
  const decoded = decode(ENTRY, parseJson(line, { what, code: "input_invalid" }));
  if (!decoded.ok) throw noEntry(what, decoded.problems.join("; "));
  const { path, path_base64: encoded, mode, size, sha256, git_blob: blob = null } = decoded.value;
  const bytes = encoded === undefined ? null : fromBase64(encoded);
  return {
    path: bytes === null ? bytePathFromText(path) : bytePathOf(bytes),
    mode,
    size,
    sha256,
    blob,
  };
}

function noEntry(what: string, problem: string): Failure {
  return new Failure("input_invalid", `${what} is no entry of a manifest: ${problem}`, {
    hint: "write one with: waybill capture --manifest FILE",
  });
}
