import type { RolledBack } from "../addons/operations/roll-back.ts";
import { EXIT } from "../base/exit-codes.ts";
import { printable } from "../base/printable.ts";
import type { Outcome } from "../cli/command.ts";

/** What `addon rollback` says, whoever asked for it. */
export function rolledBack({ from, to, path, warnings }: RolledBack): Outcome {
  return {
    exit: EXIT.ok,
    document: {
      checked: 1,
      addon_id: to.addon_id,
      from: from === null ? null : { version: from.version, digest: `sha256:${from.artifact_sha256}` },
      to: { version: to.version, digest: `sha256:${to.artifact_sha256}` },
      binary_path: path,
      blocked: from === null ? [] : [`sha256:${from.artifact_sha256}`],
      warnings,
    },
    text: `${to.addon_id}: ${printable(from?.version ?? "nothing", 140)} -> ${printable(to.version, 140)}\n`,
  };
}
