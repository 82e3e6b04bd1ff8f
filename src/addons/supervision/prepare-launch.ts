import type { AddonPaths, Layout } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import type { Launch } from "../../host/hand-over.ts";
import { launchOf, type Environment } from "./launch.ts";
import { stateDirectory, writeConfig } from "./state-directory.ts";

/** What somebody who starts an add-on brings along. */
export type Starter = {
  readonly layout: Layout;
  readonly environment: Environment;
  /** Behind the assigned arguments. */
  readonly args: readonly string[];
  /** Variables that the add-on gets besides the usual ones. */
  readonly passed: readonly string[];
  /** The state folder, when systemd made one. */
  readonly state: string | null;
};

/** Makes the state folder, writes the configuration anew, and says how the program starts. */
export function prepareLaunch(
  paths: AddonPaths,
  spec: Pick<Spec, "addon_id" | "version" | "args" | "config_json">,
  program: string,
  starter: Starter,
): { readonly launch: Launch; readonly state: string } {
  const state = stateDirectory(paths, starter.state);
  const config = writeConfig(state, spec);
  const places = { program, state, config, serviceradar: starter.layout.name === "serviceradar" };
  return { launch: launchOf(spec, places, starter.args, starter.environment, starter.passed), state };
}
