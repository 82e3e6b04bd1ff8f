import { hexOf, isImageDigest } from "../base/digest.ts";
import {
  decode,
  list,
  narrowed,
  object,
  optional,
  parsed,
  positive,
  record,
  string,
  type Decoder,
} from "../base/decode.ts";
import { fromBase64, fromHex, toBase64, toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { instantOf } from "../base/instant.ts";
import { parseJson, type JsonMap } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { decodeSpki, encodeSpki } from "./key-der.ts";
import { KEY_NUMBER_BYTES } from "./minisign-key.ts";
import { publicKeyFromBytes } from "./public-key.ts";
import { isSshPattern } from "./ssh-pattern.ts";
import { isKeyName, isRole, problemsOf, type TrustRoot } from "./trust-root.ts";
import { isScope, type Revocation, type TrustedKey } from "./trusted-key.ts";

/** The JSON of a trust root: strict when it is read, in one spelling when it is written. */

const SCHEMA = "waybill.trust-root/v1";

/** Throws Failure `trust_root_invalid` with what is wrong with it, or `key_weak`. */
export function parseTrustRoot(input: Uint8Array | string, from: string): TrustRoot {
  const value = parseJson(input, { what: from, code: "trust_root_invalid" });
  const decoded = decode(DOCUMENT, value);
  if (!decoded.ok) throw invalid(from, decoded.problems);
  const { version, keys, thresholds } = decoded.value;
  // A threshold under a misspelt name would ask for nothing.
  const noRole = Object.keys(thresholds).find((role) => !isRole(role));
  if (noRole !== undefined) throw invalid(from, [`thresholds has ${quoted(noRole)}, which is no role`]);
  const root = { version, keys: keys.map((key) => trustedKey(key, from)), thresholds };
  const problems = problemsOf(root);
  if (problems.length > 0) throw invalid(from, problems);
  return root;
}

/** The one spelling of a root: what gets signed. */
export function formatTrustRoot(root: TrustRoot): string {
  return JSON.stringify({
    schema: SCHEMA,
    version: root.version,
    keys: root.keys.map(keyDocument),
    thresholds: root.thresholds,
  });
}

export function keyDocument(trusted: TrustedKey): JsonMap {
  const { name, key, roles, scopes, namespaces, validFrom, validUntil, revocation } = trusted;
  return {
    name,
    keyid: key.keyid,
    public_key: toBase64(encodeSpki(key.bytes)),
    ...(key.keyNumber === null ? {} : { key_number: toHex(key.keyNumber) }),
    roles: roles ?? [],
    scopes,
    ...(namespaces === null ? {} : { namespaces }),
    ...(validFrom === null ? {} : { valid_from: validFrom.toISOString() }),
    ...(validUntil === null ? {} : { valid_until: validUntil.toISOString() }),
    ...(revocation === null ? {} : { revoked: revocationDocument(revocation) }),
  };
}

function revocationDocument({ at, reason, stillTrusted }: Revocation): JsonMap {
  return {
    at: at.toISOString(),
    ...(reason === null ? {} : { reason }),
    still_trusted: stillTrusted.map((digest) => `sha256:${digest}`),
  };
}

const INSTANT = parsed("an RFC 3339 instant in UTC", instantOf);
const DIGEST = narrowed("sha256:<64 lower-case hex>", isImageDigest);
const words = (wanted: string, accept: (text: string) => boolean): Decoder<string[]> =>
  list(string(wanted, accept), LIMITS.trustEntries);

// Another version may mean less trust by a member that is not known here, so unknown members are refused.
const KEY = object(
  {
    name: string("letters, digits and . _ @ + -, at most 64", isKeyName),
    keyid: string(),
    public_key: parsed("base64 of a SubjectPublicKeyInfo", fromBase64),
    key_number: optional(parsed("16 lower-case hex", parseKeyNumber)),
    roles: words("a role such as build", isRole),
    scopes: words("a pattern of names", isScope),
    namespaces: optional(words("a pattern of namespaces", isSshPattern)),
    valid_from: optional(INSTANT),
    valid_until: optional(INSTANT),
    revoked: optional(
      object(
        { at: INSTANT, reason: optional(string()), still_trusted: list(DIGEST, LIMITS.trustEntries) },
        "refused",
      ),
    ),
  },
  "refused",
);

const DOCUMENT = object(
  {
    schema: string(SCHEMA, (text) => text === SCHEMA),
    version: positive(),
    keys: list(KEY, LIMITS.trustedKeys),
    thresholds: record(positive()),
  },
  "refused",
);

function parseKeyNumber(text: string): Uint8Array | null {
  const bytes = fromHex(text);
  return bytes?.length === KEY_NUMBER_BYTES ? bytes : null;
}

type KeyDocument = NonNullable<ReturnType<typeof KEY>>;

function trustedKey(found: KeyDocument, from: string): TrustedKey {
  const of = `key ${found.name} of ${from}`;
  const key = publicKeyFromBytes(decodeSpki(found.public_key, of), of, found.key_number);
  // Two members that say which key it is could say two things.
  if (key.keyid !== found.keyid)
    throw invalid(from, [`the keyid of ${found.name} is not that of its public_key`]);
  return {
    name: found.name,
    key,
    roles: found.roles,
    scopes: found.scopes,
    namespaces: found.namespaces ?? null,
    validFrom: found.valid_from ?? null,
    validUntil: found.valid_until ?? null,
    revocation:
      found.revoked === undefined
        ? null
        : {
            at: found.revoked.at,
            reason: found.revoked.reason ?? null,
            stillTrusted: found.revoked.still_trusted.map(hexOf),
          },
  };
}

function invalid(from: string, problems: readonly string[]): Failure {
  return new Failure(
    "trust_root_invalid",
    `${from} is no sound trust root: ${problems.slice(0, 10).join("; ")}`,
  );
}
