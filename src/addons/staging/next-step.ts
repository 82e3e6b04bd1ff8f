import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { Wanted } from "../assigned/ask.ts";
import type { SafeName } from "../names.ts";
import type { SignerMark } from "../on-host/signer-mark.ts";
import type { Pin } from "../on-host/spec.ts";
import type { Stated } from "../on-host/stated.ts";
import { compareVersions, higherVersion } from "../version-order.ts";
import type { Warning } from "../warning.ts";
import { isProvenByStatement } from "./release-signers.ts";
import { trustProblem, trustWarnings } from "./signer-rules.ts";
import { statementProblem, statementWarnings } from "./statement-rules.ts";

/** One folder under `versions/`, as it is now. */
export type StagedVersion = {
  /** What its record says; null without a readable one. */
  readonly recorded: { readonly sha256: Sha256; readonly binaryName: string } | null;
  /** What its bytes say, under the wanted name; null when there are none, or the record already names others. */
  readonly sha256: Sha256 | null;
  /** The key whose signature over those bytes holds. */
  readonly keyid: string | null;
  /** The kept artifact, when its bytes are the wanted ones and those of the folder are not. */
  readonly retained: string | null;
};

export type Facts = {
  /** The folder that `current` names. */
  readonly current: string | null;
  /** What lies under `wanted.folder` and under `wanted.replacementFolder`; null for nothing. */
  readonly staged: StagedVersion | null;
  readonly replacement: StagedVersion | null;
  readonly signedBefore: boolean;
  /** How many keys may sign, how many have to, and which version of a trust root says so (0 for none). */
  readonly keys: number;
  readonly threshold: number;
  readonly rootVersion: number;
  /** How many had to before. */
  readonly signerMark: SignerMark;
  readonly allowUnsigned: boolean;
  readonly replace: boolean;
  /** The artifact that `current` shows, by our own specs. */
  readonly active: Sha256 | null;
  /** The highest version that was ever in place; "" for none. */
  readonly highestVersion: string;
  readonly blocked: readonly Sha256[];
  readonly pinned: Pin | null;
  /** What a signed statement about the wanted artifact says, verified; null when none came with it. */
  readonly stated: Stated | null;
  readonly statedBefore: boolean;
  /** What earlier statements said of the oldest version that may be staged; "" for nothing. */
  readonly minimumVersion: string;
  /** Not before any time that was ever seen here. */
  readonly now: Date;
};

export type NextStep =
  /** The verified bytes are there; `switchLink` when `current` does not name them yet. */
  | {
      readonly kind: "in_place";
      readonly folder: SafeName;
      readonly keyid: string | null;
      readonly switchLink: boolean;
      readonly writeRecord: boolean;
      readonly warnings: readonly Warning[];
    }
  /** To be fetched; `repair` puts the bytes into a folder that exists, because those there are gone or wrong. */
  | {
      readonly kind: "stage";
      readonly folder: SafeName;
      readonly how: "new" | "replace" | "repair";
      /** The kept artifact to take the bytes from; null fetches them. They are verified either way. */
      readonly retained: string | null;
      readonly warnings: readonly Warning[];
    }
  /** An operator pinned something else: nothing is fetched, and what runs stays. */
  | { readonly kind: "hold"; readonly warnings: readonly Warning[] }
  | { readonly kind: "refuse"; readonly failure: Failure };

/** The one step that brings this host to what is wanted. */
export function nextStep(wanted: Wanted, facts: Facts): NextStep {
  if (facts.pinned !== null && facts.pinned.artifact_sha256 !== wanted.sha256) {
    return { kind: "hold", warnings: [heldWarning(wanted, facts.pinned)] };
  }
  const problem =
    trustProblem(wanted, facts) ??
    statementProblem(wanted, facts) ??
    blockProblem(wanted, facts) ??
    downgradeProblem(wanted, facts);
  if (problem !== null) return { kind: "refuse", failure: problem };
  const warnings = [
    ...trustWarnings(wanted, facts),
    ...statementWarnings(wanted, facts),
    ...downgradeWarnings(wanted, facts),
  ];
  const folders = [
    [wanted.replacementFolder, facts.replacement],
    [wanted.folder, facts.staged],
  ] as const;
  for (const [folder, staged] of folders) {
    // The bytes decide; a record that says otherwise is written anew.
    if (folder === null || staged?.sha256 !== wanted.sha256) continue;
    const keyid = isProvenByStatement(facts.threshold, facts.stated) ? facts.stated.keyid : staged.keyid;
    if (wanted.signature !== null && keyid === null) return { kind: "refuse", failure: wrongSignature() };
    return {
      kind: "in_place",
      folder,
      keyid,
      switchLink: facts.current !== folder,
      writeRecord:
        staged.recorded?.sha256 !== wanted.sha256 || staged.recorded.binaryName !== wanted.binaryName,
      warnings,
    };
  }
  const place = placeOf(wanted, facts);
  return place instanceof Failure
    ? { kind: "refuse", failure: place }
    : { kind: "stage", ...place, retained: retainedOf(facts, wanted), warnings };
}

