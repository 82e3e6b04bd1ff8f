import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import type { TrustPolicy } from "../control-plane/pins/trust-policy.ts";
import type { ServeConfig } from "../control-plane/serve-config.ts";
import { openDataDirectory } from "../control-plane/storage/data-directory.ts";
import { isThere } from "../host/files.ts";
import { judgingTime } from "./judging-time.ts";
import { openPolicyFile, proven, readTrustedOf, repositoryName } from "./policy-flags.ts";

export const SERVE_POLICY_FLAGS = {
  policy: {
    type: "string",
    valueHint: "FILE",
    description: "a signed policy: what it does not allow is not promoted, whoever asks",
  },
  "policy-key": {
    type: "string",
    repeat: true,
    valueHint: "FILE|TEXT",
    description: "a public key that may sign the policy (else the role policy of --trust)",
  },
  trust: {
    type: "string",
    valueHint: "ROOT",
    description: "with --policy: a trust root whose keys must have signed, beside those that the rules name",
  },
} as const;

type PolicyValues = Values<typeof SERVE_POLICY_FLAGS>;

/**
 * One policy and those who may sign it, all from the flags or
 * all from the file: never one with the keys of the other.
 */
export function mergedPolicy(
  { policy, "policy-key": keys, trust }: PolicyValues,
  config: ServeConfig,
  beside: (file: string | undefined) => string | undefined,
): PolicyValues {
  if (policy !== undefined || keys.length > 0 || trust !== undefined) {
    return { policy, "policy-key": keys, trust };
  }
  const named = (config.policy_keys ?? []).map((key) => {
    const file = beside(key);
    return file !== undefined && existsSync(file) ? file : key;
  });
  return { policy: beside(config.policy), "policy-key": named, trust: beside(config.trust) };
}

/** The newest policy that was enforced from a data folder: until it expires an older one is as well signed. */
const SEEN = "policy-seen.json";

/**
 * The policy to enforce, its signatures and validity checked; null for none. Throws Failure, `policy_rollback` for none
 * where one was enforced: a member that fell out of the configuration must not open production.
 */
export function readTrustPolicy(
  { policy: file, "policy-key": keys, trust }: PolicyValues,
  data: string,
  world: World,
): TrustPolicy | null {
  if (file === undefined) {
    if (trust === undefined && keys.length === 0) {
      refuseForgotten(data);
      return null;
    }
    const stray = trust === undefined ? "--policy-key" : "--trust";
    throw new Failure("flags_contradict", `${stray} was given without --policy, which it is for`);
  }
  const path = resolve(world.cwd, file);
  const directory = openDataDirectory(data, true);
  const flags = {
    policy: path,
    "policy-key": keys,
    "policy-state": join(directory.path, SEEN),
    key: [],
    trust: trust === undefined ? undefined : resolve(world.cwd, trust),
    "trust-state": undefined,
    role: undefined,
    threshold: undefined,
  };
  const { policy, sha256 } = proven(openPolicyFile(path, flags, judgingTime(world)), path, world);
  const trusted = readTrustedOf(flags);
  return {
    policy,
    sha256,
    trusted: (subject, at) => trusted?.(subject, at) ?? (() => null),
    repositoryName,
  };
}

function refuseForgotten(data: string): void {
  const seen = join(openDataDirectory(data, true).path, SEEN);
  if (!isThere(seen, "the newest policy")) return;
  throw new Failure("policy_rollback", `${quoted(data)} has enforced a policy, and none is named now`, {
    hint: `name it with --policy; where none is to be enforced any more, remove ${quoted(seen)}`,
  });
}
