import { inspectKey, signingKeyOf, type ShownKey } from "../../src/trust/key-file.ts";
import { readKeyText } from "../../src/trust/key-text.ts";
import type { SigningKey } from "../../src/trust/signing-key.ts";

export function loadSigningKey(file: string, passphrase?: Uint8Array): SigningKey {
  return signingKeyOf(readKeyText({ file }), passphrase);
}

export function inspectKeyFile(file: string): ShownKey {
  return inspectKey(readKeyText({ file }), false);
}
