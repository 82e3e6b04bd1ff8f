import { toBase64, toHex } from "../base/encoding.ts";
import { publicJwk, type Jwk } from "./jwk.ts";
import { encodeSpki } from "./key-der.ts";
import { formatMinisignKey } from "./minisign-key.ts";
import { pem } from "./pem.ts";
import { keyNumberOf, type PublicKey } from "./public-key.ts";
import { formatSshKey, sshFingerprint } from "./ssh-key.ts";

/** One public key in every form that other tools take. */
export type KeyForms = {
  readonly algorithm: "ed25519";
  readonly keyid: string;
  readonly fingerprints: {
    /** As `ssh-keygen -l` shows it. */
    readonly ssh: string;
    /** SHA-256 of the SubjectPublicKeyInfo in hex: the keyid's bytes, as `openssl pkey -outform DER | sha256sum`. */
    readonly spki_sha256: string;
    /** The key number as minisign shows it. */
    readonly minisign: string;
  };
  readonly hex: string;
  readonly base64: string;
  readonly spki_pem: string;
  /** One line of an OpenSSH `.pub` or `authorized_keys` file, without a comment. */
  readonly ssh: string;
  /** The second line of a minisign `.pub` file, which `minisign -P` takes. */
  readonly minisign: string;
  /** A whole `.pub` file of signify, which minisign reads as well. */
  readonly signify: string;
  readonly jwk: Jwk;
};

export function formsOf(key: PublicKey): KeyForms {
  return {
    algorithm: "ed25519",
    keyid: key.keyid,
    fingerprints: {
      ssh: sshFingerprint(key.bytes),
      spki_sha256: Buffer.from(key.keyid, "base64").toString("hex"),
      minisign: shownKeyNumber(keyNumberOf(key)),
    },
    hex: toHex(key.bytes),
    base64: toBase64(key.bytes),
    spki_pem: spkiPem(key),
    ssh: formatSshKey(key.bytes),
    minisign: minisignLine(key),
    signify: minisignPub(key),
    jwk: publicJwk(key.bytes),
  };
}

export function spkiPem(key: PublicKey): string {
  return pem("PUBLIC KEY", encodeSpki(key.bytes));
}

/** The two lines of a `.pub` file of minisign or signify. */
export function minisignPub(key: PublicKey): string {
  return `untrusted comment: minisign public key ${shownKeyNumber(keyNumberOf(key))}\n${minisignLine(key)}\n`;
}

/** A key number, of 8 bytes, is written as the hex of a little-endian number. */
export function shownKeyNumber(keyNumber: Uint8Array): string {
  return Buffer.from(keyNumber).readBigUInt64LE().toString(16).toUpperCase();
}

function minisignLine(key: PublicKey): string {
  return formatMinisignKey({ keyNumber: keyNumberOf(key), bytes: key.bytes });
}

/** The forms for a person, one a line and the PEM block last. */
export function formsText(forms: KeyForms): string {
  const { keyid, hex, base64, ssh, minisign } = forms;
  const rows = Object.entries({
    keyid,
    ssh_fingerprint: forms.fingerprints.ssh,
    minisign_id: forms.fingerprints.minisign,
    hex,
    base64,
    ssh,
    minisign,
    jwk: JSON.stringify(forms.jwk),
  });
  return `${rows.map(([name, value]) => `${name.padEnd(15)} ${value}\n`).join("")}${forms.spki_pem}`;
}
