import { toBase64, toHex } from "../base/encoding.ts";
import { encodeSpki } from "./key-der.ts";
import { formatMinisignKey } from "./minisign-key.ts";
import { pem } from "./pem.ts";
import { keyNumberOf, type PublicKey } from "./public-key.ts";
import { formatSshKey } from "./ssh-key.ts";

/** One public key in every form that other tools take. */
export type KeyForms = {
  readonly algorithm: "ed25519";
  readonly keyid: string;
  readonly hex: string;
  readonly base64: string;
  readonly spki_pem: string;
  /** One line of an OpenSSH `.pub` or `authorized_keys` file, without a comment. */
  readonly ssh: string;
  /** The second line of a minisign `.pub` file, which `minisign -P` takes. */
  readonly minisign: string;
};

export function formsOf(key: PublicKey): KeyForms {
  return {
    algorithm: "ed25519",
    keyid: key.keyid,
    hex: toHex(key.bytes),
    base64: toBase64(key.bytes),
    spki_pem: spkiPem(key),
    ssh: formatSshKey(key.bytes),
    minisign: formatMinisignKey({ keyNumber: keyNumberOf(key), bytes: key.bytes }),
  };
}

export function spkiPem(key: PublicKey): string {
  return pem("PUBLIC KEY", encodeSpki(key.bytes));
}

/** The forms for a person, one a line and the PEM block last. */
export function formsText(forms: KeyForms): string {
  const { keyid, hex, base64, ssh, minisign } = forms;
  const rows = Object.entries({ keyid, hex, base64, ssh, minisign });
  return `${rows.map(([name, value]) => `${name.padEnd(9)} ${value}\n`).join("")}${forms.spki_pem}`;
}
