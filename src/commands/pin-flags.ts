import { parseImageDigest } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { parseDuration } from "../cli/durations.ts";
import type { CommitRule } from "../pins/leg-warnings.ts";
import { GLOBAL_REGION, isGitSha, isRegion, isTemplate, type WantedPin } from "../pins/pin.ts";
import type { Exchange } from "../pins/pin-client.ts";
import { readConnections } from "./network-flags.ts";

/** Which control planes are talked to, and how: the same wherever pins are read. */
export const PLACE_FLAGS = {
  target: {
    type: "string",
    valueHint: "NAME=URL",
    repeat: true,
    description: "an environment and its control plane",
  },
  config: { type: "string", valueHint: "FILE", description: "environments from a file (or $WAYBILL_CONFIG)" },
  env: {
    type: "string",
    valueHint: "NAME",
    repeat: true,
    description: "an environment of the configuration",
  },
  all: { type: "boolean", description: "every environment of the configuration" },
  "token-env": {
    type: "string",
    valueHint: "NAME=VAR",
    repeat: true,
    description: "the variable with an environment's token",
  },
  "token-file": {
    type: "string",
    valueHint: "NAME=FILE",
    repeat: true,
    description: "the file with an environment's token",
  },
  "read-token-env": {
    type: "string",
    valueHint: "NAME=VAR",
    repeat: true,
    description: "a second token that may only read",
  },
  timeout: {
    type: "string",
    valueHint: "120s",
    default: "120s",
    description: "ceiling for each environment",
  },
  "attempt-timeout": {
    type: "string",
    valueHint: "10s",
    default: "10s",
    description: "ceiling for one request",
  },
  "retry-interval": { type: "string", valueHint: "5s", default: "5s", description: "between two requests" },
  strict: { type: "boolean", description: "refuse one token for two environments" },
  "user-agent": { type: "string", valueHint: "TEXT", description: "in place of waybill/VERSION" },
  cacert: {
    type: "string",
    valueHint: "FILE",
    description: "PEM certificates to trust in place of the system's",
  },
  "client-cert": {
    type: "string",
    valueHint: "FILE",
    description: "PEM certificate to show to servers that ask for one",
  },
  "client-key": { type: "string", valueHint: "FILE", description: "PEM private key of that certificate" },
  proxy: {
    type: "string",
    valueHint: "URL|none",
    description: "proxy for https, in place of HTTPS_PROXY and NO_PROXY; never for loopback addresses",
  },
  "allow-insecure-http": { type: "boolean", description: "take http for loopback addresses" },
} as const;

export type PlaceFlags = Values<typeof PLACE_FLAGS>;

/** The flags that `promote` and `verify pin` share, beside those of the place. */
export const PIN_FLAGS = {
  template: { type: "string", valueHint: "T", description: "the template whose image is pinned" },
  digest: { type: "string", valueHint: "sha256:HEX", description: "the image, by its full digest" },
  pin: {
    type: "string",
    valueHint: "T=DIGEST",
    repeat: true,
    description: "template and digest; for several pins",
  },
  region: { type: "string", valueHint: "R", description: "the region of the pin (global)" },
  stable: {
    type: "string",
    valueHint: "N",
    default: "1",
    description: "how many reads in a row must be equal",
  },
  "git-sha": { type: "string", valueHint: "SHA", description: "the commit that the image was built from" },
  "git-sha-must-match": {
    type: "boolean",
    description: "a row of another commit is a mismatch, in place of a warning",
  },
} as const;

export type PinFlags = PlaceFlags & Values<typeof PIN_FLAGS>;

/** The variables of the scripts that this replaces, in the order in which a promotion or a verification takes them. */
const SEED_DIGESTS = {
  promote: ["IMAGE_DIGEST", "EXPECTED_DIGEST"],
  verify: ["EXPECTED_DIGEST", "IMAGE_DIGEST"],
} as const;

