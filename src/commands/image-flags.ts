import { Failure } from "../base/failure.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import type { WantedPin } from "../pins/pin.ts";
import type { Exchange } from "../pins/pin-client.ts";
import type { ImageChecks } from "./image-checks.ts";

/** What `promote` and `verify pin` ask a registry. */
export const IMAGE_CHECK_FLAGS = {
  "check-artifact": { type: "boolean", description: "prove that the digest is in its registry" },
  "image-repo": {
    type: "string",
    valueHint: "[T=]HOST/REPO",
    repeat: true,
    description: "where the image of the pin (of template T) is",
  },
  platform: {
    type: "string",
    valueHint: "OS/ARCH",
    repeat: true,
    description: "a platform that the image has to be for",
  },
  "trust-bytes": {
    type: "boolean",
    description: "go by the manifest's bytes when the registry says another digest, or none",
  },
  "docker-config": {
    type: "string",
    valueHint: "FILE",
    description: "config.json with the logins of registries (also: config.json in the folder DOCKER_CONFIG)",
  },
  "registry-cacert": {
    type: "string",
    valueHint: "FILE",
    description: "PEM certificates to trust for the registry in place of the system's",
  },
} as const;

export const IMAGE_FLAG = {
  image: {
    type: "string",
    valueHint: "HOST/REPO:TAG",
    description: "the image, in place of --digest: its digest is read from the registry",
  },
} as const;

export type CheckFlags = Values<typeof IMAGE_CHECK_FLAGS> & {
  readonly image?: string | undefined;
  readonly "allow-insecure-http": boolean;
  readonly "retry-interval": string;
};

/** Stands where the digest will be once --image was read; nothing is sent with it. */
const UNREAD = `sha256:${"0".repeat(64)}`;

/** The flags as `readPins` takes them, when the digest comes from a registry. */
export function withUnreadDigest<
  F extends { readonly digest: string | undefined; readonly pin: readonly string[] },
>(flags: F & { readonly image: string | undefined }): F {
  if (flags.image === undefined) return flags;
  if (flags.digest !== undefined || flags.pin.length > 0) {
    const other = flags.digest === undefined ? "--pin" : "--digest";
    throw new Failure("flags_contradict", `--image and ${other} contradict each other`, {
      hint: "the digest is read from the registry, or given; to have a given one looked up there: --check-artifact",
    });
  }
  return { ...flags, digest: UNREAD };
}

/** Null when no registry is to be asked. Throws Failure with a usage or an auth code; no server is asked. */
export async function openImageChecks(
  flags: CheckFlags,
  pins: readonly WantedPin[],
  exchange: Exchange,
  world: World,
): Promise<ImageChecks | null> {
  if (flags.image !== undefined || flags["check-artifact"]) {
    // Most runs ask no registry and need not load what can.
    const { ImageChecks } = await import("./image-checks.ts");
    const { readImageSettings } = await import("./image-settings.ts");
    return new ImageChecks(readImageSettings(flags, pins, exchange, world), world);
  }
  for (const name of ["image-repo", "platform", "trust-bytes", "docker-config", "registry-cacert"] as const) {
    const value = flags[name];
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue;
    throw new Failure("flags_contradict", `--${name} was given without --check-artifact`, {
      hint: "no registry is asked without it",
    });
  }
  return null;
}
