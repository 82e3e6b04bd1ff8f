import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { publicKeyOf } from "../../src/trust/ed25519.ts";
import { encodeMinisignSecretKey } from "../../src/trust/minisign-secret-key.ts";
import { encodeOpensshPrivateKey } from "../../src/trust/openssh-private-key.ts";
import { pem } from "../../src/trust/pem.ts";
import { parseSigningKey, type SigningKey } from "../../src/trust/signing-key.ts";
import { refusalOf } from "./refusal.ts";

/** One private key, made anew for each file of tests, and the public half of another. */
export const seed: Uint8Array = new Uint8Array(randomBytes(32));
export const publicHalf: Uint8Array = publicKeyOf(seed);
export const other: Uint8Array = publicKeyOf(randomBytes(32));
export const keyNumber: Uint8Array = new Uint8Array(randomBytes(8));

export const openssh: Uint8Array = encodeOpensshPrivateKey({ seed, publicHalf }, 0x01020304, "me@here");
export const minisign: string = encodeMinisignSecretKey({ seed, publicHalf, keyNumber }, null);

export function opensshText(bytes: Uint8Array): string {
  return pem("OPENSSH PRIVATE KEY", bytes, 70);
}

/** The minisign file with some of its 158 bytes changed. */
export function minisignWith(at: number, bytes: Uint8Array | readonly number[]): string {
  const [comment = "", line = ""] = minisign.split("\n");
  const file = Buffer.from(line, "base64");
  file.set(Uint8Array.from(bytes), at);
  return `${comment}\n${file.toString("base64")}\n`;
}

export function read(text: string, passphrase?: Uint8Array): SigningKey {
  return parseSigningKey(text, "the key", passphrase);
}

/** That the text is no key, for this reason, and that nothing of the seed is shown. */
export function expectRefused(text: string, message: RegExp): void {
  const refusal = refusalOf(() => read(text));
  expect([refusal.code as string, refusal.message]).toEqual(["key_invalid", expect.stringMatching(message)]);
  for (const spelling of ["hex", "base64", "base64url"] as const)
    expect(`${refusal.message} ${refusal.hint}`).not.toContain(
      Buffer.from(seed).toString(spelling).slice(0, 20),
    );
}
