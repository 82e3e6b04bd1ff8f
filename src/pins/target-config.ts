import { decode, object, optional, record, string } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { quoted } from "../base/printable.ts";
import { isEnvironmentName } from "./target.ts";

/** One environment as a configuration file describes it. */
export type TargetConfig = {
  readonly url: string;
  readonly token_env?: string;
  readonly token_file?: string;
  readonly read_token_env?: string;
};

const CONFIG = object(
  {
    environments: record(
      object(
        {
          url: string(),
          token_env: optional(string("the name of a variable")),
          token_file: optional(string("the path of a file")),
          read_token_env: optional(string("the name of a variable")),
        },
        "refused",
      ),
    ),
  },
  "refused",
);

/**
 * `{"environments": {"prod": {"url": "https://…", "token_env": "PROD_TOKEN"}}}`. Tokens are named, never written
 * down here. Throws Failure `config_invalid` with every fault.
 */
export function parseTargetConfig(bytes: Uint8Array, path: string): ReadonlyMap<string, TargetConfig> {
  const config = decode(
    CONFIG,
    parseJson(bytes, { what: `the configuration ${path}`, code: "config_invalid" }),
  );
  const problems = config.ok ? nameless(Object.keys(config.value.environments)) : config.problems;
  if (config.ok && problems.length === 0) return new Map(Object.entries(config.value.environments));
  throw new Failure("config_invalid", `the configuration ${path} is wrong: ${problems.join("; ")}`, {
    hint: 'wanted {"environments": {"NAME": {"url": "https://…", "token_env": "VARIABLE"}}}',
  });
}

// The names are in flags, in variables and in every message: the same few characters everywhere.
function nameless(names: readonly string[]): string[] {
  return names
    .filter((name) => !isEnvironmentName(name))
    .map(
      (name) =>
        `environments[${quoted(name, 60)}] is no name of an environment; wanted lower-case letters, digits and dashes`,
    );
}
