import { resolve } from "node:path";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { proxyFor, type Proxy } from "../host/proxy.ts";
import { readSecret } from "../host/secrets.ts";
import { chooseStore, tokenHost, type StoreChoice } from "../stores/choose.ts";
import type { DownloadLimits } from "../stores/download.ts";
import type { Reach } from "../stores/http-object.ts";
import type { WritableStore } from "../stores/store.ts";
import { readDockerLogins } from "./docker-logins.ts";
import { readCertificates, readIdentity } from "./network-flags.ts";

/** Where artifacts are fetched from, and how. */
export const STORE_FLAGS = {
  store: {
    type: "string",
    repeat: true,
    valueHint: "URL",
    description:
      "where artifacts lie: file:, https:, s3:, oci:, nats:; several are mirrors, the first good one wins",
  },
  "store-token-env": {
    type: "string",
    repeat: true,
    valueHint: "[HOST=]VAR",
    description: "variable that holds the bearer token of the store (of that host, when there are several)",
  },
  cacert: {
    type: "string",
    valueHint: "FILE",
    description: "PEM certificates to trust in place of the system's",
  },
  "store-cert": { type: "string", valueHint: "FILE", description: "PEM certificate to show to the stores" },
  "store-key": { type: "string", valueHint: "FILE", description: "PEM private key of that certificate" },
  "docker-config": {
    type: "string",
    valueHint: "FILE",
    description: "config.json with the logins of registries (also: config.json in the folder DOCKER_CONFIG)",
  },
  "nats-creds": {
    type: "string",
    valueHint: "FILE",
    description: "credentials file for NATS stores (also: NATS_CREDS)",
  },
  "store-timeout": {
    type: "string",
    valueHint: "300s",
    default: "300s",
    description: "ceiling for one artifact, over all stores and tries",
  },
  "store-idle-timeout": {
    type: "string",
    valueHint: "30s",
    default: "30s",
    description: "leave a store that sends nothing for so long",
  },
  "store-min-rate": {
    type: "string",
    valueHint: "BYTES",
    default: "1024",
    description: "leave a store that sends fewer bytes per second",
  },
  "retry-budget": {
    type: "string",
    valueHint: "30s",
    default: "30s",
    description: "ceiling for all pauses between tries of one artifact",
  },
} as const;

type StoreFlags = Values<typeof STORE_FLAGS>;
/** Which stores, and how they are reached. */
type StoreListFlags = Pick<
  StoreFlags,
  "store" | "store-token-env" | "cacert" | "store-cert" | "store-key" | "docker-config" | "nats-creds"
>;

export type Stores = {
  readonly stores: readonly WritableStore[];
  readonly choice: StoreChoice;
  readonly limits: DownloadLimits;
};

/** Throws Failure with a usage or an auth code; no server is asked. */
export function readStores(
  flags: StoreFlags,
  allowInsecureHttp: boolean,
  platform: string,
  world: World,
): Stores {
  return {
    ...readStoreList(flags, allowInsecureHttp, platform, world),
    limits: {
      deadlineMs: parseDuration(flags["store-timeout"], "--store-timeout"),
      idleMs: parseDuration(flags["store-idle-timeout"], "--store-idle-timeout"),
      leastRate: readRate(flags["store-min-rate"]),
      retryBudgetMs: parseDuration(flags["retry-budget"], "--retry-budget", { least: 0 }),
    },
  };
}

/** The stores alone, for those who write into them. */
export function readStoreList(
  flags: StoreListFlags,
  allowInsecureHttp: boolean,
  platform: string,
  world: World,
): Pick<Stores, "stores" | "choice"> {
  const keepSecret = (text: string): void => world.secrets.register(text);
  const natsCreds = flags["nats-creds"] ?? nonEmpty(world.env["NATS_CREDS"]);
  const choice: StoreChoice = {
    allowInsecureHttp,
    cwd: world.cwd,
    platform,
    reach: { ...readTls(flags, world), proxyFor: proxyOf(world) },
    environment: world.env,
    logins: readDockerLogins(flags["docker-config"], world),
    natsCredentials: natsCreds === undefined ? undefined : resolve(world.cwd, natsCreds),
    keepSecret,
  };
  const tokens = readTokens(flags, world);
  const stores = flags.store.map((text, index) => chooseStore(text, tokens[index], choice));
  for (const text of flags.store) sayProxy(text, world);
  return { stores, choice };
}

/** One token for each store, in their order. A token goes to the one host that it was given for. */
function readTokens(flags: StoreListFlags, world: World): (string | undefined)[] {
  const hosts = flags.store.map(tokenHost);
  const named = new Map<string, string>();
  for (const text of flags["store-token-env"]) {
    const cut = text.lastIndexOf("=");
    const [host, variable] =
      cut === -1 ? [theOnly(hosts), text] : [text.slice(0, cut).toLowerCase(), text.slice(cut + 1)];
    if (!hosts.includes(host)) {
      throw new Failure(
        "flags_contradict",
        `--store-token-env names ${quoted(host)}, which no --store is at`,
      );
    }
    if (named.has(host))
      throw new Failure("flags_contradict", `--store-token-env names ${quoted(host)} twice`);
    const token = readSecret({ variable }, world.env, "bearer token");
    world.secrets.register(token);
    named.set(host, token);
  }
  return hosts.map((host) => (host === null ? undefined : named.get(host)));
}

function theOnly(hosts: readonly (string | null)[]): string {
  const taking = [...new Set(hosts.filter((host) => host !== null))];
  const [host] = taking;
  if (host !== undefined && taking.length === 1) return host;
  throw new Failure(
    "flags_contradict",
    taking.length === 0
      ? "--store-token-env was given without a --store that takes a token"
      : "--store-token-env does not say which of the stores it is for",
    { hint: taking.length === 0 ? "https:, oci: and nats: stores take one" : `write ${host}=VAR` },
  );
}

/** What the stores are trusted by, and what they are shown of this side. */
function readTls(flags: StoreListFlags, world: World): Reach {
  const { cacert, "store-cert": cert, "store-key": key } = flags;
  const shown = readIdentity({ flag: "--store-cert", path: cert }, { flag: "--store-key", path: key }, world);
  return {
    ca: cacert === undefined ? undefined : readCertificates(cacert, "--cacert", world),
    identity: shown ?? undefined,
  };
}

/** A proxy sees who is asked and, without TLS, everything: the person who debugs this should know of it. */
function sayProxy(text: string, world: World): void {
  const host = tokenHost(text);
  const url = host === null || /^nats:/iu.test(text) ? null : URL.parse(text.replace(/^oci:/iu, "https:"));
  const proxy = url === null ? null : proxyFor(url, undefined, world.env);
  if (proxy !== null) world.say.info(`${host} is asked through the proxy ${proxy.shown} of ${proxy.from}`);
}

/** Decided here and not by the runtime, so that the proxy that is reported is the one that is used. */
function proxyOf(world: World): (url: URL) => Proxy | null {
  return (url) => {
    const proxy = proxyFor(url, undefined, world.env);
    for (const secret of proxy?.secrets ?? []) world.secrets.register(secret);
    return proxy;
  };
}

function readRate(text: string): number {
  if (/^\d{1,9}$/u.test(text)) return Number(text);
  throw new Failure("invalid_value", `--store-min-rate is ${quoted(text)}; wanted a whole number of bytes`);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}
