import { describe, expect, test } from "bun:test";
import { looksLikePem, onlyPemBlock, pem, pemBytes, unwrapPem } from "../../src/trust/pem.ts";
import { refusalOf } from "./refusal.ts";

const bytes = Uint8Array.from({ length: 100 }, (_, at) => at);
const base64 = Buffer.from(bytes).toString("base64");
const text = pem("A KEY 2", bytes);

test("a block is written in lines of one length", () => {
  const inLines = (columns: number): string =>
    `-----BEGIN A KEY 2-----\n${base64.slice(0, columns)}\n${base64.slice(columns, 2 * columns)}\n` +
    `${base64.slice(2 * columns)}${base64.length > 2 * columns ? "\n" : ""}-----END A KEY 2-----\n`;
  expect(text).toBe(inLines(64).replaceAll("\n\n", "\n"));
  expect(pem("A KEY 2", bytes, 64)).toBe(text);
  expect(pem("A KEY 2", bytes, 70)).toBe(inLines(70));
  expect(pem("X", new Uint8Array())).toBe("-----BEGIN X-----\n-----END X-----\n");
});

describe("a text as CI systems hand it over", () => {
  const crlf = text.replaceAll("\n", "\r\n");
  const table: [string, string, string][] = [
    ["as it is", text, text],
    ["with its line ends spelled out", text.replaceAll("\n", "\\n"), text],
    ["with those of Windows spelled out", crlf.replaceAll("\r\n", "\\r\\n"), text],
    ["with a spelled line end in its explanation", `a\\nb\n${text}`, `a\\nb\n${text}`],
    ["in base64", Buffer.from(text).toString("base64"), text],
    [
      "in base64, in lines",
      Buffer.from(text)
        .toString("base64")
        .replaceAll(/(.{20})/gu, "$1\n "),
      text,
    ],
    ["of something else", "words", "words"],
    ["of something else in base64", "d29yZHM=", "d29yZHM="],
    [
      "in base64 behind something",
      Buffer.from(`x${text}`).toString("base64"),
      Buffer.from(`x${text}`).toString("base64"),
    ],
  ];
  test.each(table)("%s", (_what, found, wanted) => expect(unwrapPem(found)).toBe(wanted));

  test("is PEM when a block begins in it", () => {
    expect([text, "x-----BEGIN ", "-----END X-----", ""].map(looksLikePem)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("the one block of a text", () => {
  const bytesOf = (found: string): Uint8Array => pemBytes(onlyPemBlock(found, "it"), "it");

  test.each([
    ["as it is", text],
    ["with the line ends of Windows", text.replaceAll("\n", "\r\n")],
    ["with explanation around", `it is\n${text}mine\n`],
    ["with white space in it", text.replace("AAEC", " A\tAEC")],
    ["with the beginning of another", `${text}-----BEGIN X-----\n`],
  ])("is read %s", (_what, found) => {
    expect(onlyPemBlock(found, "it").label).toBe("A KEY 2");
    expect(bytesOf(found)).toEqual(bytes);
  });

  const unended = "it begins a PEM block and does not end it";
  const table: [string, string, string][] = [
    ["that does not end", text.replace("-----END", "----END"), unended],
    ["that ends as another", text.replace("END A KEY 2", "END A KEY"), unended],
    ["with a small letter in its label", text.replaceAll("KEY", "KEy"), unended],
    ["without a label", text.replaceAll("A KEY 2", ""), unended],
    ["with a label too long", text.replaceAll("A KEY 2", "K".repeat(41)), unended],
    ["with its body on the line of its label", text.replace("-----\n", "-----"), unended],
    ["twice", text.repeat(2), "it holds 2 PEM blocks; wanted one key"],
    ["of nothing", pem("X", new Uint8Array()), 'it is a PEM block "X" whose body is not base64'],
    [
      "that is no base64",
      text.replace("AAEC", "A*EC"),
      'it is a PEM block "A KEY 2" whose body is not base64',
    ],
  ];
  test.each(table)("%s is refused", (_what, found, message) => {
    const refusal = refusalOf(() => bytesOf(found));
    expect([refusal.code, refusal.message]).toEqual(["key_invalid", message]);
  });
});
