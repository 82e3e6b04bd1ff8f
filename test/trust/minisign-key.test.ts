import { describe, expect, test } from "bun:test";
import { formatMinisignKey, minisignPayload, parseMinisignKey } from "../../src/trust/minisign-key.ts";

const key = {
  keyNumber: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  bytes: Uint8Array.from({ length: 32 }, (_, at) => at),
};
const line = formatMinisignKey(key);
const payload = Buffer.from(line, "base64");
const lineOf = (change: (bytes: Buffer) => Uint8Array): string =>
  Buffer.from(change(Buffer.from(payload))).toString("base64");

describe("a public key of minisign or signify", () => {
  const taken: [string, string][] = [
    ["a line alone", line],
    ["a line with its end", `${line}\r\n`],
    ["a line with white space around", ` ${line}\t\n\n`],
    ["a comment and a line", `untrusted comment: x\n${line}`],
    ["both with the line ends of Windows", `untrusted comment: x\r\n${line}\r\n`],
    ["both with white space around the line", `untrusted comment: x\n\t${line} \n\n`],
  ];
  test.each(taken)("is read from %s", (_what, text) => {
    expect(parseMinisignKey(text)).toEqual(key);
    expect([...(minisignPayload(text) ?? [])]).toEqual([...payload]);
  });

  const other: [string, string][] = [
    ["nothing", ""],
    ["a comment alone", "untrusted comment: x"],
    ["two lines without a comment", `${line}\n${line}`],
    ["three lines", `untrusted comment: x\n${line}\n${line}`],
    ["no base64", "*"],
    ["a byte too few", lineOf((bytes) => bytes.subarray(0, -1))],
    ["a byte too many", lineOf((bytes) => Buffer.concat([bytes, Uint8Array.of(0)]))],
    ["another first letter", lineOf((bytes) => bytes.fill(0x58, 0, 1))],
    ["another second letter", lineOf((bytes) => bytes.fill(0x44, 1, 2))],
  ];
  test.each(other)("is not read from %s", (_what, text) => expect(parseMinisignKey(text)).toBeNull());
});
