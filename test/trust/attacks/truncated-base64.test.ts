import { expect, test } from "bun:test";
import { codesOf, judged, signed, victim } from "./attack.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// A lenient decoder fills up or drops what is missing; ours must not let one character go.
test.each(["minisign", "ssh"] as const)("every shortened %s file is refused", async (format) => {
  const file = await signed(victim, "bytes", format);
  for (let length = 0; length < file.trimEnd().length; length += format === "ssh" ? 3 : 1) {
    const verdict = await judged("bytes", file.slice(0, length));
    expect([length, verdict.accepted]).toEqual([length, []]);
    expect(codesOf(verdict)).toEqual(["signature_malformed"]);
  }
});

test("base64 in another spelling", async () => {
  const lines = (await signed(victim, "bytes", "minisign")).split("\n");
  // Of each line that is base64, 74 bytes and 64: the unused bits of its last character, and its padding.
  for (const [index, line = ""] of lines.entries()) {
    if (index !== 1 && index !== 3) continue;
    const next = (letter: string): string => ALPHABET[ALPHABET.indexOf(letter) + 1] ?? "";
    const changes = [
      line.replace(/[^=](?==+$)/u, next),
      line.replace(/=+$/u, ""),
      `${line}=`,
      ` ${line}`,
      `${line} `,
      `${line.slice(0, 40)} ${line.slice(40)}`,
    ];
    expect(Buffer.from(changes[0] ?? "", "base64").equals(Buffer.from(line, "base64"))).toBe(true);
    for (const changed of changes) {
      expect(changed).not.toBe(line);
      const verdict = await judged("bytes", lines.with(index, changed).join("\n"));
      expect([changed, verdict.accepted, codesOf(verdict)]).toEqual([changed, [], ["signature_malformed"]]);
    }
  }
});
