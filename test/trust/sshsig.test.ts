import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { pem } from "../../src/trust/pem.ts";
import {
  DEFAULT_NAMESPACE,
  formatSshSignature,
  isNamespace,
  parseSshSignature,
} from "../../src/trust/sshsig.ts";
import { joined } from "../../src/base/bytes.ts";
import { sshString, sshUint32 } from "../../src/trust/ssh-wire.ts";
import { refusalOf } from "./refusal.ts";
import { keyOf } from "./roots.ts";

const key = keyOf("me").publicKey.bytes;
// Three bytes of ones are a slash in base64, wherever they stand: the alphabet can be told.
const signature = Uint8Array.of(0xff, 0xff, 0xff, ...randomBytes(61));

type Parts = Partial<{
  magic: string;
  version: number;
  key: Uint8Array;
  namespace: string | Uint8Array;
  reserved: string;
  hash: string;
  signature: Uint8Array;
  tail: Uint8Array;
}>;

/** The file with this blob in it. */
function fileOf(parts: Parts): Uint8Array {
  const blob = joined(
    Buffer.from(parts.magic ?? "SSHSIG"),
    sshUint32(parts.version ?? 1),
    sshString(parts.key ?? joined(sshString("ssh-ed25519"), sshString(key))),
    sshString(parts.namespace ?? "file"),
    sshString(parts.reserved ?? ""),
    sshString(parts.hash ?? "sha512"),
    sshString(parts.signature ?? joined(sshString("ssh-ed25519"), sshString(signature))),
    parts.tail ?? new Uint8Array(),
  );
  return Buffer.from(pem("SSH SIGNATURE", blob, 70));
}

test("what is written is the same blob, and is read back", () => {
  const text = formatSshSignature({ key, namespace: "file", hash: "sha512", signature });
  expect(text).toBe(Buffer.from(fileOf({})).toString());
  expect(parseSshSignature(Buffer.from(text), "it")).toEqual({
    format: "ssh",
    key,
    namespace: "file",
    hash: "sha512",
    signature,
  });
  expect(text.split("\n").every((line) => line.length <= 70)).toBe(true);
});

describe("the armor", () => {
  const text = formatSshSignature({ key, namespace: "file", hash: "sha256", signature });
  const read = (found: string): ReturnType<typeof parseSshSignature> =>
    parseSshSignature(Buffer.from(found), "the signature");
  const [begin = "", first = ""] = text.split("\n");
  const end = "-----END SSH SIGNATURE-----";

  test("may have white space in its body and anything behind it", () => {
    expect(read(text).hash).toBe("sha256");
    for (const spelled of [
      text.trimEnd(),
      `${text}more\n${end}\n`,
      text.replace(first, ` ${first}\t`),
      text.replaceAll("\n", "\n\n").replace(`${begin}\n\n`, `${begin}\n`),
    ])
      expect(read(spelled)).toEqual(read(text));
  });

  const body = text.slice(begin.length + 1, text.indexOf(end)).replaceAll("\n", "");
  const padded = Buffer.from(fileOf({ namespace: "fi" }))
    .toString()
    .replaceAll(/-----.*-----|\n/gu, "");
  test("pads its base64", () => {
    expect(padded).toEndWith("=");
    expect(read(whole(padded)).namespace).toBe("fi");
  });

  const whole = (found: string): string => `${begin}\n${found}\n${end}\n`;
  const table: [string, string][] = [
    ["nothing in it", `${begin}\n${end}\n`],
    ["an empty line in it", whole("")],
    ["no end", `${begin}\n${body}\n`],
    ["its end on the line of its body", `${begin}\n${body}${end}\n`],
    ["its end before its begin", `${end}\n${begin}\n${body}\n`],
    ["the other alphabet in it", whole(body.replaceAll(/[+/]/gu, (found) => (found === "+" ? "-" : "_")))],
    ["no padding", whole(padded.replace(/=+$/u, ""))],
    ["junk before its base64", whole(`!!!!${body}`)],
    ["junk behind its base64", whole(`${body}!!!!`)],
    ["a letter short", whole(body.slice(1))],
  ];
  test.each(table)("with %s is no signature", (_what, found) => {
    expect(refusalOf(() => read(found)).code).toBe("signature_malformed");
  });

  test("says which line is missing", () => {
    const messages = ["x", `${begin}\nAAAA`].map((found) => refusalOf(() => read(found)).message);
    expect(messages).toEqual([
      expect.stringMatching(/begin with the line "-----BEGIN SSH SIGNATURE-----"$/u),
      expect.stringMatching(/has no line "-----END SSH SIGNATURE-----"$/u),
    ]);
  });
});

