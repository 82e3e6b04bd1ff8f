import { coSign, type CoSignRequest } from "../addons/operations/co-sign.ts";
import { shownPlatform } from "../addons/assigned/platform.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import type { Outcome } from "../cli/command.ts";

/**
 * For `addon publish --add-signature`: what is published stays as it is, so nothing may be said that would change it.
 */
export function refuseWithAddSignature(
  flags: Readonly<Record<"expires" | "minimum-version" | "binary", string | undefined>> & {
    readonly store: readonly string[];
    readonly assign: boolean;
  },
  keys: number,
): void {
  if (keys === 0) {
    throw new Failure("flag_missing", "--add-signature was given without a private key", {
      hint: "pass --key FILE, or --key-env VAR",
    });
  }
  const said = Object.entries({
    "--expires": flags.expires !== undefined,
    "--minimum-version": flags["minimum-version"] !== undefined,
    "--binary": flags.binary !== undefined,
    "--store": flags.store.length > 0,
    "--assign": flags.assign,
  }).flatMap(([name, given]) => (given ? [name] : []));
  if (said.length === 0) return;
  throw new Failure(
    "flags_contradict",
    `--add-signature changes nothing else, and ${said.join(", ")} would`,
    {
      hint: "leave it out, or publish anew without --add-signature",
    },
  );
}

/** Adds the signatures and tells what they are under. */
export async function coSignOutcome(request: CoSignRequest): Promise<Outcome> {
  const { published, size, claims, signatures } = await coSign(request);
  const keyids = request.keys.map(({ publicKey }) => publicKey.keyid);
  const { id, version, platform } = request;
  return {
    exit: EXIT.ok,
    document: {
      checked: 1,
      outcome: "signed",
      addon_id: id,
      version,
      platform: shownPlatform(platform),
      digest: `sha256:${published.sha256}`,
      bytes: size,
      signature: published.signature === "" ? null : published.signature,
      keyid: keyids[0] ?? null,
      keyids,
      signatures,
      expires: claims.expires?.toISOString() ?? null,
      minimum_version: claims.minimumVersion === "" ? null : claims.minimumVersion,
    },
    text: `${id} ${version} ${shownPlatform(platform)}: signed by ${keyids.join(", ")}; its statement has ${signatures} signatures\n`,
  };
}
