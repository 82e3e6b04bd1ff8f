import { EXIT, type FailureCode } from "../base/exit-codes.ts";
import type { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { captureFacts } from "../trust/attestation-capture.ts";
import type { AcceptedAttestation, AttestationVerdict } from "../trust/verify-attestation.ts";
import type { BuildRecord } from "./build-client.ts";
import { isSameCommit, type PinRow } from "./pin.ts";
import type { ReceiptVerdict } from "./receipt-verdict.ts";

/** What was read of one pin on the way back to its commit. */
export type LineageEvidence = {
  readonly env: string;
  readonly row: PinRow;
  readonly receipt: ReceiptVerdict;
  /** The record of the build that made the image, and what names the image in it; null for none. */
  readonly build: FoundBuild | Failure | null;
  /** Signed captures that were held against the digest; null when none were shown. */
  readonly captures: AttestationVerdict | null;
};

export type FoundBuild = { readonly record: BuildRecord; readonly by: "digest" | "capture" | "commit" };

/** One hand-over on the way: there, not there, there and wrong, or not to be read. */
export type Link = {
  readonly name: "pin" | "receipt" | "build" | "commit" | "capture";
  readonly state: "found" | "missing" | "wrong" | "unread";
  /** What it is, or why it is not. */
  readonly what: string;
  /** Of a link that could not be read. */
  readonly code?: FailureCode;
};

export type Lineage = {
  readonly env: string;
  readonly template: string;
  readonly region: string;
  readonly digest: string;
  readonly links: readonly Link[];
};

/** The way from a pin to the commit and the context that its image was built from, link by link. No I/O. */
export function lineageOf(evidence: LineageEvidence): Lineage {
  const { env, row } = evidence;
  const { template, region, digest } = row;
  const links = [
    { name: "pin", state: "found", what: digest } as const,
    receiptLink(evidence),
    buildLink(evidence),
    commitLink(evidence),
    captureLink(evidence),
  ];
  return { env, template, region, digest, links };
}

function receiptLink({ receipt }: LineageEvidence): Link {
  const name = "receipt";
  if (!receipt.ok) {
    const { code, message, exitCode } = receipt.failure;
    if (code === "receipt_missing") return { name, state: "missing", what: message };
    if (exitCode === EXIT.untrusted) return { name, state: "wrong", what: message };
    return { name, state: "unread", what: message, code };
  }
  const by = receipt.signers.map(({ keyid }) => keyid).join(", ");
  return { name, state: "found", what: `version ${receipt.receipt.version}, signed by key ${by}` };
}

function buildLink({ build }: LineageEvidence): Link {
  const name = "build";
  if (build === null) return { name, state: "missing", what: "no build record names this image" };
  if (!("record" in build)) return { name, state: "unread", what: build.message, code: build.code };
  const how = {
    digest: "its digest",
    capture: "its signed capture",
    commit: "the commit of its receipt alone",
  };
  return { name, state: "found", what: `${printable(build.record.id, 100)}, by ${how[build.by]}` };
}

function commitLink(evidence: LineageEvidence): Link {
  const name = "commit";
  const { row, receipt } = evidence;
  const build = recordOf(evidence);
  const capture = captureOf(evidence);
  const said: [string, string | null][] = [
    ["the signed capture", capture === null ? null : captureFacts(capture.statement.predicate).commit],
    ["the build record", build?.commit ?? null],
    ["the receipt", receipt.ok ? receipt.receipt.gitSha : null],
    ["the row", row.gitSha],
  ];
  const known = said.flatMap(([who, commit]) => (commit === null ? [] : [{ who, commit }]));
  const [first] = known;
  if (first === undefined) return { name, state: "missing", what: "nobody names the commit" };
  const other = known.find(({ commit }) => !isSameCommit(commit, first.commit));
  if (other !== undefined) {
    const what = `${first.who} names ${shown(first.commit)}, ${other.who} ${shown(other.commit)}`;
    return { name, state: "wrong", what };
  }
  // A commit that only the one who promoted names leads back to nothing that was built.
  if (build === null && capture === null)
    return { name, state: "missing", what: `only ${first.who} names it: ${shown(first.commit)}` };
  const from = build?.repository ?? null;
  const where = from === null ? "" : ` of ${printable(from, 200)}`;
  return { name, state: "found", what: `${shown(first.commit)}${where}` };
}

function captureLink(evidence: LineageEvidence): Link {
  const name = "capture";
  const { captures, receipt } = evidence;
  const recorded = recordOf(evidence)?.treeHash ?? null;
  const capture = captureOf(evidence);
  if (captures !== null && capture === null) {
    const why = captures.refusals[0]?.message ?? "it is about another image";
    return { name, state: "wrong", what: why };
  }
  if (capture === null) {
    if (recorded === null)
      return { name, state: "missing", what: "no signed capture is shown and no build record holds one" };
    return {
      name,
      state: "found",
      what: `tree ${shown(recorded)}, recorded with the build, not signed`,
    };
  }
  const evidenceOf = receipt.ok ? (receipt.receipt.decision?.evidence ?? []) : [];
  if (evidenceOf.length > 0 && !evidenceOf.some(({ sha256 }) => sha256 === capture.payloadSha256))
    return { name, state: "wrong", what: "it is another statement than the receipt says was checked" };
  const tree = treeHashOf(capture);
  if (tree !== null && recorded !== null && recorded !== tree) {
    const what = `it has tree ${shown(tree)}, the build record ${shown(recorded)}`;
    return { name, state: "wrong", what };
  }
  const by = capture.signers.map(({ keyid }) => keyid).join(", ");
  return { name, state: "found", what: `tree ${shown(tree ?? "unknown")}, signed by key ${by}` };
}

function recordOf({ build }: LineageEvidence): BuildRecord | null {
  return build !== null && "record" in build ? build.record : null;
}

function captureOf({ captures }: LineageEvidence): AcceptedAttestation | null {
  return captures?.accepted[0] ?? null;
}

/** The compatible tree hash that a capture states, or null. */
export function treeHashOf({ statement }: Pick<AcceptedAttestation, "statement">): string | null {
  const digests = statement.subjects.flatMap(({ digest }) => digest["working_tree_hash"] ?? []);
  return digests[0] ?? null;
}

function shown(text: string): string {
  return printable(text, 100);
}
