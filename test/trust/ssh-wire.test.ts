import { createHash } from "node:crypto";
import { describe, expect, test } from "bun:test";
import { formatSshKey, looksLikeSshKey, sshFingerprint, sshKeyBlob } from "../../src/trust/ssh-key.ts";
import { joined } from "../../src/base/bytes.ts";
import { NotSsh, SshReader, sshString, sshUint32 } from "../../src/trust/ssh-wire.ts";

describe("the wire format of SSH", () => {
  test("is read one value after the other", () => {
    const reader = new SshReader(
      joined(
        sshUint32(0x01_02_03_04),
        sshString("name"),
        sshString(Uint8Array.of(1, 2)),
        Uint8Array.of(7, 8, 9),
      ),
    );
    expect(reader.uint32()).toBe(0x01_02_03_04);
    expect(reader.word()).toBe("name");
    expect([...reader.string()]).toEqual([1, 2]);
    expect(() => reader.end()).toThrow(NotSsh);
    expect([...reader.take(1)]).toEqual([7]);
    expect([...reader.rest()]).toEqual([8, 9]);
    reader.end();
    expect([...reader.rest()]).toEqual([]);
  });

  test.each([
    ["a number", Uint8Array.of(0, 0, 1), (reader: SshReader) => reader.uint32()],
    ["a string", Uint8Array.of(0, 0, 0, 3, 1, 2), (reader: SshReader) => reader.string()],
    ["bytes", Uint8Array.of(1), (reader: SshReader) => reader.take(2)],
  ])("%s that is cut short is refused", (_what, bytes, read) => {
    expect(() => read(new SshReader(bytes))).toThrow(NotSsh);
  });
});

describe("an OpenSSH public key", () => {
  const key = Uint8Array.from({ length: 32 }, (_, at) => at);
  const base64 = Buffer.from(sshKeyBlob(key)).toString("base64");

  test("is written in one line, with its comment if it has one", () => {
    expect(formatSshKey(key)).toBe(`ssh-ed25519 ${base64}`);
    expect(formatSshKey(key, "me@here")).toBe(`ssh-ed25519 ${base64} me@here`);
  });

  test("has the fingerprint that ssh-keygen shows", () => {
    const digest = createHash("sha256").update(sshKeyBlob(key)).digest("base64");
    expect(sshFingerprint(key)).toBe(`SHA256:${digest.slice(0, 43)}`);
  });

  test.each([
    ["ssh-ed25519 AAAA", true],
    ["ssh-rsa\tAAAA", true],
    ["ecdsa-sha2-nistp256 AAAA", true],
    ["sk-ssh-ed25519@openssh.com AAAA", true],
    ["ssh- AAAA", false],
    ["ssh-ed25519", false],
    ["x ssh-ed25519 AAAA", false],
    ["ssh-ed25519,x AAAA", false],
  ])("is what %j looks like: %p", (text, looks) => expect(looksLikeSshKey(text)).toBe(looks));
});
