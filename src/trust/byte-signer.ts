import { Failure } from "../base/failure.ts";
import { sign, verifyNatively } from "./ed25519.ts";
import type { SigningKey } from "./signing-key.ts";

/** The raw signature of bytes in memory: 64 bytes, checked by another implementation before they are returned. */
export function signBytes(key: SigningKey, message: Uint8Array): Uint8Array {
  const signature = sign(message, key.seed());
  if (!verifyNatively(signature, message, key.publicKey.bytes)) throw faultySignature();
  return signature;
}

/** A fault of the machine while signing; the signature must not leave the process. */
export function faultySignature(): Failure {
  return new Failure(
    "internal_error",
    "the signature that was just made does not verify; it was thrown away",
    {
      hint: "check this machine's memory, and run again",
    },
  );
}
