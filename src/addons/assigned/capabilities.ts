import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";

/** What an add-on may be given, as in the original. Each of the others is root by another name. */
const ALLOWED: ReadonlySet<string> = new Set([
  "cap_net_raw",
  "cap_net_admin",
  "cap_net_bind_service",
  "cap_bpf",
  "cap_perfmon",
  "cap_dac_read_search",
]);

/** The capabilities in one spelling, each once, sorted. Throws Failure `capability_unsafe` for the whole set. */
export function allowedCapabilities(names: readonly string[]): string[] {
  const found = names.map((name) => name.trim().toLowerCase());
  const unsafe = found.find((name) => !ALLOWED.has(name));
  if (unsafe === undefined) return [...new Set(found)].toSorted();
  throw new Failure(
    "capability_unsafe",
    `os_capabilities has ${quoted(unsafe, 60)}, which no add-on is given`,
    {
      hint: `allowed are: ${[...ALLOWED].join(", ")}`,
    },
  );
}
