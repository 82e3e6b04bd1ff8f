import { toBase64, toHex } from "../base/encoding.ts";

export type Encoding = "base64" | "hex" | "binary";

export function isEncoding(text: string): text is Encoding {
  return text === "base64" || text === "hex" || text === "binary";
}

/** A raw signature as it stands in its file. */
export function encodeRawSignature(signature: Uint8Array, encoding: Encoding): Uint8Array | string {
  if (encoding === "binary") return signature;
  return `${encoding === "hex" ? toHex(signature) : toBase64(signature)}\n`;
}
