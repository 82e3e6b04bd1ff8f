import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { joined } from "../../src/base/bytes.ts";
import { encodeOpensshPrivateKey } from "../../src/trust/openssh-private-key.ts";
import { SshReader, sshString, sshUint32 } from "../../src/trust/ssh-wire.ts";
import { expectRefused, openssh, opensshText, other, publicHalf, read, seed } from "./private-keys.ts";

/** The same bytes with others in place of the nth time that `from` is found. */
function swapped(bytes: Uint8Array, from: Uint8Array, to: Uint8Array, nth: number): Uint8Array {
  const copy = Buffer.from(bytes);
  let at = -1;
  for (let count = 0; count < nth; count++) at = copy.indexOf(from, at + 1);
  copy.set(to, at);
  return new Uint8Array(copy);
}

/** The parts of an OpenSSH file, each of which may be another one. */
function opensshWith({
  magic = "openssh-key-v1\0",
  kdf = "none",
  options = "",
  outside = publicHalf,
  behind = new Uint8Array(),
  inside = publicHalf,
  pair = joined(seed, publicHalf),
  padding = [1, 2, 3],
}): string {
  const blob = (half: Uint8Array): Uint8Array => joined(sshString("ssh-ed25519"), sshString(half));
  const check = sshUint32(7);
  const inner = joined(
    check,
    check,
    blob(inside),
    sshString(pair),
    sshString("it"),
    Uint8Array.from(padding),
  );
  return opensshText(
    joined(
      new TextEncoder().encode(magic),
      ...["none", kdf, options].map(sshString),
      sshUint32(1),
      sshString(joined(blob(outside), behind)),
      sshString(inner),
    ),
  );
}

describe("an OpenSSH file that we write", () => {
  test.each(["", "a", "comment", "a comment", "one that is longer"])(
    "fills its blocks beside %p",
    (comment) => {
      const bytes = encodeOpensshPrivateKey({ seed, publicHalf }, 7, comment);
      expect(new TextDecoder().decode(bytes.subarray(0, 15))).toBe("openssh-key-v1\0");
      const file = new SshReader(bytes.subarray(15));
      expect([file.word(), file.word(), file.string().length, file.uint32()]).toEqual(["none", "none", 0, 1]);
      file.string();
      const inner = file.string();
      expect(inner.length % 8).toBe(0);
      // Two check numbers of 4, the public half of 51, the pair of 68, the comment with its length, and the padding.
      const padding = inner.length - 131 - comment.length;
      expect([...inner.subarray(inner.length - padding)]).toEqual([1, 2, 3, 4, 5, 6, 7].slice(0, padding));
      expect(read(opensshText(bytes)).seed()).toEqual(seed);
    },
  );
});

test("an OpenSSH file of parts is read, so that each case below changes one of them", () => {
  expect(read(opensshWith({})).seed()).toEqual(seed);
});

describe("what does not fit in an OpenSSH file is refused, and nothing of it shown", () => {
  const table: readonly (readonly [string, string, RegExp])[] = [
    [
      "another public half outside",
      opensshText(swapped(openssh, publicHalf, other, 1)),
      /does not belong to its seed/u,
    ],
    [
      "another public half inside",
      opensshText(swapped(openssh, publicHalf, other, 2)),
      /does not belong to its seed/u,
    ],
    [
      "another public half beside the seed",
      opensshText(swapped(openssh, publicHalf, other, 3)),
      /does not belong to its seed/u,
    ],
    [
      "another seed",
      opensshText(swapped(openssh, seed, new Uint8Array(randomBytes(32)), 1)),
      /does not belong to its seed/u,
    ],
    [
      "a cipher",
      opensshText(swapped(openssh, Buffer.from("none"), Buffer.from("aes2"), 1)),
      /^the key is an OpenSSH private key encrypted with "aes2"$/u,
    ],
    [
      "two check numbers that differ",
      opensshText(swapped(openssh, Buffer.of(1, 2, 3, 4), Buffer.of(9, 2, 3, 4), 2)),
      /check numbers/u,
    ],
    ["a wrong padding", opensshText(joined(openssh.slice(0, -1), Uint8Array.of(9))), /a wrong padding/u],
    ["bytes behind", opensshText(joined(openssh, Uint8Array.of(0))), /bytes after the end/u],
    ["cut short", opensshText(openssh.slice(0, -20)), /cut short/u],
    [
      "another type",
      opensshText(swapped(openssh, Buffer.from("ssh-ed25519"), Buffer.from("ssh-ed44888"), 1)),
      /unsupported key type "ssh-ed44888"/u,
    ],
    ["another magic", opensshWith({ magic: "openssh-key-v2\0" }), /: another format$/u],
    ["a key derivation", opensshWith({ kdf: "bcrypt" }), /: a key derivation without a cipher$/u],
    ["its options", opensshWith({ options: "x" }), /: a key derivation without a cipher$/u],
    ["bytes behind the outer half", opensshWith({ behind: Uint8Array.of(0) }), /: bytes after the end$/u],
    ["a short outer half", opensshWith({ outside: publicHalf.slice(1) }), /: a public half of 31 bytes$/u],
    ["a short inner half", opensshWith({ inside: publicHalf.slice(1) }), /: a public half of 31 bytes$/u],
    ["a long pair", opensshWith({ pair: joined(seed, publicHalf, seed) }), /: a private part of 96 bytes$/u],
    ["a whole block of padding", opensshWith({ padding: [1, 2, 3, 4, 5, 6, 7, 8] }), /: a wrong padding$/u],
  ];
  test.each(table)("%s", (_what, text, message) => expectRefused(text, message));
});
