import { resolve, dirname } from "node:path";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { readActivation } from "../control-plane/http/activation-variables.ts";
import type { TokenRate } from "../control-plane/handle.ts";
import { readListenAddress, type ListenAddress } from "../control-plane/http/listen-address.ts";
import type { PostgresAddress } from "../control-plane/storage/postgres-address.ts";
import type { TrustPolicy } from "../control-plane/pins/trust-policy.ts";
import { readServeConfig, type ServeConfig } from "../control-plane/serve-config.ts";
import type { Quota } from "../control-plane/artifacts/quota.ts";
import type { Bucket } from "../control-plane/artifacts/s3-blobs.ts";
import type { TlsTexts } from "../control-plane/http/server.ts";
import { readBounded } from "../host/files.ts";
import { mergedPolicy, readTrustPolicy, type SERVE_POLICY_FLAGS } from "./serve-policy.ts";
import { parseS3, s3Access } from "../stores/s3.ts";
import { dataFolder, readPostgres, type DATABASE_FLAGS } from "./database-flags.ts";

export const SERVE_FLAGS = {
  listen: {
    type: "string",
    valueHint: "HOST:PORT|unix:PATH|systemd",
    description: "where to listen (127.0.0.1:7070); port 0 is any free one, systemd the socket of the unit",
  },
  backup: {
    type: "string",
    valueHint: "FILE",
    description: "copy the database of a server, which may be running, to a new file and end",
  },
  config: { type: "string", valueHint: "FILE", description: "the same settings from a JSON file; flags win" },
  "access-log": { type: "string", valueHint: "FILE", description: "a JSON line for each request" },
  artifacts: {
    type: "string",
    valueHint: "s3://BUCKET[/PREFIX]",
    description: "keep the bytes in a bucket and not in files; AWS_* variables say where and as whom",
  },
  "tls-cert": { type: "string", valueHint: "FILE", description: "certificate chain, PEM" },
  "tls-key": { type: "string", valueHint: "FILE", description: "its private key, PEM" },
} as const;

export type ServeValues = Values<typeof DATABASE_FLAGS & typeof SERVE_FLAGS & typeof SERVE_POLICY_FLAGS>;

/** What a server is started with, after flags and file were read and checked. */
export type ServeSettings = {
  readonly listen: ListenAddress | "systemd";
  /** As it was written. */
  readonly listenText: string;
  readonly data: string;
  readonly postgres: PostgresAddress | null;
  readonly tls: TlsTexts | null;
  readonly accessLog: string | null;
  readonly bucket: Bucket | null;
  readonly quota: Quota;
  readonly tokenRate: TokenRate;
  readonly trustPolicy: TrustPolicy | null;
};

/** Reads every file that the settings name, so that calling it again sees what became of them. Throws Failure. */
export function readServeSettings(given: ServeValues, world: World): ServeSettings {
  const { values, rate, quota } = withConfig(given, world);
  const listenText = values.listen ?? "127.0.0.1:7070";
  if (listenText === "systemd") readActivation(world.env, process.pid);
  const data = dataFolder(values, world);
  const listen = listenText === "systemd" ? "systemd" : readListenAddress(listenText, world.cwd);
  return {
    listen,
    listenText,
    data,
    postgres: readPostgres(values, world),
    tls: readTls(values["tls-cert"], values["tls-key"]),
    accessLog: values["access-log"] === undefined ? null : resolve(world.cwd, values["access-log"]),
    bucket: readBucket(values.artifacts, world),
    quota,
    tokenRate: rate,
    trustPolicy: readTrustPolicy(values, data, world),
  };
}

/** The flags, and what the file of --config says where they say nothing. Throws Failure. */
export function withConfig(
  values: ServeValues,
  world: World,
): { values: ServeValues; rate: TokenRate; quota: Quota } {
  if (values.config === undefined) return { values, rate: null, quota: null };
  const path = resolve(world.cwd, values.config);
  const bytes = readBounded(path, LIMITS.documentBytes, "--config", "config_unreadable");
  const config: ServeConfig = readServeConfig(bytes, path);
  const beside = (file: string | undefined): string | undefined => file && resolve(dirname(path), file);
  const named = [values.database, values["database-env"], values["database-file"]].some(
    (one) => one !== undefined,
  );
  const { token_rate } = config;
  const socket = /^unix:(.+)$/su.exec(config.listen ?? "")?.[1];
  return {
    values: {
      ...values,
      listen:
        values.listen ?? (socket === undefined ? config.listen : `unix:${resolve(dirname(path), socket)}`),
      data: values.data ?? beside(config.data),
      database: named ? values.database : config.database,
      "database-file": named ? values["database-file"] : beside(config.database_file),
      "tls-cert": values["tls-cert"] ?? beside(config.tls_cert),
      "tls-key": values["tls-key"] ?? beside(config.tls_key),
      artifacts: values.artifacts ?? config.artifacts,
      "access-log": values["access-log"] ?? beside(config.access_log),
      ...mergedPolicy(values, config, beside),
    },
    quota: config.env_quota_bytes ?? null,
    rate: token_rate === undefined ? null : { perSecond: token_rate.per_second, burst: token_rate.burst },
  };
}

function readBucket(text: string | undefined, world: World): Bucket | null {
  if (text === undefined) return null;
  const place = parseS3(text, "--artifacts", world.env);
  // Over plain http a loopback address alone is taken, as everywhere.
  const { credentials, ...access } = s3Access(world.env, true, (secret) => world.secrets.register(secret));
  if (credentials !== null) return { place, access: { ...access, credentials } };
  throw new Failure("credential_missing", "--artifacts: $AWS_ACCESS_KEY_ID is not set", {
    hint: "set it and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL for a server of your own",
  });
}

function readTls(cert: string | undefined, key: string | undefined): TlsTexts | null {
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) {
    const [given, wanted] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new Failure("flag_missing", `--tls-${given} needs --tls-${wanted}`, { hint: "pass both" });
  }
  return { cert: readPem(cert, "the certificate"), key: readPem(key, "the TLS key") };
}

function readPem(path: string, what: string): string {
  return new TextDecoder().decode(readBounded(path, LIMITS.documentBytes, what));
}
