import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";

export type CapabilityFacts = {
  /** Of the allow-list, in one spelling. */
  readonly capabilities: readonly string[];
  readonly supervision: string;
  /** Whether what is staged is to run on this machine. */
  readonly isHost: boolean;
  /** Whether the file system of the root ignores capabilities of files. */
  readonly isNoSuid: boolean;
  /** Whether we, and with us what we start, may never gain privileges. */
  readonly noNewPrivileges: boolean;
};

/** How a program gets its capabilities, and why so. */
export type CapabilityStrategy = {
  readonly kind: "none" | "ambient" | "file";
  readonly why: string;
};

/**
 * A unit gives them as ambient ones, which hold whatever the file system and `NoNewPrivileges=` say. What others start
 * has them on its file, where either of the two would silently take them away: then it is refused. Throws Failure
 * `capability_unavailable`.
 */
export function capabilityStrategy(facts: CapabilityFacts): CapabilityStrategy {
  const { capabilities, supervision, isHost, isNoSuid, noNewPrivileges } = facts;
  if (capabilities.length === 0) return { kind: "none", why: "none are assigned" };
  if (supervision === "systemd_service" || supervision === "systemd_timer") {
    return {
      kind: "ambient",
      why: "its unit gives them, also with NoNewPrivileges= and on nosuid file systems",
    };
  }
  if (!isHost) return { kind: "none", why: "it is staged for another platform; that host gives them" };
  if (isNoSuid)
    throw unavailable(capabilities, "its root is mounted nosuid, where capabilities of files are void");
  if (noNewPrivileges)
    throw unavailable(capabilities, "no_new_privs is set here, which voids capabilities of files");
  return { kind: "file", why: "whoever starts it may be another user; they are on its file" };
}

function unavailable(capabilities: readonly string[], why: string): Failure {
  const names = capabilities.map((name) => quoted(name, 40)).join(", ");
  return new Failure("capability_unavailable", `the add-on cannot get ${names}: ${why}`, {
    hint: "assign it as systemd_service, whose unit gives them, or mount the root without nosuid",
  });
}
