import { expect, test } from "bun:test";
import { formsOf, formsText, shownKeyNumber } from "../../src/trust/key-forms.ts";
import { publicKeyFromBytes } from "../../src/trust/public-key.ts";

/** The key of the first test of RFC 8032 §7.1; its digests are those of openssl and of ssh-keygen -l. */
const BYTES = Uint8Array.fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

const SPKI_PEM = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
`;
const SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
const MINISIGN = "RWQG4/2P2im7YNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

test("one key in every form", () => {
  expect(formsOf(publicKeyFromBytes(BYTES, "the key"))).toEqual({
    algorithm: "ed25519",
    keyid: "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=",
    fingerprints: {
      ssh: "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8",
      spki_sha256: "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9",
      minisign: "60BB29DA8FFDE306",
    },
    hex: BYTES.toHex(),
    base64: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    spki_pem: SPKI_PEM,
    ssh: SSH,
    minisign: MINISIGN,
    signify: `untrusted comment: minisign public key 60BB29DA8FFDE306\n${MINISIGN}\n`,
    jwk: { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
  });
});

test("the forms for a person, in a column", () => {
  expect(formsText(formsOf(publicKeyFromBytes(BYTES, "the key")))).toBe(`\
keyid           BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=
ssh_fingerprint SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8
minisign_id     60BB29DA8FFDE306
hex             ${BYTES.toHex()}
base64          11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
ssh             ${SSH}
minisign        ${MINISIGN}
jwk             {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
${SPKI_PEM}`);
});

test.each([
  [[1, 2, 3, 4, 5, 6, 7, 0x80], "8007060504030201"],
  [[0xab, 0, 0, 0, 0, 0, 0, 0x0f], "F000000000000AB"],
  [[0, 0, 0, 0, 0, 0, 0x10, 0], "10000000000000"],
  [[0, 0, 0, 0, 0, 0, 0, 0], "0"],
])("the key number %p", (number, shown) => {
  expect(shownKeyNumber(Uint8Array.from(number))).toBe(shown);
});

test("a key with a number of its own is shown by it", () => {
  const forms = formsOf(publicKeyFromBytes(BYTES, "the key", Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
  expect(forms.fingerprints.minisign).toBe("807060504030201");
  expect(Buffer.from(forms.minisign, "base64").subarray(2, 10).toString("hex")).toBe("0102030405060708");
});
