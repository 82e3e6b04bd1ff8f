import { statSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, readBounded, reason } from "../host/files.ts";
import { readStandardInput } from "../host/standard-input.ts";
import { acquireLock } from "../host/locks.ts";
import { parseAttestations, type FoundAttestations } from "./attestation.ts";
import { formatBundle } from "./bundle.ts";
import { formatEnvelope, type Envelope } from "./dsse.ts";
import { writePublicOutput } from "./public-output.ts";

export const ATTESTATION_FORMATS = ["bundle", "dsse", "jsonl"] as const;
export type AttestationFormat = (typeof ATTESTATION_FORMATS)[number];

export const ATTESTATION_SUFFIX: Readonly<Record<AttestationFormat, string>> = {
  bundle: ".sigstore.json",
  dsse: ".intoto.json",
  jsonl: ".intoto.jsonl",
};

/** How long another run that appends to the same file is waited for, in milliseconds. */
const LOCK_BUDGET_MS = 30_000;

/**
 * The attestations in a file, or on standard input for `-`. Throws Failure `path_not_found`, `file_unreadable` or
 * `evidence_too_large`; what is wrong with the content is a value.
 */
export function readAttestations(path: string): FoundAttestations {
  const what = "attestation";
  if (path === "-")
    return parseAttestations(
      readStandardInput(LIMITS.attestationBytes, what, "evidence_too_large"),
      "the attestation on standard input",
      false,
    );
  return parseAttestations(readEvidence(path, what), `attestation ${quoted(path)}`, path.endsWith(".jsonl"));
}

/** All bytes of a file of evidence: that it is missing is another thing than that it is too large. */
function readEvidence(path: string, what: string): Uint8Array {
  let size: number;
  try {
    ({ size } = statSync(path));
  } catch (error) {
    const missing = ["ENOENT", "ENOTDIR"].includes(errorCode(error));
    throw new Failure(
      missing ? "path_not_found" : "file_unreadable",
      `${what} ${quoted(path)} cannot be read: ${reason(error)}`,
      { cause: error },
    );
  }
  if (size > LIMITS.attestationBytes)
    throw new Failure(
      "evidence_too_large",
      `${what} ${quoted(path)} has ${size} bytes; at most ${LIMITS.attestationBytes} are read`,
    );
  return readBounded(path, LIMITS.attestationBytes, what);
}

/**
 * Writes a bundle or an envelope whole or not at all, in place of an older one; a jsonl file gets one line more.
 * Throws Failure `output_not_written` or `lock_held`.
 */
export async function writeAttestation(
  envelope: Envelope,
  out: string,
  format: AttestationFormat,
  stop: AbortSignal,
): Promise<void> {
  const text = `${format === "bundle" ? formatBundle(envelope) : formatEnvelope(envelope)}\n`;
  refuseUnreadable(
    Buffer.byteLength(text),
    out,
    "say less in the predicate, or attest the digest of what it says",
  );
  if (format === "jsonl") await appendLine(out, text, stop);
  else writePublicOutput(out, text);
}

/** What nobody reads again is not written: above all not in place of something that can be read. */
function refuseUnreadable(size: number, out: string, hint: string): void {
  if (size > LIMITS.attestationBytes)
    throw new Failure(
      "output_not_written",
      `${quoted(out)} would have ${size} bytes; at most ${LIMITS.attestationBytes} are read`,
      { hint },
    );
}

/**
 * The old lines and one more, by rename: a reader sees the file with the line or without it, never half a line. The
 * lock is on the file itself; whoever waited for it sees that it was replaced and takes the new one.
 */
async function appendLine(out: string, line: string, stop: AbortSignal): Promise<void> {
  const lock = await acquireLock({
    path: out,
    what: `the attestations ${quoted(out)}`,
    budgetMs: LOCK_BUDGET_MS,
    stop,
  });
  try {
    const before = Buffer.from(readEvidence(out, "attestations"));
    // An empty file may be the one that the lock of this or another run has made, with a mode of its own.
    const mode = before.length === 0 ? 0o644 : statSync(out).mode & 0o777;
    const gap = before.length === 0 || before.at(-1) === 0x0a ? "" : "\n";
    const after = Buffer.concat([before, Buffer.from(`${gap}${line}`)]);
    refuseUnreadable(after.length, out, "start another file with --out");
    writePublicOutput(out, after, { mode });
  } finally {
    lock.release();
  }
}
