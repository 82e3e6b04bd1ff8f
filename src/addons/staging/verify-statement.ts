import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { addonClaims, type AddonClaims } from "../../trust/attestation-addon.ts";
import { ADDON_TYPE } from "../../trust/attestation-types.ts";
import { parseAttestations } from "../../trust/attestation.ts";
import type { PublicKey } from "../../trust/public-key.ts";
import { verifyAttestations } from "../../trust/verify-attestation.ts";
import type { Wanted } from "../assigned/ask.ts";
import { fits, shownPlatform, type Platform } from "../assigned/platform.ts";
import type { Stated } from "../on-host/spec.ts";

/** What a statement has to be about, and its envelope as text. */
type Stating = Readonly<Record<"id" | "version" | "statement", string>> & Pick<Wanted, "sha256">;

/**
 * What the statement that came with an assignment says, once it is proven to be about this artifact, this add-on,
 * this version and this platform; null when none came. Throws Failure: what its envelope, its signature or its
 * subject is refused for, or `statement_mismatch`.
 */
export function verifyStatement(
  wanted: Stating,
  platform: Platform,
  keys: readonly PublicKey[],
  now: Date,
): Stated | null {
  if (wanted.statement === "") return null;
  const from = `the statement of add-on ${quoted(wanted.id)}`;
  if (keys.length === 0) {
    throw new Failure("signature_invalid", `${from} is signed and no key is configured to check it with`, {
      hint: "pass --key with the release key",
    });
  }
  const found = parseAttestations(new TextEncoder().encode(wanted.statement), from, false);
  const trusted = { keys, threshold: 1, distrusted: [] };
  const verdict = verifyAttestations(found, {
    subject: wanted.sha256,
    predicateType: ADDON_TYPE,
    trusted: () => trusted,
    policy: null,
    now,
  });
  const [accepted] = verdict.accepted;
  const keyid = accepted?.signers[0]?.keyid;
  if (accepted === undefined || keyid === undefined) throw refused(verdict.refusals, from);
  const claims = addonClaims(accepted.statement);
  checkClaims(claims, wanted, platform);
  return {
    envelope: wanted.statement,
    keyid,
    size: claims.size,
    expires: claims.expires?.toISOString() ?? "",
    minimum_version: claims.minimumVersion,
  };
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
