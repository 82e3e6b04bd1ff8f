import { checkChain } from "../addons/audit/audit-chain.ts";
import { readLog } from "../addons/audit/read-log.ts";
import { verifyInstalled, type Proof } from "../addons/operations/verify-installed.ts";
import { readInventory } from "../addons/on-host/inventory.ts";
import type { Layout } from "../addons/on-host/layout.ts";
import { platformOf } from "../addons/assigned/platform.ts";
import { requireRoot } from "../addons/on-host/open-root.ts";
import { isSha256, type Sha256 } from "../base/digest.ts";
import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { readLayout, ROOT_FLAGS } from "./addon-flags.ts";
import { readSigners, SIGNERS_FLAGS } from "./addon-signers.ts";
import { hostTime } from "./host-time.ts";

export const verifyAddon: Command = defineCommand({
  name: "addon",
  description: "prove that what a host runs is what was verified, and that its log was not changed",
  args: {
    id: { type: "positional", required: false, description: "the add-on (all of them)" },
    ...SIGNERS_FLAGS,
    "audit-head": {
      type: "string",
      valueHint: "HEX",
      description: "a digest of a log line noted earlier, which has to be in the log still",
    },
    ...ROOT_FLAGS,
  },
  examples: [
    "waybill verify addon --root /var/lib/waybill --key release.pub",
    "waybill verify addon --trust trust.json --trust-state trust.seen",
    "waybill verify addon sensor",
  ],
  exits: [
    ...(["partial", "policy", "untrusted", "missing", "mismatch"] as const),
    ...(["protocol", "server", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0, accepted: [], refusals: [] },
  act: async (flags, world) => {
    const layout = readLayout(flags, world);
    const head = readHead(flags["audit-head"]);
    requireRoot(layout);
    const now = hostTime(layout, world);
    const keys = await readSigners(flags, layout, now, world);
    const addons = readInventory(layout, flags.id === undefined ? [] : [flags.id]);
    const platform = platformOf(process.platform, process.arch);
    const proofs: Proof[] = [];
    for (const addon of addons) {
      proofs.push(
        await verifyInstalled(addon, { layout, platform, keys, now, stop: world.stop, noting: null }),
      );
    }
    if (proofs.length === 0) {
      throw new Failure("nothing_checked", `no add-on is staged under ${quoted(layout.root)}`);
    }
    const audit = await readAudit(layout, head);
    const refusals = [
      ...proofs.flatMap(({ failure }) => (failure === null ? [] : [failure])),
      ...audit.refusals,
    ];
    return {
      exit: exitOf(refusals, proofs.length),
      document: {
        checked: proofs.length,
        accepted: proofs.flatMap((proof) => (proof.failure === null ? [proof.accepted] : [])),
        refusals: refusals.map((failure) => failure.toDocument()),
        audit: audit.document,
      },
      text: proofs
        .map(({ addonId, accepted, failure }) =>
          failure === null
            ? `${addonId} ${accepted.version}: sha256:${accepted.sha256}${signedBy(accepted)}\n`
            : `${addonId}: ${failure.code}\n`,
        )
        .join(""),
      failures: refusals,
    };
  },
});

function readHead(text: string | undefined): Sha256 | undefined {
  const found = text?.toLowerCase();
  if (found === undefined || isSha256(found)) return found;
  throw new Failure("invalid_value", `--audit-head is ${quoted(found)}; wanted 64 characters of hex`);
}

function signedBy({ keyids, threshold }: Proof["accepted"]): string {
  if (keyids.length === 0) return "";
  const count = threshold === null || threshold === 1 ? "" : `${keyids.length} keys, wanted ${threshold}: `;
  return ` signed by ${count}${keyids.join(", ")}`;
}

type Audit = { document: { lines: number; head: string; ok: boolean } | null; refusals: Failure[] };

async function readAudit(layout: Layout, wantedHead: Sha256 | undefined): Promise<Audit> {
  const bytes = await readLog(layout.audit);
  if (bytes === null && wantedHead === undefined) return { document: null, refusals: [] };
  const chain = checkChain(new TextDecoder().decode(bytes ?? undefined), wantedHead);
  const document = { lines: chain.lines, head: chain.head, ok: chain.problem === null };
  if (chain.problem === null) return { document, refusals: [] };
  const failure = new Failure("audit_broken", `the audit log ${quoted(layout.audit)}: ${chain.problem}`, {
    hint: "lines were changed or removed; compare it with a copy kept elsewhere",
  });
  return { document, refusals: [failure] };
}

function exitOf(refusals: readonly Failure[], checked: number): ExitCode {
  const codes = refusals.map(({ exitCode }) => exitCode);
  const [first] = codes;
  if (first === undefined) return EXIT.ok;
  return codes.every((code) => code === first) || checked === 1 ? first : EXIT.partial;
}
