import { expect, test } from "bun:test";
import { parseDetachedSignature } from "../../../src/trust/detached-signature.ts";
import { addSignature } from "../../../src/trust/dsse.ts";
import { readSignedRoot } from "../../../src/trust/trust-root-succession.ts";
import { refusalOf } from "../refusal.ts";
import { aRoot, envelopeOf, keyOf, trusted } from "../roots.ts";
import { attacker, codesOf, judged, signed, victim } from "./attack.ts";

// A threshold is there so that one stolen key is not enough, however often it signs.
const both = [victim.publicKey, attacker.publicKey];
const claim = (file: string, format: "ssh" | "minisign") =>
  ({ signature: parseDetachedSignature(Buffer.from(file), format, "it"), formatNamed: true }) as const;

test("two signatures of one artifact by one key", async () => {
  const [ssh, minisign] = [await signed(victim, "b", "ssh"), await signed(victim, "b", "minisign")];
  const signatures = [claim(ssh, "ssh"), claim(minisign, "minisign"), claim(ssh, "ssh")];
  const verdict = await judged("b", ssh, { signatures, threshold: 2, keys: both });
  expect([verdict.accepted.length, codesOf(verdict)]).toEqual([3, ["threshold_not_met"]]);
});

test("two signatures by two keys", async () => {
  const [one, two] = [await signed(victim, "b", "ssh"), await signed(attacker, "b", "minisign")];
  const signatures = [claim(one, "ssh"), claim(two, "minisign")];
  const verdict = await judged("b", one, { signatures, threshold: 2, keys: both });
  expect(codesOf(verdict)).toEqual([]);
});

test("a root that one of two root keys signed twice", () => {
  const root = aRoot([trusted("bob", { roles: ["root"] })], { thresholds: { root: 2 } });
  const once = envelopeOf(root, ["root"]);
  const twice = { ...once, signatures: [...once.signatures, ...once.signatures] };
  expect(refusalOf(() => readSignedRoot(twice, "it")).code).toBe("threshold_not_met");
  // Also when the second one says that it is somebody else's.
  const [first] = once.signatures;
  const disguised = { keyid: keyOf("bob").publicKey.keyid, signature: first?.signature ?? new Uint8Array() };
  const envelope = { ...once, signatures: [...once.signatures, disguised] };
  expect(refusalOf(() => readSignedRoot(envelope, "it")).code).toBe("threshold_not_met");
  expect(readSignedRoot(addSignature(keyOf("bob"), once), "it").root.version).toBe(1);
});
