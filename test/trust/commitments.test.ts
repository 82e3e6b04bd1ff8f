import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { expect, test } from "bun:test";
import { Commitments } from "../../src/trust/commitments.ts";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import { StreamingVerifier } from "../../src/trust/streaming-verifier.ts";

const pairs = Array.from({ length: 3 }, () => generateKeyPairSync("ed25519"));
const keys = pairs.map(({ publicKey }) =>
  parsePublicKey(publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex"), "key"),
);

function verdicts(message: Uint8Array, signature: Uint8Array): (string | null)[] {
  const commitments = new Commitments(keys, signature);
  const digests = commitments.prefixes.map((prefix) =>
    createHash("sha512").update(prefix).update(message).digest(),
  );
  const verifier = new StreamingVerifier(keys, signature);
  verifier.update(message);
  return [commitments.signer(digests)?.keyid ?? null, verifier.finish()?.keyid ?? null];
}

test("the verdict is that of the streaming verifier, for each key and each changed bit", () => {
  for (const [index, { privateKey }] of pairs.entries()) {
    const message = randomBytes(1_000);
    const signature = new Uint8Array(sign(null, message, privateKey));
    const keyid = keys[index]?.keyid ?? "";
    expect(verdicts(message, signature)).toEqual([keyid, keyid]);
    for (const at of [0, 31, 32, 63]) {
      const changed = signature.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(verdicts(message, changed)).toEqual([null, null]);
    }
    message[500] = (message[500] ?? 0) ^ 1;
    expect(verdicts(message, signature)).toEqual([null, null]);
  }
});

test("without keys, or with fewer digests, nobody signed", () => {
  const signature = new Uint8Array(64);
  expect(new Commitments([], signature).signer([])).toBeNull();
  expect(new Commitments(keys, signature).signer([])).toBeNull();
  expect(() => new Commitments(keys, new Uint8Array(63))).toThrow(
    expect.objectContaining({ code: "signature_malformed" }),
  );
});
