import { quoted } from "./printable.ts";
import { Failure } from "./failure.ts";

/** 64 lower-case hex characters. Made only by the parsers below and by `hashing.ts`. */
export type Sha256 = string & { readonly __sha256: unique symbol };
/** `sha256:` and 64 lower-case hex characters: the identity of an image. */
export type ImageDigest = `sha256:${string}` & { readonly __image: unique symbol };

const SHA256 = /^[0-9a-f]{64}$/u;
const IMAGE_DIGEST = /^sha256:[0-9a-f]{64}$/u;

export function isSha256(text: string): text is Sha256 {
  return SHA256.test(text);
}

export function isImageDigest(text: string): text is ImageDigest {
  return IMAGE_DIGEST.test(text);
}

/** The hex of an image digest. */
export function hexOf(digest: ImageDigest): Sha256 {
  const hex = digest.slice("sha256:".length);
  if (isSha256(hex)) return hex;
  throw new RangeError("an image digest without its digest");
}

/** An image digest from a flag or a variable. Only the one canonical spelling is taken. */
export function parseImageDigest(text: string, from: string): ImageDigest {
  if (isImageDigest(text)) return text;
  if (text.trim() === "") {
    throw new Failure("invalid_value", `${from} is empty; wanted sha256:<64 lower-case hex>`, {
      hint: "the step that publishes the image exposed no digest; check its output name",
    });
  }
  throw new Failure("invalid_value", `${from} is ${quoted(text)}; wanted sha256:<64 lower-case hex>`, {
    hint: isImageDigest(`sha256:${text}`)
      ? `write it with its algorithm: sha256:${text}`
      : "a tag or a short digest can move; pass the full digest of the pushed image",
  });
}
