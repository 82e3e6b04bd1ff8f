import { describe, expect, test } from "bun:test";
import { toBase64 } from "../../src/base/encoding.ts";
import { formatOf, isSignatureFormat, parseDetachedSignature } from "../../src/trust/detached-signature.ts";
import {
  countLines,
  formatMinisignSignature,
  parseMinisignSignature,
  parseSignifySignature,
  shownComment,
  trustedCommentOf,
} from "../../src/trust/minisign-signature.ts";
import { refusalOf } from "./refusal.ts";

const bytes = (length: number, first = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (first + at * 7) % 256);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const parts = {
  algorithm: "ED",
  keyNumber: bytes(8, 0xf8),
  signature: bytes(64, 1),
  trustedComment: utf8("by me, wherever"),
  globalSignature: bytes(64, 0xfb),
} as const;
const good = formatMinisignSignature(parts, "by somebody");
const [, blob = "", , last = ""] = good.split("\n");
const blobOf = (algorithm: string, length = 72): string =>
  toBase64(new Uint8Array(Buffer.concat([utf8(algorithm), bytes(length)])));
const file = (...lines: readonly string[]): string => `${lines.join("\n")}\n`;
const four = (changes: { first?: string; blob?: string; third?: string; last?: string }): string =>
  file(
    changes.first ?? "untrusted comment: x",
    changes.blob ?? blob,
    changes.third ?? "trusted comment: y",
    changes.last ?? last,
  );

describe("a signature file of minisign", () => {
  const read = (text: string): ReturnType<typeof parseMinisignSignature> =>
    parseMinisignSignature(Buffer.from(text, "latin1"), "the file");

  test("comes back as it was written, in four lines", () => {
    expect(good).toBe(file("untrusted comment: by somebody", blob, "trusted comment: by me, wherever", last));
    expect(read(good)).toEqual({ format: "minisign", ...parts });
  });

  const taken: [string, string][] = [
    ["with line ends of Windows", good.replaceAll("\n", "\r\n")],
    ["with empty lines behind it", `${good}\n\r\n`],
    ["without a line break at the end", good.trimEnd()],
    ["with as long an untrusted comment as minisign reads", good.replace("by somebody", "x".repeat(1003))],
    ["with no word in its untrusted comment", good.replace(": by somebody", ": ")],
  ];
  test.each(taken)("is taken %s", (_what, text) => expect(read(text)).toEqual(read(good)));

  test("has every byte of its trusted comment, up to as many as minisign takes", () => {
    const long = "ÿ".repeat(8_192);
    expect(read(four({ third: `trusted comment: ${long}` })).trustedComment).toEqual(
      new Uint8Array(8_192).fill(0xff),
    );
    expect(read(four({ third: "trusted comment:  two \r" })).trustedComment).toEqual(utf8(" two "));
    expect(read(four({ third: "trusted comment: a\rb" })).trustedComment).toEqual(utf8("a\rb"));
    expect(read(four({ blob: blobOf("Ed") })).algorithm).toBe("Ed");
  });

  const refused: [string, string][] = [
    ["of nothing", ""],
    ["of three lines", file("untrusted comment: x", blob, "trusted comment: y")],
    ["of five lines", `${good}x\n`],
    ["with an empty line before it", `\n${good}`],
    ["without an untrusted comment", four({ first: "trusted comment: x" })],
    // As minisign and signify have it.
    ["with a longer untrusted comment than minisign reads", good.replace("by somebody", "x".repeat(1004))],
    ["with a NUL in its untrusted comment", good.replace("by somebody", "by\0somebody")],
    ["with a NUL in its trusted comment", good.replace("by me", "by\0me")],
    ["with no space in its untrusted comment", good.replace(": by somebody", ":")],
    ["without a trusted comment", four({ third: "untrusted comment: y" })],
    ["with a trusted comment without its space", four({ third: "trusted comment:y" })],
    ["with a trusted comment that is too long", four({ third: `trusted comment: ${"y".repeat(8_193)}` })],
    ["of another algorithm", four({ blob: blobOf("EB") })],
    ["that is one byte short", four({ blob: blobOf("ED", 71) })],
    ["that is one byte long", four({ blob: blobOf("ED", 73) })],
    ["in another alphabet", four({ blob: blob.replaceAll("+", "-").replaceAll("/", "_") })],
    ["without padding", four({ blob: blob.replaceAll("=", "") })],
    ["with junk before its base64", four({ blob: `!${blob}` })],
    ["with junk behind its base64", four({ blob: `${blob}!!!!` })],
    ["with a last line that is one byte short", four({ last: toBase64(bytes(63)) })],
    ["with a last line that is one byte long", four({ last: toBase64(bytes(65)) })],
    ["with a last line without padding", four({ last: last.replaceAll("=", "") })],
    ["with a last line that is no base64", four({ last: "*" })],
  ];
  test.each(refused)("%s is refused", (_what, text) => {
    expect(refusalOf(() => read(text)).code).toBe("signature_malformed");
  });
});

