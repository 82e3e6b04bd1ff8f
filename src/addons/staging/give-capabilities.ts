import { allowedCapabilities } from "../assigned/capabilities.ts";
import { capabilityStrategy, type CapabilityStrategy } from "../assigned/capability-strategy.ts";
import type { Layout } from "../on-host/layout.ts";
import {
  fileCapabilities,
  hasNoNewPrivileges,
  isMountedNoSuid,
  setFileCapabilities,
} from "../../host/file-capabilities.ts";

type Assigned = { readonly os_capabilities: readonly string[]; readonly supervision: string };

/** How what is assigned gets its capabilities on this host. Throws Failure `capability_unavailable`. */
export function strategyFor(
  { os_capabilities: names, supervision }: Assigned,
  layout: Layout,
  isHost: boolean,
): CapabilityStrategy & { readonly onFile: readonly string[] } {
  const capabilities = allowedCapabilities(names);
  const strategy = capabilityStrategy({
    capabilities,
    supervision,
    isHost,
    isNoSuid: capabilities.length > 0 && isMountedNoSuid(layout.root),
    noNewPrivileges: capabilities.length > 0 && hasNoNewPrivileges(),
  });
  return { ...strategy, onFile: strategy.kind === "file" ? capabilities : [] };
}

/** Exactly these, read back; a program that has none and gets none is not touched. Throws Failure. */
export function giveFileCapabilities(path: string, names: readonly string[]): void {
  if (process.platform !== "linux") return;
  if (names.length === 0 && fileCapabilities(path)?.length === 0) return;
  setFileCapabilities(path, names);
}
