import type { Explained } from "./explained.ts";

/** Those of pins. */
export const EXPLAINED_PINS: readonly Explained[] = [
  {
    file: "src/pins/classify-write.ts",
    mutants: ['why: answer?.["error"] → answer["error"]'],
    reason: "asked only after a code was read from the answer, so there is one",
  },
  {
    file: "src/pins/drift.ts",
    mutants: ['compareListings: place.lastIndexOf("/") → place.indexOf("/")'],
    reason: "neither a template nor a region has a slash in it",
  },
  {
    file: "src/pins/leg.ts",
    mutants: ["supersededLeg: row.seq === null || row.seq <= seq → row.seq <= seq"],
    reason: "null counts as 0 in a comparison, and no build has a lower number; the check is for the types",
  },
  {
    file: "src/pins/leg.ts",
    mutants: [
      "exitOfCodes: WEIGHT.find((code) => failed.includes(code)) ?? failed[0] ?? EXIT.internal → WEIGHT.find((code) => failed.includes(code)) ?? failed[0]",
    ],
    reason: "something failed, so there is a first one; the last operand is for the types",
  },
  {
    file: "src/pins/leg-warnings.ts",
    mutants: ["gaveWay: before?.seq → before.seq"],
    reason: "a superseded leg is only made with the row that it gave way to",
  },
  {
    file: "src/pins/leg-warnings.ts",
    mutants: [
      "otherCommit: row.gitSha !== null && isSameCommit(row.gitSha, wanted) → isSameCommit(row.gitSha, wanted)",
    ],
    reason: "what is no text is no commit; the check is for the types",
  },
  {
    file: "src/pins/listing.ts",
    mutants: [
      'parseListing: code: "answer_not_json" → code: ""',
      "parseListing: error instanceof Failure → true",
    ],
    reason: "the failure of the reader is replaced by one with the same code, and it throws no other",
  },
  {
    file: "src/pins/listing.ts",
    mutants: [
      'numberOf: typeof value === "number" && Number.isSafeInteger(value) → Number.isSafeInteger(value)',
    ],
    reason: "what is no number is no safe integer either; the check is for the types",
  },
  {
    file: "src/pins/next-write.ts",
    mutants: [
      "nextWrite: row?.seq ?? null → row?.seq",
      "nextWrite: mine !== undefined && theirs !== null → mine !== undefined",
      "nextWrite: mine !== undefined && theirs !== null → theirs !== null",
      "nextWrite: row !== null && isOlder → isOlder",
    ],
    reason: "no build number is lower than one that is not there; the checks are for the types",
  },
  {
    file: "src/pins/receipt-verdict.ts",
    mutants: [
      'refused: mainRefusal(refusals) ?? new Failure("receipt_missing", "there is no receipt") → mainRefusal(refusals)',
      'refused: new Failure("receipt_missing", "there is no receipt") → new Failure("", "there is no receipt")',
    ],
    reason: "whatever is not accepted was refused for a reason, so there is a main one",
  },
  {
    file: "src/base/retry-after.ts",
    mutants: [
      "retryAfterMs: text === null → false",
      'retryAfterMs: headers.get("date") ?? "" → headers.get("date")',
    ],
    reason: "an expression reads null as the word, which is no number and no date",
  },
  {
    file: "src/pins/server-text.ts",
    mutants: [
      'jsonObject: code: "answer_not_json" → code: ""',
      'redirectOrigin: headers.get("location") ?? "" → headers.get("location")',
    ],
    reason: "the failure is caught a line below; the word null is no address",
  },
  {
    file: "src/pins/promotion-gate.ts",
    mutants: ['evidenceAbout: digest["sha256"] ?? "" → digest["sha256"]'],
    reason: "no digest is wanted that is not there; the check is for the types",
  },
  {
    file: "src/pins/promotion-gate.ts",
    mutants: ["subjectsOf: error instanceof Failure → true", "subjectsOf: throw error; → nothing"],
    reason: "reading a statement throws failures alone; a fault of our own would be one of these",
  },
  {
    file: "src/pins/standing.ts",
    mutants: [
      "hasStrongEtag: etag !== null && STRONG_ETAG.test(etag) → STRONG_ETAG.test(etag)",
      'readStanding: headers.get("etag") ?? "" → headers.get("etag")',
      'readStanding: typeof digest !== "string" || !isImageDigest(digest) → !isImageDigest(digest)',
    ],
    reason: "what is no text is no digest and no strong ETag; the checks are for the types",
  },
  {
    file: "src/pins/target-config.ts",
    mutants: ["parseTargetConfig: config.ok && problems.length === 0 → problems.length === 0"],
    reason: "what cannot be decoded has a problem; the check is for the types",
  },
];
