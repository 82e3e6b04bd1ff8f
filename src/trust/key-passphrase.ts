import { Failure } from "../base/failure.ts";

/** The passphrase of an encrypted key. Throws Failure `key_invalid` when none was given. */
export function wantedPassphrase(passphrase: Uint8Array | undefined, from: string): Uint8Array {
  if (passphrase !== undefined) return passphrase;
  throw new Failure("key_invalid", `${from} is encrypted and no passphrase was given`, {
    hint: "put the passphrase in a file and pass --passphrase-file FILE",
  });
}

export function wrongPassphrase(from: string): Failure {
  return new Failure("key_invalid", `${from} cannot be decrypted: the passphrase is wrong`);
}
