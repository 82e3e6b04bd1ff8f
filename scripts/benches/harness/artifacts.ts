/** Files to stage and to verify, and keys to sign them with. */
import { generateKeyPairSync } from "node:crypto";
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BINARY } from "./record.ts";
import { run } from "./workshop.ts";

const PIECE = 4_194_304;
/** As much as the generator gives at once. */
const DRAUGHT = 65_536;

/** A script, as far as anybody looks, and noise after it, which no compression makes smaller; gives its SHA-256. */
export function fillNoise(path: string, bytes: number): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const file = openSync(path, "w");
  const piece = new Uint8Array(PIECE);
  for (let written = 0; written < bytes; written += piece.length) {
    for (let offset = 0; offset < piece.length; offset += DRAUGHT) {
      crypto.getRandomValues(piece.subarray(offset, offset + DRAUGHT));
    }
    if (written === 0) piece.set(Buffer.from("#!/bin/sh\nexit 0\n"));
    const part = piece.subarray(0, Math.min(piece.length, bytes - written));
    hasher.update(part);
    writeSync(file, part);
  }
  closeSync(file);
  return hasher.digest("hex");
}

/** An Ed25519 key pair in `folder`: key.pem, key.pub.pem, and the public key in base64, as add-on signers are named. */
export type SigningKey = { readonly privateKey: string; readonly publicPem: string; readonly base64: string };

export function newKey(folder: string): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const [secret, publicPem] = [join(folder, "key.pem"), join(folder, "key.pub.pem")];
  writeFileSync(secret, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  writeFileSync(publicPem, publicKey.export({ format: "pem", type: "spki" }));
  const base64 = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  return { privateKey: secret, publicPem, base64 };
}

/** What a control plane would say about one add-on whose artifact is `path`, signed. */
export function assignmentOf(path: string, objectKey: string, sha256: string, key: SigningKey): object {
  const signature = `${path}.raw`;
  run([BINARY, "sign", path, "--key", key.privateKey, "--format", "raw", "--out", signature]);
  return {
    addon_id: "app",
    version: "1",
    enabled: true,
    artifact_object_key: objectKey,
    artifact_sha256: sha256,
    artifact_signature: readFileSync(signature, "utf8").trim(),
  };
}
