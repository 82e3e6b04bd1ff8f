import { expect, test } from "bun:test";
import { attacker, codesOf, judged, signed, victim } from "./attack.ts";

// The file brings its own key along. A verifier that uses it believes anybody.
function withKey(file: string, key: Uint8Array, instead: Uint8Array): string {
  const lines = file.trimEnd().split("\n");
  const blob = Buffer.from(lines.slice(1, -1).join(""), "base64");
  blob.set(key, blob.indexOf(instead));
  return `${lines[0]}\n${blob.toString("base64")}\n${lines.at(-1)}\n`;
}

test("the attacker's own signature", async () => {
  const verdict = await judged("bytes", await signed(attacker, "bytes", "ssh"));
  expect([verdict.accepted, codesOf(verdict)]).toEqual([[], ["signer_unknown"]]);
});

test("the attacker's signature that names the victim's key", async () => {
  const file = await signed(attacker, "bytes", "ssh");
  const changed = withKey(file, victim.publicKey.bytes, attacker.publicKey.bytes);
  expect(codesOf(await judged("bytes", changed))).toEqual(["signature_invalid"]);
});

test("the victim's signature that names the attacker's key", async () => {
  const file = await signed(victim, "bytes", "ssh");
  const changed = withKey(file, attacker.publicKey.bytes, victim.publicKey.bytes);
  expect(codesOf(await judged("bytes", changed))).toEqual(["signer_unknown"]);
  // Even where both are known, the key that is named is the one that is asked.
  const keys = [victim.publicKey, attacker.publicKey];
  expect(codesOf(await judged("bytes", changed, { keys }))).toEqual(["signature_invalid"]);
});

test("a key of small order in the file, under which anything verifies", async () => {
  const file = await signed(victim, "bytes", "ssh");
  const identity = Uint8Array.of(1, ...new Uint8Array(31));
  expect(codesOf(await judged("bytes", withKey(file, identity, victim.publicKey.bytes)))).toEqual([
    "signer_unknown",
  ]);
});
