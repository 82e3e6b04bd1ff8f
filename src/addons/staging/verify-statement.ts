import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { addonClaims, type AddonClaims } from "../../trust/attestation-addon.ts";
import { ADDON_TYPE } from "../../trust/attestation-types.ts";
import { mergeEqual, parseAttestations, type FoundAttestations } from "../../trust/attestation.ts";
import { distrustedSigners } from "../../trust/trusted-signers.ts";
import { verifyAttestations, type AttestationVerdict } from "../../trust/verify-attestation.ts";
import type { Wanted } from "../assigned/ask.ts";
import { fits, shownPlatform, type Platform } from "../assigned/platform.ts";
import type { Stated } from "../on-host/stated.ts";
import { namesOf, type ReleaseSigners } from "./release-signers.ts";

/** What a statement has to be about, and its envelope as text. */
type Stating = Readonly<Record<"id" | "version" | "statement", string>> & Pick<Wanted, "sha256">;

/**
 * What the statement that came with an assignment says, once it is proven to be about this artifact, this add-on,
 * this version and this platform, by as many distinct keys as have to sign; null when none came. Throws Failure: what
 * its envelope, its signatures or its subject is refused for, `threshold_not_met` or `statement_mismatch`.
 */
export function verifyStatement(
  wanted: Stating,
  platform: Platform,
  signers: ReleaseSigners,
  now: Date,
): Stated | null {
  if (wanted.statement === "") return null;
  const from = `the statement of add-on ${quoted(wanted.id)}`;
  const { keys, threshold, distrusted } = signers;
  if (keys.length === 0) {
    throw new Failure("signature_invalid", `${from} is signed and no key is configured to check it with`, {
      hint: "pass --key with the release key",
    });
  }
  const found = parseAttestations(new TextEncoder().encode(wanted.statement), from, false);
  // Fewer than have to sign are told apart from none below, by name.
  const trusted = { keys, threshold: 1, distrusted };
  const verdict = verifyAttestations(found, {
    subject: wanted.sha256,
    predicateType: ADDON_TYPE,
    trusted: () => trusted,
    policy: null,
    now,
  });
  const accepted = byMostKeys(verdict);
  const keyids = accepted?.signers.map(({ keyid }) => keyid) ?? [];
  const [keyid] = keyids;
  if (threshold > 1 && keyids.length < threshold) throw tooFew(keyids, signers, found, verdict, from);
  if (accepted === undefined || keyid === undefined) throw refused(verdict.refusals, from);
  const claims = addonClaims(accepted.statement);
  checkClaims(claims, wanted, platform);
  return {
    envelope: wanted.statement,
    keyid,
    signers: keyids,
    size: claims.size,
    expires: claims.expires?.toISOString() ?? "",
    minimum_version: claims.minimumVersion,
  };
}

function byMostKeys({ accepted }: AttestationVerdict): AttestationVerdict["accepted"][number] | undefined {
  return accepted.toSorted((a, b) => b.signers.length - a.signers.length)[0];
}

/** How many of how many signed, who did, who could make up for the rest, and whose signature does not count. */
function tooFew(
  keyids: readonly string[],
  signers: ReleaseSigners,
  found: FoundAttestations,
  { refusals }: AttestationVerdict,
  from: string,
): Failure {
  const signatureAlone = refusals.every(
    ({ code }) => code === "signature_invalid" || code.startsWith("key_"),
  );
  if (keyids.length === 0 && !signatureAlone) return refused(refusals, from);
  const { keys, threshold, distrusted } = signers;
  const others = [...new Set(keys.map(({ keyid }) => keyid))].filter((keyid) => !keyids.includes(keyid));
  const missing = threshold - keyids.length;
  const by = keyids.length === 0 ? "" : ` (${namesOf(keyids, signers)})`;
  const what = `${keyids.length} of the wanted ${threshold} keys signed ${from}${by}`;
  const which =
    others.length < missing
      ? `only ${others.length} more may sign it now`
      : `missing: ${others.length === missing ? "" : `${missing} of `}${namesOf(others, signers)}`;
  const ignored = mergeEqual(found.attestations).flatMap(({ envelope }) =>
    distrustedSigners(envelope, distrusted).map(({ message }) => `; ${message}`),
  );
  return new Failure("threshold_not_met", `${what}; ${which}${[...new Set(ignored)].join("")}`, {
    hint: "whoever has a missing key adds a signature: waybill addon publish --add-signature, or waybill sign --format dsse",
  });
}

function refused(refusals: readonly Failure[], from: string): Failure {
  const [first, ...others] = refusals;
  if (first === undefined) return new Failure("no_evidence", `${from} holds nothing`);
  if (others.length === 0) return first;
  const all = refusals.map(({ message }) => message).join("; ");
  return new Failure(first.code, all, { hint: first.hint, cause: first });
}

function checkClaims(claims: AddonClaims, wanted: Stating, platform: Platform): void {
  if (claims.addonId !== wanted.id) throw mismatch("add-on", claims.addonId, wanted.id);
  if (claims.version !== wanted.version) throw mismatch("version", claims.version, wanted.version);
  if (!fits(claims.os, claims.arch, platform)) {
    throw mismatch("platform", `${claims.os}/${claims.arch}`, shownPlatform(platform));
  }
}

function mismatch(what: string, said: string, found: string): Failure {
  return new Failure(
    "statement_mismatch",
    `the signed statement is about ${what} ${quoted(said)}; assigned is ${quoted(found)}`,
    { hint: "a valid artifact of another add-on, version or platform was put in the place of this one" },
  );
}
