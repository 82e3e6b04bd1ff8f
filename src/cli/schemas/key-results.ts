import type { ResultShape } from "./frame.ts";
import {
  anything,
  count,
  digest,
  flag,
  instant,
  integer,
  keyid,
  list,
  map,
  nullable,
  object,
  one,
  sha256,
  text,
  word,
  type Members,
  type Schema,
} from "./shape.ts";

/** The public half of a key in every form that other tools take. */
const FORMS: Members = {
  algorithm: one("ed25519"),
  keyid,
  fingerprints: object({ ssh: text, spki_sha256: sha256, minisign: text }),
  hex: sha256,
  base64: text,
  spki_pem: text,
  ssh: text,
  minisign: text,
  signify: text,
  jwk: object({ kty: one("OKP"), crv: one("Ed25519"), x: text }),
};

/** A key of a trust root: shared with the file format. */
export const TRUSTED_KEY: Members = {
  name: text,
  keyid,
  public_key: text,
  "key_number?": text,
  roles: list(text),
  scopes: list(text),
  "namespaces?": list(text),
  "valid_from?": instant,
  "valid_until?": instant,
  "revoked?": object({ at: instant, "reason?": text, still_trusted: list(digest) }),
};

const thresholds: Schema = map(integer);
const keys: Schema = list(object(TRUSTED_KEY));

/** What became of a trust root that a command changed. */
const CHANGED: Members = {
  file: text,
  outcome: word("in_place", "draft"),
  written: text,
  version: count,
  keys,
  thresholds,
};

export const KEY_RESULTS: { readonly [name: string]: ResultShape } = {
  "key-new": {
    what: "where the new key is, and its public half",
    success: { file: text, public_file: text, encrypted: flag, ...FORMS },
  },
  "key-show": {
    what: "the public half of a key in every form",
    success: { file: text, kind: word("private", "public"), ...FORMS },
  },
  "key-convert": {
    what: "the form that a key was written in",
    success: { file: text, kind: word("private", "public"), form: text, keyid },
    sometimes: { encrypted: flag, out: nullable(text), text },
  },
  "key-trust-init": {
    what: "the first version of a trust root",
    success: { file: text, version: count, keys, thresholds },
  },
  "key-trust-add": { what: "a trust root with one key more", success: CHANGED },
  "key-trust-remove": { what: "a trust root with one key less", success: CHANGED },
  "key-trust-revoke": { what: "a trust root that trusts a key no longer", success: CHANGED },
  "key-trust-rotate": { what: "a trust root with a new key for an old one", success: CHANGED },
  "key-trust-import": { what: "a trust root with keys of other tools", success: CHANGED },
  "key-trust-sign": {
    what: "a draft with one signature more",
    success: { file: text, keyid, version: count, keys, thresholds },
  },
  "key-trust-update": {
    what: "whether a newer trust root took the place of the held one",
    success: { file: text, outcome: word("updated", "unchanged"), version: count, keys, thresholds },
  },
  "key-trust-list": {
    what: "who is trusted with what, now",
    success: {
      file: text,
      kind: word("trust_root", "draft", "allowed_signers"),
      keys: list({ type: "object" }),
    },
    sometimes: { version: count, thresholds, skipped: list(anything), signed_by: list(keyid) },
  },
  "key-trust-export": {
    what: "the files that other tools read",
    success: { file: text },
    sometimes: { keys: list(text), written: list(text), text },
  },
};
