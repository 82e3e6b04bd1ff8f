import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { isTemplate, type WantedPin } from "../pins/pin.ts";
import type { Exchange } from "../pins/pin-client.ts";
import type { ImageRule } from "../stores/image.ts";
import { parseImage, parseImageRepository } from "../stores/image-reference.ts";
import type { OciReference } from "../stores/oci-reference.ts";
import type { RegistryAccess } from "../stores/registry-request.ts";
import { readDockerLogins } from "./docker-logins.ts";
import type { CheckFlags } from "./image-flags.ts";
import { readCertificates } from "./network-flags.ts";

/** What a registry is asked, and how. */
export type ImageSettings = {
  /** The image of --image. */
  readonly image: OciReference | null;
  /** The repositories of --image-repo, by template. */
  readonly repositories: ReadonlyMap<string, OciReference>;
  readonly access: RegistryAccess;
  readonly rule: ImageRule;
};

/** Throws Failure with a usage code; no server is asked. */
export function readImageSettings(
  flags: CheckFlags,
  pins: readonly WantedPin[],
  exchange: Exchange,
  world: World,
): ImageSettings {
  const { image } = flags;
  if (image !== undefined && flags["image-repo"].length > 0) {
    throw new Failure("flags_contradict", "--image and --image-repo contradict each other");
  }
  const ca = flags["registry-cacert"];
  return {
    image: image === undefined ? null : parseImage(image, "--image"),
    repositories: readRepositories(flags["image-repo"], pins),
    access: {
      logins: readDockerLogins(flags["docker-config"], world),
      token: undefined,
      reach: {
        ca: ca === undefined ? undefined : readCertificates(ca, "--registry-cacert", world),
        proxyFor: (url) => exchange.connection(url).proxy,
      },
      allowInsecureHttp: flags["allow-insecure-http"],
      keepSecret: (text) => world.secrets.register(text),
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
