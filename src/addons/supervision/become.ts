import { askOf } from "../assigned/ask.ts";
import type { AddonPaths, Layout } from "../on-host/layout.ts";
import { safeName } from "../names.ts";
import type { Platform } from "../assigned/platform.ts";
import { readRemembered } from "../assigned/remembered-list.ts";
import { sameSpec, type Spec } from "../on-host/spec.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { quoted } from "../../base/printable.ts";
import { handOver } from "../../host/hand-over.ts";
import { systemdDirectory } from "./launch.ts";
import { prepareLaunch, type Starter } from "./prepare-launch.ts";
import { startSpecs, verifiedProgram } from "./verified-program.ts";

export type BecomeRequest = {
  readonly layout: Layout;
  readonly platform: Platform;
  readonly id: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Variables that the add-on gets besides the usual ones. */
  readonly passed: readonly string[];
  readonly stop: AbortSignal;
  /** Says why something else starts than what is active; resolves when it is written. */
  readonly tell: (message: string) => Promise<void>;
};

/**
 * Becomes the program of an add-on: what is active, or the last known good when that is not whole or does not start.
 * Returns only by throwing Failure, the first one that was met.
 */
export async function become(request: BecomeRequest): Promise<never> {
  const { layout, stop } = request;
  const id = safeName(request.id, "the add-on");
  const paths = layout.addon(id);
  const credentials = systemdDirectory(request.environment, "CREDENTIALS");
  const { active, last_known_good: good } = startSpecs(paths, credentials);
  const specs = [active, sameSpec(active, good) ? null : good].filter((spec) => spec !== null);
  if (specs.length === 0) return becomeHostProgram(request);
  const failures: Failure[] = [];
  for (const [index, spec] of specs.entries()) {
    try {
      return await becomeVersion(spec, paths, request);
    } catch (error) {
      throwIfStopped(stop, `starting add-on ${quoted(id)}`);
      const failure = storageFailure(error, paths.directory);
      failures.push(failure);
      const next = specs[index + 1];
      if (next !== undefined) {
        await request.tell(`${failure.message}; the last known good ${quoted(next.version)} is started`);
      }
    }
  }
  throw failures[0] ?? new Failure("nothing_checked", `nothing is in place of add-on ${quoted(id)}`);
}

async function becomeVersion(spec: Spec, paths: AddonPaths, request: BecomeRequest): Promise<never> {
  const program = await verifiedProgram(paths, spec, request.stop);
  const { launch } = prepareLaunch(paths, spec, program.path, starterOf(request));
  program.requireUnchanged();
  handOver(launch);
}

function starterOf(request: BecomeRequest): Starter {
  return { ...request, state: systemdDirectory(request.environment, "STATE") };
}

/** An add-on that a package of the host brings: never fetched, and known by the list that was fetched last. */
function becomeHostProgram(request: BecomeRequest): never {
  const { layout, platform, id } = request;
  const remembered = readRemembered(layout);
  if (remembered instanceof Failure) throw remembered;
  const assignment = remembered?.list.assignments.find((one) => one.addon_id === id);
  const ask = assignment === undefined ? null : askOf(assignment, platform, layout);
  if (assignment !== undefined && ask?.kind === "use_host_binary") {
    const paths = layout.addon(safeName(id, "the add-on"));
    try {
      handOver(prepareLaunch(paths, assignment, ask.path, starterOf(request)).launch);
    } catch (error) {
      throw storageFailure(error, paths.directory);
    }
  }
  if (ask?.kind === "acknowledged") {
    throw new Failure("supervision_unsupported", `add-on ${quoted(id)} is a setting, and starts nothing`);
  }
  if (ask?.kind === "refuse" || ask?.kind === "unsupported") throw ask.failure;
  throw new Failure("nothing_checked", `nothing is in place of add-on ${quoted(id)}`, {
    hint: "stage it with: waybill addon-stage",
  });
}
