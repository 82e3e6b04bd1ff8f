import { resolve } from "node:path";
import { parseAssignmentsSource } from "../addons/assigned/assignments-source.ts";
import { shownPlatform } from "../addons/assigned/platform.ts";
import type { Layout } from "../addons/on-host/layout.ts";
import type { HostRequest } from "../addons/staging/stage-host.ts";
import { LIMITS } from "../base/limits.ts";
import type { World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { download } from "../stores/download.ts";
import type { Reach } from "../stores/http-object.ts";
import { sourcesOf } from "../stores/sources.ts";
import { LIST_FLAGS, LOCK_FLAG, readBytes, readPlanning, readToken, ROOT_FLAGS } from "./addon-flags.ts";
import { readStores, STORE_FLAGS } from "./store-flags.ts";

const LARGEST_FLAG = {
  "max-artifact-bytes": {
    type: "string",
    valueHint: "N",
    description: "the largest artifact that is fetched (1 GiB)",
  },
} as const;

/** Of the commands that bring a host to its list. */
export const STAGING_FLAGS: typeof ROOT_FLAGS &
  typeof LIST_FLAGS &
  typeof STORE_FLAGS &
  typeof LARGEST_FLAG &
  typeof LOCK_FLAG = { ...ROOT_FLAGS, ...LIST_FLAGS, ...STORE_FLAGS, ...LARGEST_FLAG, ...LOCK_FLAG };

/** What a host is brought to its list with, and what else asks its control plane reaches it by. */
export type StagingRequest = HostRequest & { readonly reach: Reach };

type Wishes = Pick<HostRequest, "strict" | "retryNow">;

/** What the flags ask for, with the keys, the permissions and the time as they are now. */
export async function readStagingRequest(
  flags: Values<typeof STAGING_FLAGS> & { readonly assignments: string },
  layout: Layout,
  { strict, retryNow }: Wishes,
  world: World,
): Promise<StagingRequest> {
  const planning = await readPlanning(flags, layout, world);
  const allowInsecureHttp = flags["allow-insecure-http"];
  const platform = shownPlatform(planning.platform);
  const { stores, choice, limits } = readStores(flags, allowInsecureHttp, platform, world);
  return {
    reach: choice.reach,
    source: parseAssignmentsSource(flags.assignments, {
      token: readToken(flags["token-env"], world),
      allowInsecureHttp,
      reach: choice.reach,
      cwd: world.cwd,
    }),
    overrideFile: flags.override === undefined ? null : resolve(world.cwd, flags.override),
    strict,
    retryNow,
    now: world.now,
    lockBudgetMs: parseDuration(flags["lock-timeout"], "--lock-timeout", { least: 0 }),
    run: {
      ...planning,
      maxArtifactBytes: readBytes(flags["max-artifact-bytes"], "--max-artifact-bytes", LIMITS.artifactBytes),
      download: (wanted, part, stop) =>
        download(sourcesOf(wanted, stores, choice), wanted, part, limits, stop),
    },
  };
}
