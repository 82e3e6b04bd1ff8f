import type { X509Certificate } from "node:crypto";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { paths } from "../host/file-system.ts";
import { readBounded } from "../host/files.ts";
import type { ClientIdentity, Connection } from "../host/http.ts";
import { proxyFor } from "../host/proxy.ts";

/** The flags that say how servers are reached, and how they and this side know each other. */
export type NetworkFlags = {
  readonly cacert: string | undefined;
  readonly "client-cert": string | undefined;
  readonly "client-key": string | undefined;
  readonly proxy: string | undefined;
};

/** How each server is reached. */
export type Connections = (url: URL) => Connection;

/** Throws Failure with a usage code; no server is asked. */
export function readConnections(flags: NetworkFlags, world: World): Connections {
  if (world.env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    world.say.warn(
      "NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always checked (see --cacert)",
    );
  }
  const ca = flags.cacert === undefined ? undefined : readCertificates(flags.cacert, "--cacert", world);
  const identity = readIdentity(
    { flag: "--client-cert", path: flags["client-cert"] },
    { flag: "--client-key", path: flags["client-key"] },
    world,
  );
  return (url) => {
    const proxy = proxyFor(url, flags.proxy, world.env);
    for (const secret of proxy?.secrets ?? []) world.secrets.register(secret);
    return { ...(ca === undefined ? {} : { ca }), ...(identity === null ? {} : { identity }), proxy };
  };
}

/** Says through which proxy each server is reached. Throws Failure for a proxy that cannot be used. */
export function tellProxies(
  targets: readonly { readonly env: string; readonly base: URL }[],
  chosen: string | undefined,
  world: World,
): void {
  for (const { env, base } of targets) {
    const proxy = proxyFor(base, chosen, world.env);
    if (proxy !== null) world.say.info(`${env}: ${base.host} via proxy ${proxy.shown} (${proxy.from})`);
  }
}

/** A file that a flag names, or does not. */
type NamedFile = { readonly flag: string; readonly path: string | undefined };

/** What this side shows of itself: a certificate and its private key. Throws Failure with a usage code. */
export function readIdentity(cert: NamedFile, key: NamedFile, world: World): ClientIdentity | null {
  if (cert.path === undefined && key.path === undefined) return null;
  if (cert.path === undefined || key.path === undefined) {
    throw new Failure("flags_contradict", `${cert.flag} and ${key.flag} belong together`, {
      hint: "give both",
    });
  }
  const identity = {
    cert: readCertificates(cert.path, cert.flag, world),
    key: readText(key.path, key.flag, world),
  };
  const { createPrivateKey } = process.getBuiltinModule("node:crypto");
  const certificate = firstCertificate(identity.cert, cert.flag, cert.path);
  // The runtime would only find out in the middle of the handshake, and not say why.
  let fits: boolean;
  try {
    fits = certificate.checkPrivateKey(createPrivateKey(identity.key));
  } catch {
    throw new Failure(
      "input_invalid",
      `${key.flag} ${quoted(key.path)} holds no private key that can be read`,
      {
        hint: "wanted a PEM file without a passphrase",
      },
    );
  }
  if (fits) {
    // A server ends the connection without a word; a warning, as it is the server's clock that counts.
    if (Date.parse(certificate.validTo) < world.now().getTime())
      world.say.warn(
        `the certificate of ${cert.flag} ${quoted(cert.path)} is over since ${certificate.validTo}`,
      );
    return identity;
  }
  throw new Failure(
    "input_invalid",
    `${key.flag} ${quoted(key.path)} is not the key of ${cert.flag} ${quoted(cert.path)}`,
  );
}

function firstCertificate(text: string, flag: string, path: string): X509Certificate {
  const { X509Certificate: Certificate } = process.getBuiltinModule("node:crypto");
  try {
    return new Certificate(text);
  } catch {
    throw new Failure("input_invalid", `${flag} ${quoted(path)} holds no certificate that can be read`);
  }
}

export function readCertificates(path: string, flag: string, world: World): string {
  const text = readText(path, flag, world);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Failure("input_invalid", `${flag} ${quoted(path)} holds no PEM certificate`);
}

function readText(path: string, flag: string, world: World): string {
  return new TextDecoder().decode(
    readBounded(paths().resolve(world.cwd, path), LIMITS.certificateBytes, flag),
  );
}
