import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { toBase64 } from "../../../src/base/encoding.ts";
import { signBytes } from "../../../src/trust/byte-signer.ts";
import { pae, verifyEnvelope } from "../../../src/trust/dsse.ts";
import { MessageBeginning } from "../../../src/trust/message-beginning.ts";
import { signFile } from "../../../src/trust/signer.ts";
import { sshSignedData } from "../../../src/trust/sshsig.ts";
import { TRUST_ROOT_TYPE } from "../../../src/trust/trust-root.ts";
import { refusalOfAsync } from "../refusal.ts";
import { inFolder } from "../run-waybill.ts";
import { codesOf, judged, victim } from "./attack.ts";

/**
 * A raw signature is over the bytes of a file, whatever they are. A file that is the message of an envelope, signed
 * as an artifact, would sign whatever the envelope says: the next trust root, say. The other way round, whoever has an
 * attestation has a signature over its message.
 */
const payload = new TextEncoder().encode("{}");
const digest = new Uint8Array(64);
const messages: [string, Uint8Array][] = [
  ["of an envelope", pae(TRUST_ROOT_TYPE, payload)],
  ["of an OpenSSH signature", sshSignedData("git", "sha512", digest)],
];
const calm = new AbortController().signal;

describe.each(messages)("the message %s", (_what, message) => {
  test("is not signed as a file", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "artifact");
      writeFileSync(path, message);
      expect((await refusalOfAsync(() => signFile(victim, path, calm))).code).toBe("input_invalid");
    });
  });

  test("is not a file that somebody signed", async () => {
    const signature = toBase64(signBytes(victim, message));
    expect(codesOf(await judged(message, signature))).toEqual(["namespace_mismatch"]);
    expect(codesOf(await judged(message, signature, { allowLegacy: true }))).toEqual(["namespace_mismatch"]);
    const other = toBase64(signBytes(victim, payload));
    expect(codesOf(await judged(message, other))).toEqual(["signature_invalid"]);
  });
});

test.each(messages)("the message %s is known in whatever pieces it comes", (_what, message) => {
  for (const size of [1, 4, 5, 6, 7]) {
    const beginning = new MessageBeginning();
    for (let at = 0; at < message.length; at += size) beginning.update(message.subarray(at, at + size));
    expect([size, beginning.otherPurpose()]).toEqual([size, expect.any(String)]);
  }
});

test("the premise: such a signature is one of the envelope", () => {
  const signature = signBytes(victim, pae(TRUST_ROOT_TYPE, payload));
  const envelope = { payloadType: TRUST_ROOT_TYPE, payload, signatures: [{ keyid: null, signature }] };
  expect(verifyEnvelope(envelope, [victim.publicKey], 1).ok).toBe(true);
});

test.each(["", "DSSEv", "DSSEv2", "xDSSEv1", "SSHSI", "sshsig"])(
  "a file of %p is like any other",
  async (text) => {
    await inFolder(async (folder) => {
      const path = join(folder, "artifact");
      writeFileSync(path, text);
      const { signature } = await signFile(victim, path, calm);
      expect(codesOf(await judged(text, signature))).toEqual([]);
    });
  },
);
