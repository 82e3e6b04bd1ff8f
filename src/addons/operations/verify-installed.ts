import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { checkAddon, type Checking } from "./fsck.ts";
import type { HostAddon } from "../on-host/inventory.ts";

export type Proof = {
  readonly addonId: string;
  readonly accepted: {
    readonly addon_id: string;
    readonly version: string;
    readonly folder: string;
    readonly sha256: string;
    readonly keyid: string | null;
  };
  readonly failure: Failure | null;
};

/** Whether what `current` shows is what was verified, byte by byte, and signed when keys are given. */
export async function verifyInstalled(addon: HostAddon, checking: Checking): Promise<Proof> {
  const { current } = addon;
  const shown = addon.folders.filter(({ folder }) => folder === current);
  const findings = current === null ? [] : await checkAddon({ ...addon, folders: shown }, false, checking);
  const found = findings.find(({ folder }) => folder === current);
  const version = shown[0]?.record?.version ?? "";
  const accepted = {
    addon_id: addon.id,
    version,
    folder: current ?? "",
    sha256: found?.sha256 ?? "",
    keyid: found?.keyid ?? null,
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
  return { addonId: addon.id, accepted, failure: null };
}
