import { toBase64, toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { privateJwk, publicJwk } from "./jwk.ts";
import { encodePkcs8 } from "./key-der.ts";
import { minisignPub, spkiPem } from "./key-forms.ts";
import { encodeMinisignSecretKey, MINISIGN_SALT_BYTES, MINISIGN_WORK } from "./minisign-secret-key.ts";
import { encodeOpensshPrivateKey, OPENSSH_LABEL } from "./openssh-private-key.ts";
import { encryptPkcs8, IV_BYTES, SALT_BYTES } from "./pbes2.ts";
import { pem } from "./pem.ts";
import { keyNumberOf, type PublicKey } from "./public-key.ts";
import type { SigningKey } from "./signing-key.ts";
import { formatSshKey } from "./ssh-key.ts";

/** The forms that a key is converted to. `raw` is the 32 bytes alone, in base64. */
export const KEY_FORMS = ["pkcs8", "spki", "ssh", "minisign", "jwk", "raw"] as const;
export type KeyForm = (typeof KEY_FORMS)[number];

/** What a file says about whose key it is, where its form has room for that. */
const COMMENT = "waybill";

export function isKeyForm(text: string): text is KeyForm {
  return KEY_FORMS.some((form) => form === text);
}

/** The public half as a whole file. Throws Failure `flags_contradict`: PKCS#8 has no public form. */
export function publicForm(key: PublicKey, form: KeyForm): string {
  if (form === "spki") return spkiPem(key);
  if (form === "ssh") return `${formatSshKey(key.bytes, COMMENT)}\n`;
  if (form === "minisign") return minisignPub(key);
  if (form === "jwk") return `${JSON.stringify(publicJwk(key.bytes))}\n`;
  if (form === "raw") return `${toBase64(key.bytes)}\n`;
  throw new Failure("flags_contradict", "PKCS#8 holds private keys only", {
    hint: "pass --private, or --to spki for the public half",
  });
}

/** Fresh random bytes, as many as asked for. */
export type Randomness = (count: number) => Uint8Array;

/**
 * The private key as a whole file, encrypted when there is a passphrase: as PBES2 in PKCS#8, as minisign does in its
 * own files. Throws Failure `flags_contradict` for a form that has no encryption or no private key.
 */
export function privateForm(
  key: SigningKey,
  form: KeyForm,
  random: Randomness,
  passphrase: Uint8Array | undefined,
): string {
  if (passphrase !== undefined && form !== "pkcs8" && form !== "minisign")
    throw new Failure("flags_contradict", `a key in the form ${form} is not encrypted by waybill`, {
      hint: "encrypt it as pkcs8 or minisign, or give an OpenSSH file its passphrase with: ssh-keygen -p -f FILE",
    });
  const seed = key.seed();
  const publicHalf = key.publicKey.bytes;
  if (form === "pkcs8") return pkcs8Pem(encodePkcs8(seed), random, passphrase);
  if (form === "jwk") return `${JSON.stringify(privateJwk(seed, publicHalf))}\n`;
  if (form === "raw") return `${toBase64(seed)}\n`;
  if (form === "ssh") {
    const checkNumber = Buffer.from(random(4)).readUInt32BE();
    return pem(OPENSSH_LABEL, encodeOpensshPrivateKey({ seed, publicHalf }, checkNumber, COMMENT), 70);
  }
  if (form === "minisign") {
    const encryption =
      passphrase === undefined
        ? null
        : { passphrase, salt: random(MINISIGN_SALT_BYTES), work: MINISIGN_WORK };
    return encodeMinisignSecretKey({ seed, publicHalf, keyNumber: keyNumberOf(key.publicKey) }, encryption);
  }
  throw new Failure("flags_contradict", "a SubjectPublicKeyInfo holds public keys only", {
    hint: "leave out --private, or pass --to pkcs8",
  });
}

function pkcs8Pem(bytes: Uint8Array, random: Randomness, passphrase: Uint8Array | undefined): string {
  if (passphrase === undefined) return pem("PRIVATE KEY", bytes);
  return pem("ENCRYPTED PRIVATE KEY", encryptPkcs8(bytes, passphrase, random(SALT_BYTES), random(IV_BYTES)));
}

/** Every usual spelling of the secret, for the redactor: nobody knows which one an error would quote. */
export function secretSpellings(key: SigningKey): readonly string[] {
  const seed = key.seed();
  const pkcs8 = toBase64(encodePkcs8(seed));
  return [toHex(seed), toBase64(seed), Buffer.from(seed).toString("base64url"), pkcs8];
}
