import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { fromBase64 } from "../base/encoding.ts";
import { parseJson, shownJson, type JsonMap } from "../base/json.ts";
import { quoted } from "../base/printable.ts";
import type { ClaimedSeed } from "./claimed-seed.ts";
import { KEY_BYTES } from "./ed25519.ts";

/** JSON Web Keys of Ed25519 (RFC 8037 §2). Runtimes ignore an `x` that does not belong to `d`; we never do. */
export type Jwk = { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string; readonly d?: string };

export function looksLikeJwk(text: string): boolean {
  return text.startsWith("{");
}

export function publicJwk(publicHalf: Uint8Array): Jwk {
  return { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicHalf).toString("base64url") };
}

export function privateJwk(seed: Uint8Array, publicHalf: Uint8Array): Jwk {
  return { ...publicJwk(publicHalf), d: Buffer.from(seed).toString("base64url") };
}

/** True for a JSON text with a member `d`: a private key, whatever else is wrong with it. */
export function isPrivateJwk(text: string): boolean {
  return looksLikeJwk(text) && /"d"\s*:/u.test(text);
}

/** The 32 bytes of the public key. Throws Failure `key_invalid`. */
export function parsePublicJwk(text: string, from: string): Uint8Array {
  return coordinate(readJwk(text, from), "x", from);
}

/** Throws Failure `key_invalid`; nothing of `d` is ever shown. */
export function parsePrivateJwk(text: string, from: string): ClaimedSeed {
  const jwk = readJwk(text, from);
  if (jwk["d"] === undefined)
    throw new Failure("key_invalid", `${from} is a public JWK; signing needs the private key`);
  return { seed: coordinate(jwk, "d", from), claimed: [coordinate(jwk, "x", from)], keyNumber: null };
}

function readJwk(text: string, from: string): JsonMap {
  const value = parseJson(text, { what: from, code: "key_invalid" });
  if (!isMap(value)) throw new Failure("key_invalid", `${from} is no JSON object`);
  if (value["keys"] !== undefined)
    throw new Failure("key_invalid", `${from} is a set of keys; wanted one JWK`, {
      hint: "store the one key in a file of its own",
    });
  expectMember(value, "kty", ["OKP"], from);
  expectMember(value, "crv", ["Ed25519"], from);
  if (value["use"] !== undefined) expectMember(value, "use", ["sig"], from);
  if (value["alg"] !== undefined) expectMember(value, "alg", ["EdDSA", "Ed25519"], from);
  return value;
}

function expectMember(jwk: JsonMap, name: string, wanted: readonly string[], from: string): void {
  const found = jwk[name];
  if (typeof found === "string" && wanted.includes(found)) return;
  const shown = found === undefined ? "missing" : shownJson(found);
  throw new Failure(
    "key_invalid",
    `${from} is JSON whose ${quoted(name)} is ${shown}; wanted a JWK with ${wanted.join(" or ")}`,
  );
}

function coordinate(jwk: JsonMap, name: "x" | "d", from: string): Uint8Array {
  const text = jwk[name];
  // base64url without padding is the one spelling (RFC 7515 §2).
  const bytes = typeof text === "string" && /^[\w-]+$/u.test(text) ? fromBase64(text) : null;
  if (bytes?.length === KEY_BYTES) return bytes;
  throw new Failure(
    "key_invalid",
    `${from} is a JWK whose ${quoted(name)} is not ${KEY_BYTES} bytes in base64url without padding`,
  );
}
