import { randomBytes } from "../host/random.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import { DATABASE_FLAGS, openNamed } from "./database-flags.ts";
import { rfc3339Micros } from "../control-plane/http/instant.ts";
import { isEnvName, isScope, SCOPES, type Scope } from "../control-plane/tokens/scopes.ts";
import { tokenId } from "../control-plane/tokens/token.ts";
import { TOKEN_BYTES, tokenText } from "../control-plane/tokens/token-text.ts";
import type { TokenBounds } from "../control-plane/tokens/token-bounds.ts";
import { addToken } from "../control-plane/tokens/tokens.ts";

const MAX_NAME_CHARS = 100;

export const tokenNew: Command = defineCommand({
  name: "new",
  description: "make a token for the control plane and print it, this once",
  args: {
    ...DATABASE_FLAGS,
    scope: {
      type: "string",
      repeat: true,
      valueHint: "SCOPE",
      description: `what it may do: ${SCOPES.join(", ")}`,
    },
    env: {
      type: "string",
      default: "default",
      valueHint: "NAME",
      description: "the environment it reads and writes",
    },
    expires: {
      type: "string",
      default: "90d",
      valueHint: "90d|never",
      description: "how long it is valid",
    },
    template: { type: "string", repeat: true, valueHint: "NAME", description: "only pins of this template" },
    repo: {
      type: "string",
      repeat: true,
      valueHint: "HOST/PATH",
      description: "only builds of this repository, as captures name it",
    },
    host: { type: "string", repeat: true, valueHint: "NAME", description: "only what concerns this host" },
    name: { type: "string", valueHint: "TEXT", description: "what it is for, shown by token list" },
  },
  examples: [
    "waybill token new --data ./control-plane --scope pins:read --scope pins:write --env prod --name ci",
    "waybill token new --scope admin --expires 1h > token.txt",
  ],
  exits: ["auth", "conflict", "server"],
  act: async (values, world) => {
    const scopes = readScopes(values.scope);
    if (!isEnvName(values.env)) {
      throw new Failure("invalid_value", `--env is ${quoted(values.env)}; wanted ^[a-z0-9][a-z0-9-]{0,31}$`);
    }
    const name = readName(values.name ?? "");
    const bounds = readBounds(values);
    const now = world.now();
    const expiresAt = readExpiry(values.expires, now);
    const database = await openNamed(values, world, true);
    try {
      const token = tokenText(randomBytes(TOKEN_BYTES));
      const id = tokenId(token);
      const at = rfc3339Micros(now);
      await addToken(
        database,
        {
          id,
          sha256: sha256Of(token),
          name,
          scopes,
          env: values.env,
          created_at: at,
          expires_at: expiresAt,
          revoked_at: null,
          ...bounds,
        },
        { actor: "cli", env: values.env, at, requestId: null },
      );
      world.say.info(`token ${id} for ${values.env}: ${scopes.join(", ")}; expires ${expiresAt ?? "never"}`);
      return {
        exit: EXIT.ok,
        document: { token, id, name, scopes, env: values.env, expires_at: expiresAt, ...bounds },
        text: `${token}\n`,
      };
    } finally {
      await database.close();
    }
  },
});

function readScopes(given: readonly string[]): readonly Scope[] {
  if (given.length === 0) {
    throw new Failure("flag_missing", "--scope is missing", { hint: `wanted one of ${SCOPES.join(", ")}` });
  }
  const scopes = given
    .flatMap((one) => one.split(","))
    .map((one) => {
      if (isScope(one)) return one;
      throw new Failure("invalid_value", `--scope is ${quoted(one)}; wanted one of ${SCOPES.join(", ")}`);
    });
  return [...new Set(scopes)];
}

function names(flag: string, values: readonly string[], isName: RegExp): readonly string[] | null {
  const wrong = values.find((one) => !isName.test(one));
  if (wrong === undefined) return values.length === 0 ? null : [...new Set(values)];
  throw new Failure("invalid_value", `--${flag} is ${quoted(wrong)}; wanted one name, without a pattern`);
}

function readBounds(given: {
  readonly template: readonly string[];
  readonly repo: readonly string[];
  readonly host: readonly string[];
}): TokenBounds {
  return {
    templates: names("template", given.template, /^[a-z0-9_-]{1,128}$/u),
    repos: names("repo", given.repo, /^[A-Za-z0-9][A-Za-z0-9._~:/-]{0,511}$/u),
    hosts: names("host", given.host, /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/u),
  };
}

function readName(text: string): string {
  if (text.length <= MAX_NAME_CHARS && !/[\u0000-\u001f\u007f-\u009f]/u.test(text)) return text;
  throw new Failure(
    "invalid_value",
    `--name is ${quoted(text)}; wanted one line of at most ${MAX_NAME_CHARS} characters`,
  );
}

function readExpiry(text: string, now: Date): string | null {
  if (text === "never") return null;
  return rfc3339Micros(new Date(now.getTime() + parseDuration(text, "--expires")));
}