/** The pins that flags name, or else the variables. At least one. */
export function readPins(flags: PinFlags, world: World, work: keyof typeof SEED_DIGESTS): WantedPin[] {
  const { env } = world;
  const region = readRegion(flags, world);
  if (flags.pin.length > 0) {
    if (flags.template !== undefined || flags.digest !== undefined) {
      throw new Failure("flags_contradict", "--pin and --template with --digest contradict each other", {
        hint: "use one of them",
      });
    }
    const pins = flags.pin.map((text) => {
      const cut = text.indexOf("=");
      if (cut !== -1) return readPin(text.slice(0, cut), text.slice(cut + 1), region);
      throw new Failure(
        "invalid_value",
        `--pin is ${quoted(text)}; wanted TEMPLATE=sha256:<64 lower-case hex>`,
      );
    });
    const twice = pins.find(
      (pin, index) => pins.findIndex((other) => other.template === pin.template) !== index,
    );
    if (twice !== undefined) throw new Failure("flags_contradict", `--pin names ${twice.template} twice`);
    return pins;
  }
  const template = flags.template ?? env["TEMPLATE_NAME"];
  const [first, second] = SEED_DIGESTS[work];
  const digest = flags.digest ?? env[first] ?? env[second];
  if (template === undefined || digest === undefined) {
    const missing = template === undefined ? "--template" : "--digest";
    throw new Failure("flag_missing", `${missing} is missing`, {
      hint: "name the pin: --template T --digest sha256:…",
    });
  }
  return [readPin(template, digest, region)];
}

/** The pin of `--not`: the template and region as ever, and a digest that must not be there. */
export function readUnwanted(flags: PinFlags, not: string, world: World): WantedPin {
  if (flags.digest !== undefined || flags.pin.length > 0) {
    throw new Failure("flags_contradict", "--not contradicts --digest and --pin", {
      hint: "a pin at the wanted digest is at no other one",
    });
  }
  const template = flags.template ?? world.env["TEMPLATE_NAME"];
  if (template === undefined) throw new Failure("flag_missing", "--template is missing");
  return { ...readPin(template, not, readRegion(flags, world)), unwanted: true };
}

function readRegion(flags: PinFlags, { env }: World): string {
  // The script takes an empty REGION for none.
  const region = flags.region ?? (env["REGION"] === "" ? undefined : env["REGION"]) ?? GLOBAL_REGION;
  if (!isRegion(region))
    throw new Failure("invalid_value", `--region is ${quoted(region)}; wanted letters, digits and dashes`);
  return region;
}

function readPin(template: string, digest: string, region: string): WantedPin {
  if (!isTemplate(template)) {
    throw new Failure(
      "invalid_value",
      `the template is ${quoted(template)}; wanted lower-case letters, digits, dot, dash, underscore`,
    );
  }
  return { template, region, digest: parseImageDigest(digest, `the digest of ${template}`) };
}

export function readExchange(flags: PlaceFlags, world: World): Exchange {
  const attemptMs = parseDuration(flags["attempt-timeout"], "--attempt-timeout");
  return {
    attemptTimeoutMs: Math.min(attemptMs, parseDuration(flags.timeout, "--timeout")),
    userAgent: readUserAgent(flags["user-agent"]),
    jitter: Math.random,
    connection: readConnections(flags, world),
    stop: world.stop,
  };
}

function readUserAgent(text: string | undefined): string | undefined {
  if (text === undefined || /^[\u0020-\u007e]{1,200}$/u.test(text)) return text;
  throw new Failure("invalid_value", `--user-agent is ${quoted(text)}; wanted printable ASCII`);
}

/** A commit that can be compared later; undefined for none. */
export function readCommit(gitSha: string | undefined): string | undefined {
  if (gitSha === undefined || isGitSha(gitSha)) return gitSha;
  throw new Failure(
    "invalid_value",
    `--git-sha is ${quoted(gitSha)}; wanted 7 to 64 lower-case hex characters`,
    { hint: "a name such as HEAD, or a -dirty suffix, says nothing that can be checked later" },
  );
}

export function readCommitRule(flags: PinFlags, gitSha: string | undefined): CommitRule {
  const mustMatch = flags["git-sha-must-match"];
  if (mustMatch && gitSha === undefined)
    throw new Failure("flag_missing", "--git-sha-must-match needs --git-sha");
  return { gitSha, mustMatch };
}
