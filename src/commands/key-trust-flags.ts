import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { EXIT } from "../base/exit-codes.ts";
import type { JsonObject, Outcome, World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { parseInstant } from "../cli/instants.ts";
import type { Thresholds } from "../trust/trust-root-change.ts";
import { loadTrustRoot, proposeRoot } from "../trust/trust-root-file.ts";
import { editAlone } from "../trust/edit-alone.ts";
import { isKeyName, isRole, type TrustRoot } from "../trust/trust-root.ts";
import { keyDocument } from "../trust/trust-root-document.ts";
import { EVERYTHING, isScope, type TrustedKey } from "../trust/trusted-key.ts";
import { judgingTime } from "./judging-time.ts";
import { namesSigningKey, readSigningKey, type SigningKeyFlags } from "./key-flags.ts";

/** What a new key of a trust root is trusted with. */
export const TRUSTED_WITH_FLAGS = {
  role: {
    type: "string",
    repeat: true,
    valueHint: "ROLE",
    description: "what it may sign: capture, build, promote, addon, root, …",
  },
  scope: {
    type: "string",
    repeat: true,
    valueHint: "GLOB",
    description: "names of artifacts, templates or add-ons that it may sign for (**, everything)",
  },
  from: { type: "string", valueHint: "INSTANT", description: "valid from this time on, RFC 3339 or a day" },
  until: { type: "string", valueHint: "INSTANT", description: "valid until this time" },
} as const;

export const THRESHOLD_FLAG = {
  type: "string",
  repeat: true,
  valueHint: "ROLE=N",
  description: "how many distinct keys must sign in a role (1)",
} as const;

type TrustedWith = Pick<
  TrustedKey,
  "roles" | "scopes" | "namespaces" | "validFrom" | "validUntil" | "revocation"
>;

export function readTrustedWith(flags: Values<typeof TRUSTED_WITH_FLAGS>): TrustedWith {
  if (flags.role.length === 0)
    throw new Failure("flag_missing", "--role is missing: a key without a role is trusted with nothing", {
      hint: "pass --role build, or another of capture, promote, addon, root, …",
    });
  const wrongRole = flags.role.find((role) => !isRole(role));
  if (wrongRole !== undefined)
    throw new Failure("invalid_value", `--role is ${quoted(wrongRole)}; wanted a word such as build`);
  const wrongScope = flags.scope.find((scope) => !isScope(scope));
  if (wrongScope !== undefined)
    throw new Failure(
      "invalid_value",
      `--scope is ${quoted(wrongScope)}; wanted a pattern without white space`,
    );
  return {
    roles: [...new Set(flags.role)],
    scopes: flags.scope.length === 0 ? [EVERYTHING] : flags.scope,
    namespaces: null,
    validFrom: flags.from === undefined ? null : parseInstant(flags.from, "--from"),
    validUntil: flags.until === undefined ? null : parseInstant(flags.until, "--until"),
    revocation: null,
  };
}

export function readThresholds(values: readonly string[]): Thresholds {
  const thresholds: Record<string, number> = Object.create(null);
  for (const value of values) {
    const [, role = "", count = ""] = /^([^=]*)=([1-9]\d{0,2})$/u.exec(value) ?? [];
    if (!isRole(role))
      throw new Failure("invalid_value", `--threshold is ${quoted(value)}; wanted ROLE=N such as root=2`);
    thresholds[role] = Number(count);
  }
  return thresholds;
}

export function readKeyName(text: string, flag: string): string {
  if (isKeyName(text)) return text;
  throw new Failure(
    "invalid_value",
    `${flag} is ${quoted(text)}; wanted letters, digits and . _ @ + -, at most 64`,
  );
}

/**
 * The same for every command that changes a root: read it,
 * change it, sign it if a key is named, say what became of it.
 */
export async function changeRoot(
  file: string,
  flags: SigningKeyFlags,
  world: World,
  change: (root: TrustRoot, now: Date) => TrustRoot,
): Promise<Outcome> {
  const now = judgingTime(world);
  const key = namesSigningKey(flags) ? await readSigningKey(flags, world) : null;
  const { next, made } = await editAlone(file, "trust root", world.stop, () => {
    const changed = change(loadTrustRoot(file).root, now);
    return { next: changed, made: proposeRoot(file, changed, key, now) };
  });
  if (made.outcome === "draft") {
    world.say.info(
      `${quoted(made.file)} lacks signatures; add them with: waybill key trust sign ${made.file} --key ROOT-KEY, then: waybill key trust update ${file} ${made.file}`,
    );
  }
  return {
    exit: EXIT.ok,
    document: { file, outcome: made.outcome, written: made.file, ...rootDocument(next) },
    text: `${made.file}: version ${next.version}${made.outcome === "draft" ? ", not signed by enough keys yet" : ""}\n`,
  };
}

export function rootDocument(root: TrustRoot): JsonObject {
  return { version: root.version, keys: root.keys.map(keyDocument), thresholds: { ...root.thresholds } };
}
