import { AuditLog } from "../addons/audit/audit-log.ts";
import { failuresOf } from "../addons/failures.ts";
import { checkAddon, type Finding } from "../addons/operations/fsck.ts";
import { readInventory } from "../addons/on-host/inventory.ts";
import type { Layout } from "../addons/on-host/layout.ts";
import { platformOf } from "../addons/assigned/platform.ts";
import type { ReleaseKeys } from "../addons/staging/release-signers.ts";
import type { Warning } from "../addons/warning.ts";
import { requireRoot } from "../addons/on-host/open-root.ts";
import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import { defineCommand, type Command, type World } from "../cli/command.ts";
import { alone, LOCK_FLAG, readLayout, ROOT_FLAGS } from "./addon-flags.ts";
import { readSigners, SIGNERS_FLAGS } from "./addon-signers.ts";
import { hostTime } from "./host-time.ts";

export const addonFsck: Command = defineCommand({
  name: "fsck",
  description: "read every staged byte again and hold it against what was verified",
  args: {
    id: { type: "string", repeat: true, valueHint: "ID", description: "only this add-on (all of them)" },
    repair: {
      type: "boolean",
      description: "make damaged versions whole from the kept artifacts, without network",
    },
    ...SIGNERS_FLAGS,
    ...ROOT_FLAGS,
    ...LOCK_FLAG,
  },
  examples: ["waybill addon fsck", "waybill addon fsck --repair --key release.pub"],
  exits: [
    "partial",
    "policy",
    "untrusted",
    "missing",
    "protocol",
    "conflict",
    "server",
    "interrupted",
    "terminated",
  ],
  emptyDocument: { checked: 0, findings: [] },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const now = hostTime(layout, world);
    const keys = await readSigners(flags, layout, now, world);
    const check = (): Promise<Finding[]> => checkAll(layout, flags, keys, now, world);
    if (!flags.repair) requireRoot(layout);
    const findings = flags.repair ? await alone(layout, flags["lock-timeout"], world, check) : await check();
    if (findings.length === 0) {
      throw new Failure("nothing_checked", `no version is staged under ${quoted(layout.root)}`);
    }
    return {
      exit: exitOf(findings),
      document: {
        checked: findings.length,
        repaired: findings.filter(({ repaired }) => repaired).length,
        findings: findings.map((one) => ({
          addon_id: one.addonId,
          folder: one.folder,
          ok: one.failure === null,
          repaired: one.repaired,
          digest: one.sha256 === null ? null : `sha256:${one.sha256}`,
          keyid: one.keyid,
          keyids: one.keyids,
          error: one.failure?.toDocument() ?? null,
        })),
      },
      text: findings.map(describe).join(""),
      failures: failuresOf(findings),
    };
  },
});

async function checkAll(
  layout: Layout,
  { id: ids, repair }: { readonly id: readonly string[]; readonly repair: boolean },
  keys: ReleaseKeys | null,
  now: Date,
  world: World,
): Promise<Finding[]> {
  const audit = new AuditLog(layout.audit, world.now);
  const warn = (warning: Warning): void => world.say.warn(warning.message);
  const noting = repair ? { audit, warn } : null;
  const platform = platformOf(process.platform, process.arch);
  const findings: Finding[] = [];
  for (const addon of readInventory(layout, ids)) {
    findings.push(...(await checkAddon(addon, { layout, platform, keys, now, stop: world.stop, noting })));
  }
  return findings;
}

/** What could not be repaired counts, whatever else is well; partial when it is of several classes. */
function exitOf(findings: readonly Finding[]): ExitCode {
  const failures = findings.flatMap(({ failure }) => (failure === null ? [] : [failure.exitCode]));
  const [first] = failures;
  if (first === undefined) return EXIT.ok;
  const alike = failures.every((code) => code === first);
  return alike ? first : EXIT.partial;
}

function describe({ addonId, folder, failure, repaired }: Finding): string {
  const what = folder === null ? "" : ` ${folder}`;
  const how = failure === null ? (repaired ? "repaired" : "whole") : failure.code;
  return `${printable(addonId, 140)}${what}: ${how}\n`;
}
