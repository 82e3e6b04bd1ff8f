import { join, resolve } from "node:path";
import { isImageDigest } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { parseDuration } from "../cli/durations.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { readBounded } from "../host/files.ts";
import { isTemplate, type WantedPin } from "../pins/pin.ts";
import type { Exchange } from "../pins/pin-client.ts";
import { DockerLogins, parseDockerConfig } from "../stores/docker-config.ts";
import type { ImageRule } from "../stores/image.ts";
import { parseImage, parseImageRepository } from "../stores/image-reference.ts";
import type { OciReference } from "../stores/oci-reference.ts";
import type { RegistryAccess } from "../stores/oci-registry.ts";
import { readCertificates } from "./network-flags.ts";

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

type CheckFlags = Values<typeof IMAGE_CHECK_FLAGS> & {
  readonly "allow-insecure-http": boolean;
  readonly "retry-interval": string;
};

/** What is to be asked, and how. */
export type ImageChecks = {
  /** The image of --image. */
  readonly image: OciReference | null;
  /** The repositories of --image-repo, by template. */
  readonly repositories: ReadonlyMap<string, OciReference>;
  readonly access: RegistryAccess;
  readonly rule: ImageRule;
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
export function readImageChecks(
  flags: CheckFlags & { readonly image?: string | undefined },
  pins: readonly WantedPin[],
  exchange: Exchange,
  world: World,
): ImageChecks | null {
  const { image } = flags;
  if (image === undefined && !flags["check-artifact"]) {
    for (const name of [
      "image-repo",
      "platform",
      "trust-bytes",
      "docker-config",
      "registry-cacert",
    ] as const) {
      const value = flags[name];
      if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue;
      throw new Failure("flags_contradict", `--${name} was given without --check-artifact`, {
        hint: "no registry is asked without it",
      });
    }
    return null;
  }
  if (image !== undefined && flags["image-repo"].length > 0) {
    throw new Failure("flags_contradict", "--image and --image-repo contradict each other");
  }
  const ca = flags["registry-cacert"];
  const keepSecret = (text: string): void => world.secrets.register(text);
  return {
    image: image === undefined ? null : parseImage(image, "--image"),
    repositories: readRepositories(flags["image-repo"], pins),
    access: {
      logins: readLogins(flags["docker-config"], world, keepSecret),
      token: undefined,
      tls: { ca: ca === undefined ? undefined : readCertificates(ca, "--registry-cacert", world) },
      proxyFor: (url) => exchange.connection(url).proxy,
      allowInsecureHttp: flags["allow-insecure-http"],
      keepSecret,
    },
    rule: {
      platforms: flags.platform.map(readPlatform),
      trustBytes: flags["trust-bytes"],
      attemptTimeoutMs: exchange.attemptTimeoutMs,
      tries: 3,
      intervalMs: parseDuration(flags["retry-interval"], "--retry-interval"),
      clock: SYSTEM_CLOCK,
      stop: exchange.stop,
    },
  };
}

function readRepositories(texts: readonly string[], pins: readonly WantedPin[]): Map<string, OciReference> {
  const found = new Map<string, OciReference>();
  for (const text of texts) {
    const cut = text.indexOf("=");
    const template = cut === -1 ? theOnly(pins) : text.slice(0, cut);
    if (!isTemplate(template) || !pins.some((pin) => pin.template === template)) {
      throw new Failure("invalid_value", `--image-repo is for ${quoted(template)}, which no pin is for`);
    }
    if (found.has(template)) throw new Failure("flag_repeated", `--image-repo names ${template} twice`);
    found.set(template, parseImageRepository(text.slice(cut + 1), "--image-repo"));
  }
  return found;
}

function theOnly(pins: readonly WantedPin[]): string {
  const [only] = pins;
  if (pins.length === 1 && only !== undefined) return only.template;
  throw new Failure("invalid_value", "--image-repo does not say which of the pins it is for", {
    hint: "write --image-repo TEMPLATE=HOST/REPO",
  });
}

function readPlatform(text: string): string {
  if (/^[a-z0-9]{1,20}\/[a-z0-9_]{1,20}(?:\/[a-z0-9]{1,20})?$/u.test(text)) return text;
  throw new Failure("invalid_value", `--platform is ${quoted(text)}; wanted os/arch, such as linux/amd64`);
}

/** The logins of a named file, or of $DOCKER_CONFIG, which need not be there. */
function readLogins(
  flag: string | undefined,
  world: World,
  keepSecret: (text: string) => void,
): DockerLogins {
  const folder = world.env["DOCKER_CONFIG"] ?? "";
  if (flag === undefined && folder === "") return new DockerLogins();
  const path = resolve(world.cwd, flag ?? join(folder, "config.json"));
  const bytes = readBounded(path, LIMITS.dockerConfigBytes, "the Docker configuration", "config_unreadable");
  const logins = parseDockerConfig(bytes, path);
  for (const password of logins.passwords) keepSecret(password);
  return logins;
}

/** The pins, with the digest that --image turned out to have. */
export function withDigest(pins: readonly WantedPin[], digest: string): WantedPin[] {
  if (!isImageDigest(digest)) throw new RangeError("no digest");
  return pins.map((pin) => ({ ...pin, digest }));
}
