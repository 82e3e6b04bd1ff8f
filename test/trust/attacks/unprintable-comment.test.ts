import { expect, test } from "bun:test";
import { formatMinisignSignature, globalMessage } from "../../../src/trust/minisign-signature.ts";
import { keyNumberOf } from "../../../src/trust/public-key.ts";
import { signBytes } from "../../../src/trust/byte-signer.ts";
import { codesOf, judged, victim } from "./attack.ts";

// A signer may vouch for any bytes in the comment; a terminal or a CI runner must not act on them.
function signedWith(comment: Uint8Array): Buffer {
  const signature = signBytes(
    victim,
    new Uint8Array(new Bun.CryptoHasher("blake2b512").update("bytes").digest()),
  );
  const globalSignature = signBytes(victim, globalMessage(signature, comment));
  const keyNumber = keyNumberOf(victim.publicKey);
  const text = formatMinisignSignature(
    {
      algorithm: "ED",
      keyNumber,
      signature,
      trustedComment: new TextEncoder().encode("PLACE"),
      globalSignature,
    },
    "x",
  );
  const [before = "", after = ""] = text.split("PLACE");
  return Buffer.concat([Buffer.from(before), comment, Buffer.from(after)]);
}

const table: readonly (readonly [string, Uint8Array, string | undefined])[] = [
  ["plain", Buffer.from("timestamp:1\tfile:a b"), "timestamp:1 file:a b"],
  ["UTF-8", Buffer.from("höhe ✓"), "höhe ✓"],
  ["an escape sequence", Buffer.from("a\u001b[2Jb"), undefined],
  ["a carriage return", Buffer.from("good\rbad"), undefined],
  ["an order of the text turned round", Buffer.from("a\u202eb"), undefined],
  ["a command of a CI runner", Buffer.from("##[error]x"), undefined],
  ["another one", Buffer.from("::set-output name=a::b"), undefined],
  ["no UTF-8", Buffer.of(0x61, 0xff, 0x62), undefined],
];
test.each(table)("%s", async (_name, comment, shown) => {
  const verdict = await judged("bytes", signedWith(comment));
  // It is a valid signature all the same.
  expect(codesOf(verdict)).toEqual([]);
  const [accepted] = verdict.accepted;
  expect(accepted?.kind === "signature" ? accepted.trusted_comment : null).toBe(shown);
});
