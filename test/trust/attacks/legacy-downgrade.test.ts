import { expect, test } from "bun:test";
import { codesOf, judged, signed, victim } from "./attack.ts";

/**
 * minisign's label is not signed. A prehashed signature of a file is, with one letter changed, a legacy signature of
 * the 64 bytes of the file's BLAKE2b hash: an artifact that the victim never saw.
 */
const hash = new Uint8Array(new Bun.CryptoHasher("blake2b512").update("bytes").digest());

async function relabelled(): Promise<string[]> {
  const lines = (await signed(victim, "bytes", "minisign")).split("\n");
  const blob = Buffer.from(lines[1] ?? "", "base64");
  blob.write("Ed");
  return [lines[0] ?? "", blob.toString("base64"), ...lines.slice(2)];
}

test("the hash passes for a signed file only with --allow-legacy", async () => {
  const file = (await relabelled()).join("\n");
  expect(codesOf(await judged(hash, file))).toEqual(["signature_legacy"]);
  // The premise: what is refused by default is a real forgery.
  expect(codesOf(await judged(hash, file, { allowLegacy: true }))).toEqual([]);
});

test("nor does it as a signify signature, without its signed half", async () => {
  const file = `${(await relabelled()).slice(0, 2).join("\n")}\n`;
  expect(codesOf(await judged(hash, file))).toEqual(["signature_legacy"]);
  expect(codesOf(await judged(hash, file, { allowLegacy: true }))).toEqual([]);
});

test("nor does what is inside as a raw signature of the hash", async () => {
  const blob = Buffer.from((await relabelled())[1] ?? "", "base64");
  for (const file of [blob.subarray(10).toString("base64"), blob.subarray(10).toString("hex")]) {
    expect(codesOf(await judged(hash, file))).toEqual(["signature_legacy"]);
    expect(codesOf(await judged(hash, file, { allowLegacy: true }))).toEqual([]);
  }
});

test("the original file is not signed by the relabelled signature", async () => {
  const file = (await relabelled()).join("\n");
  expect(codesOf(await judged("bytes", file, { allowLegacy: true }))).toEqual(["signature_invalid"]);
});
