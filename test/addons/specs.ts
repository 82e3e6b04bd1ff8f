import { isSafeName } from "../../src/addons/names.ts";
import { advance, NO_SPECS, type Spec, type Specs } from "../../src/addons/on-host/spec.ts";
import { sha256Of } from "../../src/base/hashing.ts";

/** The spec of a sensor; its bytes are as its version is called. */
export function specNamed(version: string, more: Partial<Spec> = {}): Spec {
  if (!isSafeName(version)) throw new Error(version);
  return {
    addon_id: "sensor",
    version,
    folder: version,
    binary_name: "sensor",
    artifact_sha256: sha256Of(version),
    supervision: "agent_sidecar",
    args: [],
    capabilities: [],
    os_capabilities: [],
    ...more,
  };
}

/** What a host knows after runs in which these versions were found or put in place. */
export function specsAfter(...versions: string[]): Specs {
  return versions.reduce((specs, version) => advance(specs, specNamed(version), version), NO_SPECS);
}
