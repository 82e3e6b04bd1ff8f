import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { DetachedSignature } from "./detached-signature.ts";
import { verify } from "./ed25519.ts";
import { shownKeyNumber } from "./key-forms.ts";
import { MessageBeginning } from "./message-beginning.ts";
import { globalMessage, shownComment, type MinisignSignature } from "./minisign-signature.ts";
import { keyNumberOf, type PublicKey } from "./public-key.ts";
import { sshSignedData, type SshSignature } from "./sshsig.ts";
import { StreamingVerifier } from "./streaming-verifier.ts";

/** What a signature must satisfy besides being one. */
export type SignatureRules = {
  /** Keys that the verifier knows: the signer must be among them. */
  readonly keys: readonly PublicKey[];
  /** The namespace that an OpenSSH signature must have. */
  readonly namespace: string;
  /** Whether minisign's signatures over the file itself are taken, and plain ones where nobody named the format. */
  readonly allowLegacy: boolean;
};

/** Who signed, and what else the signature says that its signer vouches for. */
export type Signer = {
  readonly key: PublicKey;
  /** minisign's signed comment; null in other formats, and when it could not be shown safely. */
  readonly trustedComment: string | null;
  /** The namespace of an OpenSSH signature, else null. */
  readonly namespace: string | null;
};

/** Takes all bytes of the artifact in order and then says who signed them. `finish` is called once. */
export type SignatureProof = {
  readonly update: (chunk: Uint8Array) => void;
  readonly finish: () => Signer | Failure;
};

/** Bytes of BLAKE2b-512, of which minisign signs instead of the file. */
const PREHASH_BYTES = 64;

/** `what` names the signed file in messages. */
export function proveSignature(
  signature: DetachedSignature,
  rules: SignatureRules,
  what: string,
): SignatureProof {
  if (signature.format === "minisign") return proveMinisign(signature, rules, what);
  if (signature.format === "signify") return proveSignify(signature, rules, what);
  if (signature.format === "ssh") return proveSsh(signature, rules, what);
  return overOwnBytes(signature.signature, rules.keys, rules, what, "raw");
}

function proveSignify(
  signature: { readonly keyNumber: Uint8Array; readonly signature: Uint8Array },
  rules: SignatureRules,
  what: string,
): SignatureProof {
  const keys = withNumber(rules.keys, signature.keyNumber);
  if (keys instanceof Failure) return refused(keys);
  return overOwnBytes(signature.signature, keys, rules, what, "signify");
}

/**
 * A plain signature over the artifact itself. The message of another format in its place is not taken for one, and a
 * hash only where somebody said so.
 */
function overOwnBytes(
  signature: Uint8Array,
  keys: readonly PublicKey[],
  rules: SignatureRules,
  what: string,
  format: "raw" | "signify",
): SignatureProof {
  let size = 0;
  const beginning = new MessageBeginning();
  const proof = overBytes(signature, keys, what, plainSigner);
  return {
    update: (chunk) => {
      size += chunk.length;
      beginning.update(chunk);
      proof.update(chunk);
    },
    finish: () => {
      const signer = proof.finish();
      const purpose = beginning.otherPurpose();
      if (!(signer instanceof Failure) && purpose !== null)
        return new Failure("namespace_mismatch", `the signature of ${what} is taken out of ${purpose}`, {
          hint: "a signature for one purpose proves nothing for another",
        });
      // What a prehashed minisign file holds is a plain signature of the hash, and with one letter changed signify's.
      if (signer instanceof Failure || rules.allowLegacy || size !== PREHASH_BYTES) return signer;
      return new Failure(
        "signature_legacy",
        `${what} has ${PREHASH_BYTES} bytes, like the hash that minisign signs in place of another file`,
        { hint: `pass --signature-format ${format} when it really is what was signed` },
      );
    },
  };
}

