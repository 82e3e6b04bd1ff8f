import type { Sha256 } from "../../base/digest.ts";
import { asFailure, Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { parseRawSignature } from "../../trust/signature-text.ts";
import { allowedCapabilities } from "./capabilities.ts";
import type { Assignment } from "./assignment.ts";
import type { Layout } from "../on-host/layout.ts";
import { binaryNameOf, isSafeName, safeName, type SafeName } from "../names.ts";
import { choosePlatform, fits, shownPlatform, type Platform } from "./platform.ts";

const SUPERVISIONS = new Set(["agent_sidecar", "systemd_service", "systemd_timer", "ephemeral_helper"]);
const DELIVERIES = new Set(["pushed_artifact", "os_package", "compiled_in"]);

/** An assignment that passed everything that can be judged without looking at the host: nothing else is staged. */
export type Wanted = {
  readonly assignment: Assignment;
  readonly id: SafeName;
  readonly version: SafeName;
  readonly binaryName: SafeName;
  readonly sha256: Sha256;
  readonly objectKey: string;
  readonly signature: Uint8Array | null;
  /** The envelope of a signed statement, as text; "" for none. */
  readonly statement: string;
  /** The folder of this version, and the one it gets when other bytes already have that name. */
  readonly folder: SafeName;
  readonly replacementFolder: SafeName | null;
};

/** What an assignment asks for, before anybody looks at the host. */
export type Ask =
  | { readonly kind: "disabled" }
  | { readonly kind: "acknowledged" }
  | { readonly kind: "compiled_in" }
  | { readonly kind: "unsupported"; readonly failure: Failure }
  | { readonly kind: "use_host_binary"; readonly path: string }
  | { readonly kind: "artifact"; readonly wanted: Wanted }
  | { readonly kind: "refuse"; readonly failure: Failure };

export function askOf(assigned: Assignment, platform: Platform, layout: Layout): Ask {
  if (!assigned.enabled) return { kind: "disabled" };
  const supervision = assigned.supervision || "agent_sidecar";
  const delivery = assigned.delivery || "pushed_artifact";
  // A switch inside a program that is already there: the original only takes note of it.
  if (supervision === "config_toggle") return { kind: "acknowledged" };
  if (!SUPERVISIONS.has(supervision)) return unsupported("supervision", supervision, SUPERVISIONS);
  if (!DELIVERIES.has(delivery)) return unsupported("delivery", delivery, DELIVERIES);
  try {
    const assignment = withArtifactFor(assigned, platform);
    const id = safeName(assignment.addon_id, "addon_id");
    // Before anything is fetched: a set that is refused in part is refused whole.
    allowedCapabilities(assignment.os_capabilities);
    if (!fits(assignment.target_os, assignment.target_arch, platform)) {
      const target = `${assignment.target_os || "any"}/${assignment.target_arch || "any"}`;
      throw new Failure(
        "platform_unsupported",
        `the artifact is for ${quoted(target)}, this host is ${shownPlatform(platform)}`,
      );
    }
    if (delivery === "pushed_artifact" && isPushed(assignment)) {
      return { kind: "artifact", wanted: wantedOf(assignment, id, layout) };
    }
    return onHost(assignment, delivery);
  } catch (error) {
    return { kind: "refuse", failure: asFailure(error) };
  }
}

function unsupported(what: string, found: string, known: ReadonlySet<string>): Ask {
  const wanted = [...known].join(", ");
  return {
    kind: "unsupported",
    failure: new Failure(
      "supervision_unsupported",
      `${what} is ${quoted(found)}; this build knows ${wanted}`,
      {
        hint: "a newer waybill may know it",
      },
    ),
  };
}

/** The artifact of this platform in the place where a list for one platform has it. */
function withArtifactFor(assignment: Assignment, platform: Platform): Assignment {
  if (hasReference(assignment)) return assignment;
  const name = choosePlatform(Object.keys(assignment.artifacts), platform);
  const artifact = name === null ? undefined : assignment.artifacts[name];
  if (artifact === undefined) return assignment;
  return {
    ...assignment,
    artifact_object_key: artifact.object_key ?? "",
    artifact_sha256: artifact.sha256 ?? "",
    artifact_signature: artifact.signature ?? "",
    artifact_statement: artifact.statement ?? "",
  };
}

/** Any part of one counts: what is half there was meant to be whole, and is no reason to run something else. */
function hasReference(assignment: Assignment): boolean {
  return [assignment.artifact_object_key, assignment.artifact_sha256, assignment.artifact_signature].some(
    (part) => part !== "",
  );
}

/** A grant of the gateway is a place as well, and a statement is about something that was to be fetched. */
function isPushed(assignment: Assignment): boolean {
  return hasReference(assignment) || assignment.download_url !== "" || assignment.artifact_statement !== "";
}

function wantedOf(assignment: Assignment, id: SafeName, layout: Layout): Wanted {
  const {
    artifact_sha256: sha256,
    artifact_object_key: objectKey,
    artifact_signature: signature,
  } = assignment;
  if (sha256 === "" || (objectKey === "" && assignment.download_url === "")) {
    const missing = sha256 === "" ? "artifact_sha256" : "artifact_object_key or a download_url";
    throw new Failure("artifact_incomplete", `the assignment names an artifact without ${missing}`);
  }
  const version = safeName(assignment.version === "" ? sha256.slice(0, 12) : assignment.version, "version");
  const replacement = `${version}+${sha256.slice(0, 12)}`;
  return {
    assignment,
    id,
    version,
    binaryName: binaryNameOf(assignment.binary_path) ?? safeName(layout.defaultBinary(id), "the executable"),
    sha256,
    objectKey,
    signature: signature === "" ? null : parseRawSignature(signature, "artifact_signature"),
    statement: assignment.artifact_statement,
    folder: version,
    replacementFolder: isSafeName(replacement) ? replacement : null,
  };
}

function onHost(assignment: Assignment, delivery: string): Ask {
  const path = assignment.binary_path;
  if (path === "" && delivery === "compiled_in") return { kind: "compiled_in" };
  if (path === "") {
    throw new Failure("artifact_incomplete", "the assignment names neither an artifact nor a binary_path", {
      hint: "no artifact was published for this platform, or the assignment is incomplete",
    });
  }
  if (!path.startsWith("/") || path.includes("\u0000") || path.split("/").includes("..")) {
    throw new Failure("unsafe_path", `binary_path is ${quoted(path)}; wanted an absolute path without ..`);
  }
  return { kind: "use_host_binary", path };
}