test.each([
  ["\u001f", false],
  [" ", true],
  ["~", true],
  ["\u007f", false],
])("a namespace with %j is read as text: %p", (character, isText) => {
  const read = (): string => parseSshSignature(fileOf({ namespace: `a${character}` }), "it").namespace;
  if (isText) expect(read()).toBe(`a${character}`);
  else expect(refusalOf(read).code).toBe("signature_malformed");
});

describe("a blob with one thing wrong", () => {
  const table: readonly (readonly [string, Parts, string])[] = [
    ["another magic", { magic: "SSHSIH" }, "signature_malformed"],
    ["version 0", { version: 0 }, "signature_unsupported"],
    ["version 2", { version: 2 }, "signature_unsupported"],
    ["no namespace", { namespace: "" }, "signature_malformed"],
    ["a namespace with a line break", { namespace: "file\n" }, "signature_malformed"],
    ["a namespace that is no text", { namespace: Uint8Array.of(0xff) }, "signature_malformed"],
    ["something in the reserved field", { reserved: "x" }, "signature_malformed"],
    ["another hash", { hash: "sha384" }, "signature_unsupported"],
    [
      "a short key",
      { key: joined(sshString("ssh-ed25519"), sshString(key.slice(1))) },
      "signature_malformed",
    ],
    [
      "a key of another type",
      { key: joined(sshString("ssh-ed448"), sshString(key)) },
      "signature_unsupported",
    ],
    [
      "bytes behind the key",
      { key: joined(sshString("ssh-ed25519"), sshString(key), Uint8Array.of(0)) },
      "signature_malformed",
    ],
    [
      "a short signature",
      { signature: joined(sshString("ssh-ed25519"), sshString(signature.slice(1))) },
      "signature_malformed",
    ],
    [
      "bytes behind the signature",
      { signature: joined(sshString("ssh-ed25519"), sshString(signature), Uint8Array.of(0)) },
      "signature_malformed",
    ],
    [
      "a signature of another type",
      { signature: joined(sshString("ssh-rsa"), sshString(signature)) },
      "signature_unsupported",
    ],
    ["bytes behind everything", { tail: Uint8Array.of(0) }, "signature_malformed"],
  ];
  test.each(table)("%s", (_name, parts, code) => {
    const refusal = refusalOf(() => parseSshSignature(fileOf(parts), "the signature"));
    expect([refusal.code as string, refusal.exitCode]).toEqual([code, 6]);
  });
});

test("namespaces that may be given", () => {
  expect(DEFAULT_NAMESPACE).toBe("artifact@waybill");
  const table = {
    file: true,
    "artifact@waybill": true,
    "": false,
    "a b": false,
    'a"b': false,
    "a,b": false,
    ä: false,
    "#1": true,
    "1!": true,
    "+-.": true,
    "a~": true,
    " a": false,
    "a ": false,
    "a\u007f": false,
    ["a".repeat(255)]: true,
    ["a".repeat(256)]: false,
  };
  for (const [text, taken] of Object.entries(table)) expect([text, isNamespace(text)]).toEqual([text, taken]);
});