function proveMinisign(signature: MinisignSignature, rules: SignatureRules, what: string): SignatureProof {
  const legacy = signature.algorithm === "Ed";
  // A prehashed signature passes for a legacy one of the 64 bytes of the hash: the label is not signed.
  if (legacy && !rules.allowLegacy)
    return refused(
      new Failure(
        "signature_legacy",
        `the signature of ${what} is minisign's legacy kind, over the file itself`,
        {
          hint: "sign it again with a current minisign, or pass --allow-legacy",
        },
      ),
    );
  const keys = withNumber(rules.keys, signature.keyNumber);
  if (keys instanceof Failure) return refused(keys);
  const finish = (key: PublicKey): Signer | Failure => {
    const message = globalMessage(signature.signature, signature.trustedComment);
    if (verify(signature.globalSignature, message, key.bytes))
      return { key, trustedComment: shownComment(signature.trustedComment), namespace: null };
    return new Failure(
      "trusted_comment_invalid",
      `the trusted comment beside the signature of ${what} is not the one that was signed`,
      { hint: "it was changed, or taken from another signature" },
    );
  };
  if (legacy) return overBytes(signature.signature, keys, what, finish);
  return overDigest("blake2b512", signature.signature, keys, what, (digest) => digest, finish);
}

function proveSsh(signature: SshSignature, rules: SignatureRules, what: string): SignatureProof {
  const { namespace, hash } = signature;
  if (namespace !== rules.namespace)
    return refused(
      new Failure(
        "namespace_mismatch",
        `the signature of ${what} is for namespace ${quoted(namespace)}; wanted ${quoted(rules.namespace)}`,
        { hint: "a signature for one purpose proves nothing for another; name the purpose with --namespace" },
      ),
    );
  // The file brings a key along; only a key that the verifier already had counts.
  const key = rules.keys.find((known) => Buffer.compare(known.bytes, signature.key) === 0);
  if (key === undefined)
    return refused(
      new Failure("signer_unknown", `the signature of ${what} names a key that is none of the given ones`, {
        hint: `the given ones: ${rules.keys.map(({ keyid }) => keyid).join(", ")}`,
      }),
    );
  const signedData = (digest: Uint8Array): Uint8Array => sshSignedData(namespace, hash, digest);
  return overDigest(hash, signature.signature, [key], what, signedData, () => ({
    key,
    trustedComment: null,
    namespace,
  }));
}

/** Pure Ed25519 over the artifact's own bytes, which are never held. */
function overBytes(
  signature: Uint8Array,
  keys: readonly PublicKey[],
  what: string,
  finish: (key: PublicKey) => Signer | Failure,
): SignatureProof {
  const verifier = new StreamingVerifier(keys, signature);
  return {
    update: (chunk) => verifier.update(chunk),
    finish: () => {
      const key = verifier.finish();
      return key === null ? invalid(what, keys) : finish(key);
    },
  };
}

function overDigest(
  algorithm: "blake2b512" | "sha256" | "sha512",
  signature: Uint8Array,
  keys: readonly PublicKey[],
  what: string,
  messageOf: (digest: Uint8Array) => Uint8Array,
  finish: (key: PublicKey) => Signer | Failure,
): SignatureProof {
  const engine = new Bun.CryptoHasher(algorithm);
  return {
    update: (chunk) => void engine.update(chunk),
    finish: () => {
      const message = messageOf(new Uint8Array(engine.digest()));
      const key = keys.find((one) => verify(signature, message, one.bytes));
      return key === undefined ? invalid(what, keys) : finish(key);
    },
  };
}

/** The keys that may have made a signature with this number: minisign refuses another one, whatever the maths say. */
function withNumber(keys: readonly PublicKey[], number: Uint8Array): readonly PublicKey[] | Failure {
  const candidates = keys.filter(
    ({ keyNumber }) => keyNumber === null || Buffer.compare(keyNumber, number) === 0,
  );
  if (candidates.length > 0) return candidates;
  const known = keys.map((key) => shownKeyNumber(keyNumberOf(key)));
  return new Failure(
    "signer_unknown",
    `the signature is by key number ${shownKeyNumber(number)}; the given keys have ${known.join(", ")}`,
    { hint: "pass the public key of whoever signed" },
  );
}

function plainSigner(key: PublicKey): Signer {
  return { key, trustedComment: null, namespace: null };
}

function refused(failure: Failure): SignatureProof {
  return { update: () => {}, finish: () => failure };
}

function invalid(what: string, keys: readonly PublicKey[]): Failure {
  const shown = keys.map((key) => key.keyid).join(", ");
  return new Failure("signature_invalid", `the signature of ${what} does not verify under key ${shown}`, {
    hint: "it was made by another key, for another file, or the file was changed afterwards",
  });
}
