import type { Assignment } from "../assigned/assignment.ts";
import type { Layout } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import { safeName } from "../names.ts";
import type { Sha256 } from "../../base/digest.ts";
import { sha256Of } from "../../base/hashing.ts";
import type { Launch } from "../../host/hand-over.ts";
import { USUAL_HEALTH, type Health } from "./health.ts";
import type { Environment } from "./launch.ts";
import { prepareLaunch, type Starter } from "./prepare-launch.ts";
import { readManifest } from "./manifest-file.ts";
import { verifiedProgram } from "./verified-program.ts";

/** What an add-on is to run as, before anything of it was read. */
export type StartPlan = {
  readonly id: string;
  readonly version: string;
  /** Of its artifact; null for a program of the host. */
  readonly sha256: Sha256 | null;
  /** The same key starts the same thing in the same way. */
  readonly key: string;
  /** Reads what is to be started, every byte of it. Throws Failure. */
  readonly prepare: (stop: AbortSignal) => Promise<Ready>;
};

export type Ready = {
  readonly launch: Launch;
  readonly health: Health;
  readonly state: string;
  /** Throws Failure `file_changed` when something changed since it was read. */
  readonly requireUnchanged: () => void;
};

/** What systemd says to us, and not to what we start. */
const OURS = /^(?:NOTIFY_SOCKET|WATCHDOG_|INVOCATION_ID|JOURNAL_STREAM|MEMORY_PRESSURE_)|_DIRECTORY$/u;

function withoutOurs(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !OURS.test(name)));
}

export function keyOfSpec(spec: Spec): string {
  return sha256Of(JSON.stringify(spec));
}

/** A staged version. */
export function planOfSpec(spec: Spec, layout: Layout, environment: Environment, usual: Health): StartPlan {
  const paths = layout.addon(safeName(spec.addon_id, "the add-on"));
  return {
    id: spec.addon_id,
    version: spec.version,
    sha256: spec.artifact_sha256,
    key: keyOfSpec(spec),
    prepare: async (stop) => {
      const program = await verifiedProgram(paths, spec, stop);
      const health = readManifest(paths, spec.folder).health ?? usual;
      const ready = prepareLaunch(paths, spec, program.path, starterOf(layout, environment));
      return { ...ready, health, requireUnchanged: program.requireUnchanged };
    },
  };
}

/** A program that the host has; what it is was looked at when it was assigned. */
export function planOfHostProgram(
  assignment: Assignment,
  layout: Layout,
  environment: Environment,
): StartPlan {
  const paths = layout.addon(safeName(assignment.addon_id, "the add-on"));
  const { addon_id: id, version, args, config_json, binary_path } = assignment;
  return {
    id,
    version,
    sha256: null,
    key: sha256Of(JSON.stringify([id, version, args, config_json ?? null, binary_path])),
    prepare: () => {
      const ready = prepareLaunch(paths, assignment, binary_path, starterOf(layout, environment));
      return Promise.resolve({ ...ready, health: USUAL_HEALTH, requireUnchanged: () => {} });
    },
  };
}

function starterOf(layout: Layout, environment: Environment): Starter {
  return { layout, environment: withoutOurs(environment), args: [], passed: [], state: null };
}
