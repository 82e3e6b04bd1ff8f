import { exitCodeOf, EXIT, type ExitCode } from "../../base/exit-codes.ts";
import { Failure, type FailureDocument } from "../../base/failure.ts";
import { printable, quoted } from "../../base/printable.ts";
import { shownPlatform, type Platform } from "../assigned/platform.ts";
import type { Layout } from "../on-host/layout.ts";
import type { AddonResult } from "./outcome.ts";
import type { HostReport } from "./stage-host.ts";

/** One add-on in the `--json` document of `addon-stage`. */
export type AddonDocument = {
  /** Made inert: an id that was refused may hold anything. */
  readonly addon_id: string;
  readonly version: string;
  readonly ok: boolean;
  readonly outcome: string;
  readonly exit_code: ExitCode;
  readonly binary_path: string | null;
  readonly digest: string | null;
  readonly signature: {
    readonly verified: boolean;
    readonly keyid: string | null;
    readonly keyids: readonly string[];
  };
  readonly action: string;
  readonly error: FailureDocument | null;
  /** The version that is assigned; `version` is the one in place. */
  readonly wanted_version: string;
};

export function addonDocument(result: AddonResult): AddonDocument {
  const { failure } = result;
  return {
    addon_id: printable(result.addonId),
    version: printable(result.version),
    ok: failure === null,
    outcome: result.outcome,
    exit_code: failure === null ? EXIT.ok : exitCodeOf(failure.code),
    binary_path: result.binaryPath,
    digest: result.sha256 === null ? null : `sha256:${result.sha256}`,
    signature: { verified: result.keyid !== null, keyid: result.keyid, keyids: result.keyids },
    action: result.action,
    error: failure?.toDocument() ?? null,
    wanted_version: printable(result.wantedVersion),
  };
}

/** One line for each add-on. */
export function describeResults(results: readonly AddonResult[]): string {
  if (results.length === 0) return "no add-on is assigned\n";
  return results
    .map((result) => {
      const version = result.version === "" ? "" : ` ${printable(result.version, 140)}`;
      const path = result.binaryPath === null ? "" : ` ${printable(result.binaryPath, 4096)}`;
      return `${printable(result.addonId, 140)}${version}: ${result.outcome}${path}\n`;
    })
    .join("");
}

type StageDocument = {
  readonly checked: number;
  readonly addons: readonly AddonDocument[];
  readonly warnings: HostReport["warnings"];
  readonly assignments: HostReport["assignments"];
  readonly config_version: string | null;
  readonly root: string;
  readonly layout: string;
  readonly platform: string;
};

/** The members of the document of a run, and its failures with the names of their add-ons. */
export function stageDocument(
  report: HostReport,
  layout: Layout,
  platform: Platform,
): { readonly document: StageDocument; readonly failures: readonly Failure[] } {
  return {
    document: {
      checked: report.results.length,
      addons: report.results.map(addonDocument),
      warnings: report.warnings,
      assignments: report.assignments,
      config_version: report.configVersion === null ? null : printable(report.configVersion, 140),
      root: layout.root,
      layout: layout.name,
      platform: shownPlatform(platform),
    },
    failures: report.results.flatMap(({ addonId, failure }) =>
      failure === null
        ? []
        : [new Failure(failure.code, `add-on ${quoted(addonId)}: ${failure.message}`, failure)],
    ),
  };
}
