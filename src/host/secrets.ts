import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { printable, quoted } from "../base/printable.ts";
import { readBounded } from "./files.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type SecretSource = { readonly variable: string } | { readonly file: string };

/** A variable that a flag names, "" when it is not set. The environment is an object, which has a `toString` too. */
export function variableOf(env: Environment, name: string): string {
  return Object.hasOwn(env, name) ? (env[name] ?? "") : "";
}

/** Text that stands where a secret should: masked logs, unexpanded templates, printed nothings. */
const PLACEHOLDER = /^(?:\*+|null|undefined|none|\$\{.*\}|\$\(.*\)|\$[A-Z_]+|\{\{.*\}\}|<.*>)$/isu;

/**
 * A token from where a flag said it is; surrounding white space is dropped. The value never appears in a message,
 * only the name of its source. Throws Failure `credential_missing` or `credential_unexpanded`, or `input_invalid`
 * for a value that could not stand in a header.
 */
export function readSecret(source: SecretSource, env: Environment, what: string): string {
  const from = "variable" in source ? `$${printable(source.variable, 100)}` : quoted(source.file);
  const raw =
    "variable" in source
      ? variableOf(env, source.variable)
      : new TextDecoder().decode(readBounded(source.file, LIMITS.secretBytes, what, "credential_missing"));
  const value = raw.trim();
  if (value === "") {
    throw new Failure("credential_missing", `${from} secret not configured: it holds no ${what}`, {
      hint: `set ${from}, or name another source for the ${what}`,
    });
  }
  if (PLACEHOLDER.test(value)) {
    throw new Failure("credential_unexpanded", `${from} holds a placeholder in place of the ${what}`, {
      hint: "the CI system did not expand the secret; check its name and whether this job may read it",
    });
  }
  if (!/^[\u0021-\u007e]+$/u.test(value)) {
    throw new Failure(
      "input_invalid",
      `the ${what} in ${from} has a space, a line break or a character beyond ASCII`,
      {
        hint: "store the token alone, on one line",
      },
    );
  }
  return value;
}