function retainedOf(facts: Facts, wanted: Wanted): string | null {
  const found = [facts.replacement, facts.staged].find(
    (staged) => staged?.recorded?.sha256 === wanted.sha256,
  );
  return found?.retained ?? facts.staged?.retained ?? null;
}

function heldWarning(wanted: Wanted, pinned: Pin): Warning {
  return {
    code: "pinned",
    message: `add-on ${quoted(wanted.id)} is pinned to ${quoted(pinned.version)}; ${quoted(wanted.version)} is assigned and not taken`,
  };
}

/** What an operator rolled back from does not come back because a server still offers it. */
function blockProblem(wanted: Wanted, { blocked }: Facts): Failure | null {
  if (!blocked.includes(wanted.sha256)) return null;
  return new Failure(
    "version_blocked",
    `version ${quoted(wanted.version)} was rolled back on this host (sha256 ${wanted.sha256})`,
    { hint: `assign another one, or take it again with: waybill addon unpin ${wanted.id}` },
  );
}

/** A valid signature says who made an artifact, and nothing of when: an old one with a known hole has one too. */
function downgradeProblem(wanted: Wanted, facts: Facts): Failure | null {
  if (!isDowngrade(wanted, facts) || wanted.assignment.allow_downgrade === wanted.version) return null;
  return new Failure(
    "downgrade_refused",
    `version ${quoted(wanted.version)} is older than ${quoted(facts.highestVersion)}, which was in place here`,
    {
      hint: `go back on purpose with "allow_downgrade": ${JSON.stringify(wanted.version)} in the override, or: waybill addon rollback ${wanted.id}`,
    },
  );
}

function downgradeWarnings(wanted: Wanted, facts: Facts): Warning[] {
  if (!isDowngrade(wanted, facts)) return [];
  return [
    {
      code: "downgrade_allowed",
      message: `add-on ${quoted(wanted.id)} goes back from ${quoted(facts.highestVersion)} to ${quoted(wanted.version)}; the override allows it`,
    },
  ];
}

function isDowngrade(wanted: Wanted, { active, highestVersion }: Facts): boolean {
  // What runs already is no step back, and a name made from a digest has no place in the order.
  if (wanted.sha256 === active || wanted.assignment.version === "" || highestVersion === "") return false;
  return compareVersions(wanted.version, highestVersion) === "older";
}

/** The mark that later versions are held against, once `wanted` is in place. */
export function markAfter(wanted: Wanted, highestVersion: string): string {
  const { version, allow_downgrade: allowed } = wanted.assignment;
  if (version === "") return highestVersion;
  // Going back on purpose is also how a mark that nobody can pass any more is taken away.
  return allowed === version ? version : higherVersion(highestVersion, version);
}

/** Where new bytes may go: good bytes of another digest are never overwritten. */
function placeOf(
  wanted: Wanted,
  { staged, replacement, replace }: Facts,
): { folder: SafeName; how: "new" | "replace" | "repair" } | Failure {
  // Made by an earlier --replace, and now damaged.
  if (wanted.replacementFolder !== null && replacement?.recorded?.sha256 === wanted.sha256) {
    return { folder: wanted.replacementFolder, how: "repair" };
  }
  if (staged === null) return { folder: wanted.folder, how: "new" };
  const same = staged.recorded?.sha256 === wanted.sha256;
  const nothingThere = staged.recorded === null && staged.sha256 === null;
  if (same || nothingThere) return { folder: wanted.folder, how: "repair" };
  const found = staged.recorded?.sha256 ?? staged.sha256 ?? "others";
  if (replace && wanted.replacementFolder !== null) {
    return { folder: wanted.replacementFolder, how: replacement === null ? "replace" : "repair" };
  }
  return new Failure(
    "version_conflict",
    `version ${quoted(wanted.version)} is staged with sha256 ${found}, and now assigned with ${wanted.sha256}`,
    {
      hint: "publish changed bytes under a new version, or pass --replace to stage them beside the old ones",
    },
  );
}

/** Also thrown when fetched bytes fail: one wording for one refusal. */
export function wrongSignature(): Failure {
  return new Failure("signature_invalid", "the signature was not made over these bytes by a configured key", {
    hint: "check that the release key is the one that signed; a raw Ed25519 signature over the file is wanted",
  });
}
