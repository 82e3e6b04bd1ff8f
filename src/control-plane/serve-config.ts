import { decode, integer, list, object, optional, string, type Decoder } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { quoted } from "../base/printable.ts";

/** What a configuration file of `serve` may say; a flag wins over it. Paths in it are relative to it. */
export type ServeConfig = {
  readonly listen?: string | undefined;
  readonly data?: string | undefined;
  readonly database?: string | undefined;
  readonly database_file?: string | undefined;
  readonly tls_cert?: string | undefined;
  readonly tls_key?: string | undefined;
  readonly access_log?: string | undefined;
  /** `s3://bucket[/prefix]`, in place of files. */
  readonly artifacts?: string | undefined;
  /** Bytes that each environment may have stored. */
  readonly env_quota_bytes?: number | undefined;
  readonly policy?: string | undefined;
  /** Files of public keys, or the keys themselves. */
  readonly policy_keys?: readonly string[] | undefined;
  readonly trust?: string | undefined;
  /** Requests of one token in a second, and how many it may save up. */
  readonly token_rate?: { readonly per_second: number; readonly burst: number } | undefined;
};

const MOST_KEYS = 100;

const config: Decoder<ServeConfig> = object(
  {
    listen: optional(string()),
    data: optional(string()),
    database: optional(string()),
    database_file: optional(string()),
    tls_cert: optional(string()),
    tls_key: optional(string()),
    access_log: optional(string()),
    artifacts: optional(string()),
    env_quota_bytes: optional(integer()),
    policy: optional(string()),
    policy_keys: optional(list(string(), MOST_KEYS)),
    trust: optional(string()),
    token_rate: optional(object({ per_second: integer(), burst: integer() }, "refused")),
  },
  "refused",
);

/** Throws Failure `config_invalid`: a member that is not known is a mistake, not a wish. */
export function readServeConfig(bytes: Uint8Array, path: string): ServeConfig {
  const what = `the configuration ${quoted(path)}`;
  const decoded = decode(config, parseJson(bytes, { what, code: "config_invalid" }));
  if (!decoded.ok) throw new Failure("config_invalid", `${what}: ${decoded.problems.join("; ")}`);
  const { token_rate } = decoded.value;
  if (token_rate !== undefined && (token_rate.per_second < 1 || token_rate.burst < 1)) {
    throw new Failure("config_invalid", `${what}: token_rate must be above 0`);
  }
  if ((decoded.value.env_quota_bytes ?? 0) < 0) {
    throw new Failure("config_invalid", `${what}: env_quota_bytes must not be negative`);
  }
  return decoded.value;
}
