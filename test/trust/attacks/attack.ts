import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../../src/base/failure.ts";
import { proveArtifact, type Accepted, type ArtifactClaims } from "../../../src/trust/artifact-proof.ts";
import { formatOf, parseDetachedSignature } from "../../../src/trust/detached-signature.ts";
import { signDetached, type DetachedFormat } from "../../../src/trust/detached-signer.ts";
import type { PublicKey } from "../../../src/trust/public-key.ts";
import { SigningKey } from "../../../src/trust/signing-key.ts";
import { inFolder } from "../run-waybill.ts";
import { refusalOf } from "../refusal.ts";

/** What the attacks on signature files share: a victim's key and file, and a verifier who knows that key. */

export const victim: SigningKey = new SigningKey(randomBytes(32), "the victim's key");
export const attacker: SigningKey = new SigningKey(randomBytes(32), "the attacker's key");

const calm = new AbortController().signal;

export type Verdict = { readonly accepted: readonly Accepted[]; readonly refusals: readonly Failure[] };

/** What the verifier says about these bytes with this signature file. */
export async function judged(
  bytes: Uint8Array | string,
  signature: Uint8Array | string,
  more: Partial<ArtifactClaims> & {
    readonly keys?: readonly PublicKey[];
    readonly allowLegacy?: boolean;
  } = {},
): Promise<Verdict> {
  const { keys = [victim.publicKey], allowLegacy = false, ...claims } = more;
  const file = typeof signature === "string" ? Buffer.from(signature, "latin1") : signature;
  return inFolder(async (folder) => {
    const path = join(folder, "app");
    writeFileSync(path, bytes);
    return proveArtifact(
      path,
      {
        sha256: null,
        signatures: [{ signature: parsed(file), formatNamed: false }],
        rules: { keys, namespace: "artifact@waybill", allowLegacy },
        judge: () => null,
        threshold: 1,
        ...claims,
      },
      calm,
    );
  });
}

function parsed(file: Uint8Array): ArtifactClaims["signatures"][number]["signature"] {
  try {
    return parseDetachedSignature(file, formatOf(file), "the signature");
  } catch {
    return refusalOf(() => parseDetachedSignature(file, formatOf(file), "the signature"));
  }
}

/** The signature file that this key makes for these bytes. */
export async function signed(
  key: SigningKey,
  bytes: Uint8Array | string,
  format: "minisign" | "ssh",
  namespace = "artifact@waybill",
): Promise<string> {
  const how: DetachedFormat =
    format === "ssh" ? { format, namespace } : { format: "minisign", now: new Date(1_700_000_000_000) };
  return inFolder(async (folder) => {
    const path = join(folder, "app");
    writeFileSync(path, bytes);
    return (await signDetached(key, path, how, calm)).text;
  });
}

export function codesOf(verdict: Verdict): readonly string[] {
  return verdict.refusals.map(({ code }) => code);
}
