import type { Sha256 } from "../../base/digest.ts";
import { asFailure, Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { HostAddon } from "../on-host/inventory.ts";
import type { Spec } from "../on-host/spec.ts";
import { isExpired } from "../staging/statement-rules.ts";
import { verifyStatement } from "../staging/verify-statement.ts";
import { checkAddon, type Checking } from "./fsck.ts";

/** What the signed statement says that came with what runs. */
type StatementProof = {
  readonly keyid: string;
  readonly keyids: readonly string[];
  readonly expires: string | null;
  readonly expired: boolean;
};

export type Proof = {
  readonly addonId: string;
  readonly accepted: {
    readonly addon_id: string;
    readonly version: string;
    readonly folder: string;
    readonly sha256: string;
    readonly keyid: string | null;
    readonly keyids: readonly string[];
    /** How many keys had to sign; null when none was given to check with. */
    readonly threshold: number | null;
    /** null when none came, or when no key was given to check it with. */
    readonly statement: StatementProof | null;
  };
  readonly failure: Failure | null;
};

/**
 * Whether what `current` shows is what was verified, byte by byte, and, when keys are given, signed, and still what
 * its statement is about. A statement that ended is told and no refusal: what runs may go on.
 */
export async function verifyInstalled(addon: HostAddon, checking: Checking): Promise<Proof> {
  const { current } = addon;
  const shown = addon.folders.filter(({ folder }) => folder === current);
  const findings = current === null ? [] : await checkAddon({ ...addon, folders: shown }, checking);
  const found = findings.find(({ folder }) => folder === current);
  const version = shown[0]?.record?.version ?? "";
  const accepted = {
    addon_id: addon.id,
    version,
    folder: current ?? "",
    sha256: found?.sha256 ?? "",
    keyid: found?.keyid ?? null,
    keyids: found?.keyids ?? [],
    threshold: thresholdOf(addon.id, shown[0]?.record?.artifact_sha256, checking),
    statement: null,
  };
  const failure = findings.find((one) => one.failure !== null)?.failure ?? null;
  const refuse = (refusal: Failure): Proof => ({ addonId: addon.id, accepted, failure: refusal });
  if (failure !== null)
    return refuse(new Failure(failure.code, `add-on ${quoted(addon.id)}: ${failure.message}`, failure));
  if (found === undefined) {
    return refuse(new Failure("nothing_checked", `nothing is in place of add-on ${quoted(addon.id)}`));
  }
  if (checking.keys !== null && found.keyid === null) {
    return refuse(
      new Failure(
        "unsigned",
        `add-on ${quoted(addon.id)} runs version ${quoted(version)}, which is not signed`,
      ),
    );
  }
  const { active } = addon.specs;
  if (active?.folder !== current) return { addonId: addon.id, accepted, failure: null };
  try {
    const statement = statementOf(addon.id, active, checking);
    return { addonId: addon.id, accepted: { ...accepted, statement }, failure: null };
  } catch (error) {
    const { code, message, hint } = asFailure(error);
    return refuse(new Failure(code, `add-on ${quoted(addon.id)}: ${message}`, { hint, cause: error }));
  }
}

function thresholdOf(id: HostAddon["id"], sha256: Sha256 | undefined, { keys }: Checking): number | null {
  return keys === null || sha256 === undefined ? null : keys({ id, sha256 }).threshold;
}

/** The kept statement, verified as if it had just come; what was noted of it then has to be what it says. */
function statementOf(
  id: HostAddon["id"],
  spec: Spec,
  { platform, keys, now }: Checking,
): StatementProof | null {
  const { version, artifact_sha256: sha256, stated } = spec;
  if (stated === undefined || keys === null) return null;
  const asked = { id, version, sha256, statement: stated.envelope };
  const found = verifyStatement(asked, platform, keys({ id, sha256 }), now);
  // Of several signers another one may be among the keys that were given now.
  const { keyid, signers } = stated;
  if (found === null || !Bun.deepEquals({ ...found, keyid, signers }, stated)) {
    throw new Failure("record_mismatch", "what is noted of its statement is not what the statement says", {
      hint: "the next addon-stage that is assigned it reads it again",
    });
  }
  return {
    keyid: found.keyid,
    keyids: found.signers,
    expires: stated.expires || null,
    expired: isExpired(stated, now),
  };
}
