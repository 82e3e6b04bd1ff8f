import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { Layout } from "./layout.ts";
import { shownPlatform, type Platform } from "./platform.ts";
import { addonDocument, type AddonDocument } from "./stage-document.ts";
import type { HostReport } from "./stage-host.ts";

type StageDocument = {
  readonly checked: number;
  readonly addons: readonly AddonDocument[];
  readonly warnings: HostReport["warnings"];
  readonly assignments: HostReport["assignments"];
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
