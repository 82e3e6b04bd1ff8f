import type { Explained } from "./explained.ts";

/** Those of the ignore rules and digests of trees. */
export const EXPLAINED_CONTEXT: readonly Explained[] = [
  {
    file: "src/context/matches-commit.ts",
    mutants: ["departuresFrom: owners.size === 0 → false"],
    reason: "only slower: where there is no submodule, none is found",
  },
  {
    file: "src/context/matches-commit.ts",
    mutants: ["ownerOf: slash > 0 → slash >= 0", "ownerOf: slash - 1 → slash - 2"],
    reason: "no path begins with a slash, and no two stand side by side",
  },
  {
    file: "src/context/tree-difference.ts",
    mutants: [
      "differenceOf: x.path < y.path → x.path <= y.path",
      "differenceOf: -1 → -2",
      "differenceOf: x.path < y.path ? -1 : 1 → x.path < y.path ? -1 : 2",
    ],
    reason: "no path is there twice, and only the sign is looked at",
  },
  {
    file: "src/context/tree-digests.ts",
    mutants: [
      "workingTreeHash: allAscii = true → allAscii = false",
      "workingTreeHash: !allAscii && items.some(({ path }) => exactText(path) === null) → items.some(({ path }) => exactText(path) === null)",
    ],
    reason: "only slower: it saves asking each name",
  },
  {
    file: "src/context/tree-digests.ts",
    mutants: [
      "LINE_ROOM: SHA256_LETTERS + 9 → SHA256_LETTERS + 10",
      "PIECE_BYTES: PIECE_BYTES = 65_536 → PIECE_BYTES = 65537",
      "inPieces: length + needed > buffer.length → true",
      "inPieces: length + needed > buffer.length → length + needed >= buffer.length",
      "inPieces: needed > buffer.length → true",
      "inPieces: needed > buffer.length → needed >= buffer.length",
      "OpenTrees.top: Buffer.allocUnsafe(65_536) → Buffer.allocUnsafe(65537)",
      "OpenTrees.add: needed > this.#buffer.length → true",
      "OpenTrees.add: needed > this.#buffer.length → needed >= this.#buffer.length",
      "OpenTrees.add: needed * 2 → needed * 3",
    ],
    reason: "how much memory is taken at once, and how often; the bytes are the same",
  },
  {
    file: "src/context/tree-digests.ts",
    mutants: ["inPieces: length > 0 → length > 1"],
    reason: "a line has more than one byte",
  },
  {
    file: "src/context/tree-digests.ts",
    mutants: ["OpenTrees.leave: left === undefined → false"],
    reason: "every folder lies below the root, so nobody leaves it; the check is for the types",
  },
  {
    file: "src/context/verify-source.ts",
    mutants: [
      'capturedSource: !isMap(document) || document["schema"] !== "waybill.capture/v1" → document["schema"] !== "waybill.capture/v1"',
      'ownOutputsIn: textIn(warning, "message") ?? "" → textIn(warning, "message")',
    ],
    reason:
      "what is no object has no schema, and no message says the word null; the checks are for the types",
  },
  {
    file: "src/context/verify-source.ts",
    mutants: ["digestOf: format === null → false"],
    reason:
      "a git tree is asked for where one was captured, and that says the format; the check is for the types",
  },
  {
    file: "src/context/ignore-file.ts",
    mutants: ["parseIgnoreFile: start < bytes.length → start <= bytes.length"],
    reason: "one more line behind the last, which is empty",
  },
  {
    file: "src/context/ignore.ts",
    mutants: ["IgnoreMatcher.verdictFor: slash + 1 → slash + 2"],
    reason: "in a clean path no two slashes stand side by side",
  },
  {
    file: "src/context/ignore.ts",
    mutants: ["IgnoreMatcher.hits: rule.test === undefined → true"],
    reason: "only slower: the pattern is compiled anew",
  },
];
