import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { parsePublicKey, publicKeyFromBytes } from "../../../src/trust/public-key.ts";
import { minisignPub } from "../../../src/trust/key-forms.ts";
import { attacker, codesOf, judged, signed, victim } from "./attack.ts";

const pub = parsePublicKey(minisignPub(victim.publicKey), "the victim's .pub");

/** The signature file with another key number in it, which nobody signs. */
function renumbered(file: string, number: Uint8Array): string {
  const lines = file.split("\n");
  const blob = Buffer.from(lines[1] ?? "", "base64");
  blob.set(number, 2);
  return [lines[0], blob.toString("base64"), ...lines.slice(2)].join("\n");
}

test("a good signature under the number of another key is refused, as minisign does", async () => {
  const file = renumbered(await signed(victim, "bytes", "minisign"), randomBytes(8));
  expect(codesOf(await judged("bytes", file, { keys: [pub] }))).toEqual(["signer_unknown"]);
});

test("the attacker's signature under the victim's number", async () => {
  const file = renumbered(await signed(attacker, "bytes", "minisign"), pub.keyNumber ?? new Uint8Array());
  const verdict = await judged("bytes", file, { keys: [pub] });
  expect([verdict.accepted, codesOf(verdict)]).toEqual([[], ["signature_invalid"]]);
});

test("a number that leads to the wrong one of two known keys", async () => {
  const number = new Uint8Array(randomBytes(8));
  const other = publicKeyFromBytes(attacker.publicKey.bytes, "another key", number);
  const file = renumbered(await signed(victim, "bytes", "minisign"), number);
  expect(codesOf(await judged("bytes", file, { keys: [pub, other] }))).toEqual(["signature_invalid"]);
});