test("a signature file of minisign that lost its end is told by its lines", () => {
  const cut = Buffer.from(good.split("\n").slice(0, 3).join("\n"));
  expect(refusalOf(() => parseMinisignSignature(cut, "the file")).message).toContain("four lines");
});

describe("a signature file of signify", () => {
  const read = (text: string): ReturnType<typeof parseSignifySignature> =>
    parseSignifySignature(Buffer.from(text, "latin1"), "the file");
  const signified = file("untrusted comment: x", blobOf("Ed"));

  test("is the first half, of the one algorithm", () => {
    const signature = { format: "signify", keyNumber: bytes(8), signature: bytes(72).slice(8) } as const;
    expect(read(signified)).toEqual(signature);
    expect(read(signified.replace("comment: x", "comment: "))).toEqual(signature);
    expect(read(`${signified}\n`)).toEqual(signature);
    expect(read(signified.replace("comment: x", `comment: ${"x".repeat(1023)}`))).toEqual(signature);
  });

  const refused: [string, string][] = [
    ["of nothing", ""],
    ["of one line", file("untrusted comment: x")],
    ["of three lines", `${signified}x\n`],
    ["without a comment", file("x", blobOf("Ed"))],
    ["without a space in its comment", signified.replace("comment: x", "comment:")],
    ["without its last line break", signified.trimEnd()],
    [
      "with a longer comment than signify reads",
      signified.replace("comment: x", `comment: ${"x".repeat(1024)}`),
    ],
    ["of minisign's algorithm", file("untrusted comment: x", blobOf("ED"))],
    ["that is one byte short", file("untrusted comment: x", blobOf("Ed", 71))],
  ];
  test.each(refused)("%s is refused", (_what, text) => {
    expect(refusalOf(() => read(text)).code).toBe("signature_malformed");
  });
});

describe("the format of a signature file", () => {
  const ssh = "-----BEGIN SSH SIGNATURE-----";
  const table: [string, string, string][] = [
    ["four lines below a comment", good, "minisign"],
    ["three lines below a comment", file("untrusted comment: x", "a", "b"), "minisign"],
    ["two lines below a comment", file("untrusted comment: x", "a"), "signify"],
    ["a comment alone", "untrusted comment:", "signify"],
    ["an armor", ssh, "ssh"],
    ["an armor behind something", `x\n${ssh}\n`, "ssh"],
    ["an armor of something else", ssh.replace("SSH", "PGP"), "raw"],
    ["a comment that comes later", ` ${good}`, "raw"],
    ["nothing", "", "raw"],
  ];
  test.each(table)("of %s", (_what, text, format) => {
    expect(formatOf(Buffer.from(text)) as string).toBe(format);
  });

  test("has a name, and what is in it is read as that", () => {
    const names = ["raw", "minisign", "ssh", "signify", "pgp", ""];
    expect(names.filter(isSignatureFormat)).toEqual(["raw", "minisign", "ssh", "signify"]);
    const read = (text: string, format: "raw" | "minisign" | "ssh" | "signify"): string =>
      parseDetachedSignature(Buffer.from(text), format, "the file").format;
    expect(read(good, "minisign")).toBe("minisign");
    expect(read(file("untrusted comment: x", blobOf("Ed")), "signify")).toBe("signify");
    expect(read(toBase64(bytes(64)), "raw")).toBe("raw");
    const refusal = refusalOf(() => read(good, "ssh"));
    expect([refusal.code, refusal.message]).toEqual([
      "signature_malformed",
      expect.stringContaining("OpenSSH"),
    ]);
  });

  test.each([
    ["", 0],
    ["\n\r\n", 0],
    ["a", 1],
    ["a\n\nb\n\n", 3],
  ])("%j has so many lines: %p", (text, lines) => expect(countLines(Buffer.from(text))).toBe(lines));
});

describe("a trusted comment", () => {
  test("is written as minisign itself does, on one line", () => {
    const at = new Date(1_700_000_000_999);
    const text = (name: string): string => new TextDecoder().decode(trustedCommentOf(name, at));
    expect(text("app")).toBe("timestamp:1700000000\tfile:app\thashed");
    expect(text("a\nb")).toStartWith("timestamp:1700000000\tfile:a");
    expect(text("a\nb")).not.toContain("\n");
  });

  const table: [string, Uint8Array, string | null][] = [
    ["of words", utf8("by me"), "by me"],
    ["with tabs", utf8("\ta\tb\t"), "a b"],
    ["with an escape", utf8("a\u001b[31mb"), null],
    ["with a line break", utf8("a\nb"), null],
    ["that is no text", Uint8Array.of(0x61, 0xff), null],
    ["as long as may be", utf8("y".repeat(8_192)), "y".repeat(8_192)],
  ];
  test.each(table)("%s is shown when that is safe", (_what, comment, shown) => {
    expect(shownComment(comment)).toBe(shown);
  });
});
