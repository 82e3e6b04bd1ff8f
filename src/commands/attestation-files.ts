import type { FoundAttestations } from "../trust/attestation.ts";

/** What several files of attestations hold, as if it were one. */
export function joined(found: readonly FoundAttestations[]): FoundAttestations {
  return {
    attestations: found.flatMap(({ attestations }) => attestations),
    refusals: found.flatMap(({ refusals }) => refusals),
    skippedLines: found.reduce((sum, { skippedLines }) => sum + skippedLines, 0),
  };
}
