import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { repositoryName } from "../../src/commands/policy-flags.ts";
import {
  formatOf,
  parseDetachedSignature,
  type DetachedSignature,
} from "../../src/trust/detached-signature.ts";
import { formatEnvelope, parseEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { publicForm } from "../../src/trust/key-conversion.ts";
import { openPolicy, POLICY_PAYLOAD_TYPE } from "../../src/trust/policy.ts";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import { proveSignature } from "../../src/trust/signature-proof.ts";
import { signBytes } from "../../src/trust/byte-signer.ts";
import { readSignedRoot } from "../../src/trust/trust-root-succession.ts";
import { pointsOf } from "../support/points.ts";
import { ALICE, BOB, NOW, POLICY, policyBytes } from "./attestations.ts";
import { signed, victim } from "./attacks/attack.ts";
import { aRoot, envelopeOf, trusted } from "./roots.ts";

const POINTS = pointsOf("each bit and each cut of policies, trust roots and detached signatures");

/** Each bit of each thing that is signed besides statements, turned round by itself; and each beginning of it. */
function* flips(bytes: Uint8Array): Generator<readonly [string, Uint8Array]> {
  // A line break at the end is not signed, and nobody misses it.
  const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  for (let at = 0; at < end; at++) yield [`cut at ${at}`, bytes.slice(0, at)];
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      const copy = bytes.slice();
      copy[at] = (copy[at] ?? 0) ^ bit;
      yield [`byte ${at} ^ ${bit}`, copy];
    }
  }
}

/** What it comes to, or null for a failure of our own. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure && error.code !== "internal_error") return null;
    throw error;
  }
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test("a signed policy", () => {
  const open = (bytes: Uint8Array): boolean =>
    orNull(
      () =>
        openPolicy(
          parseEnvelope(bytes, "it"),
          "it",
          { keys: [BOB.publicKey], threshold: 1, distrusted: [] },
          NOW,
          repositoryName,
        ).ok,
    ) === true;
  const file = utf8(formatEnvelope(signEnvelope(BOB, POLICY_PAYLOAD_TYPE, policyBytes(POLICY))));
  expect(open(file)).toBe(true);
  expectShut([...flips(file)], open);
}, 600_000);

function expectShut(
  changes: readonly (readonly [string, Uint8Array])[],
  open: (bytes: Uint8Array) => boolean,
): void {
  for (const [where, bytes] of changes) {
    POINTS.check(() => {
      if (open(bytes)) throw new Error(`${where} was accepted`);
    });
  }
}

/** A root is read before its signatures are, since it names its own keys: all its bits take half a minute. */
const PART = process.env["WAYBILL_FULL"] === undefined ? 11 : 1;

test("a trust root that two keys signed, of which both must", () => {
  const root = aRoot([trusted("second", { roles: ["root"] }), trusted("ci", { validUntil: NOW })], {
    thresholds: { root: 2 },
  });
  const open = (bytes: Uint8Array): boolean =>
    orNull(() => readSignedRoot(parseEnvelope(bytes, "it"), "it")) !== null;
  const file = utf8(formatEnvelope(envelopeOf(root, ["root", "second"])));
  expect(open(file)).toBe(true);
  const some = [...flips(file)].filter((_flip, at) => at % PART === 0);
  expectShut(some, open);
}, 600_000);

/** As minisign knows it, by its number: in another form it has none, and then that of a signature says nothing. */
const KEY = parsePublicKey(publicForm(victim.publicKey, "minisign"), "the key");

/** The signature as it was read, when it holds for these bytes. */
function accepted(file: Uint8Array, bytes: Uint8Array, allowLegacy: boolean): DetachedSignature | null {
  const signature = orNull(() => parseDetachedSignature(file, formatOf(file), "it"));
  if (signature === null) return null;
  const rules = { keys: [KEY], namespace: "artifact@waybill", allowLegacy };
  const proof = proveSignature(signature, rules, "it");
  proof.update(bytes);
  return proof.finish() instanceof Failure ? null : signature;
}

describe("a detached signature: what is still accepted says the very same", () => {
  const bytes = utf8("the bytes of an artifact");
  const raw = signBytes(victim, bytes);
  const files: [string, () => Promise<Uint8Array>][] = [
    ["of minisign", async () => utf8(await signed(victim, bytes, "minisign"))],
    ["of OpenSSH", async () => utf8(await signed(victim, bytes, "ssh"))],
    ["raw", async () => raw],
    ["raw in base64", async () => utf8(Buffer.from(raw).toString("base64"))],
    ["raw in hex", async () => utf8(Buffer.from(raw).toString("hex"))],
    [
      "of signify",
      async () => {
        const [comment, line] = (await signed(victim, bytes, "minisign")).split("\n");
        const head = Buffer.from(line ?? "", "base64").subarray(0, 10);
        head.write("Ed", "latin1");
        return utf8(`${comment}\n${Buffer.concat([head, raw]).toString("base64")}\n`);
      },
    ],
  ];
  const ways = PART === 1 ? [false, true] : [false];
  for (const allowLegacy of ways) {
    test.each(files)(`%s${allowLegacy ? ", also where legacy ones are taken" : ""}`, async (_name, make) => {
      const file = await make();
      const original = accepted(file, bytes, allowLegacy);
      if (original === null) throw new Error("the untouched one is refused");
      for (const [where, changed] of flips(file)) {
        POINTS.check(() => {
          const found = accepted(changed, bytes, allowLegacy);
          if (found !== null) expect([where, found]).toEqual([where, original]);
        });
      }
    });
  }

  test("of another key than the one that is asked for is none, whatever bit is turned", async () => {
    const file = utf8(await signed(ALICE, bytes, "ssh"));
    for (const [where, changed] of flips(file)) {
      POINTS.check(() => {
        if (accepted(changed, bytes, false) !== null) throw new Error(`${where} was accepted`);
      });
    }
  });
});
