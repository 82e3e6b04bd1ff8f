import { expect, test } from "bun:test";
import { codesOf, judged, signed, victim } from "./attack.ts";

// Two readers that differ in what they skip read two signatures from one file: the armor has one form.
const good = await signed(victim, "bytes", "ssh");

const table: readonly (readonly [string, string])[] = [
  ["a line before", `junk\n${good}`],
  ["an empty line before", `\n${good}`],
  ["a byte-order mark", `\u00ef\u00bb\u00bf${good}`],
  ["carriage returns everywhere", good.replaceAll("\n", "\r\n")],
  ["a carriage return behind the first line", good.replace("-----\n", "-----\r\n")],
  ["a letter of Unicode's white space in the body", good.replace("\nU1NI", "\n\u0085U1NI")],
  ["a space behind the first line", good.replace("-----\n", "----- \n")],
  ["a second body", good.replace("-----END", "AAAA\n-----END")],
  ["junk in the body", good.replace("\nU1NI", "\n*U1NI")],
  ["a header in the body", good.replace("\nU1NI", "\nHash: x\n\nU1NI")],
];
test.each(table)("%s", async (_name, file) => {
  const verdict = await judged("bytes", file);
  expect([verdict.accepted, codesOf(verdict)]).toEqual([[], ["signature_malformed"]]);
});

test("as it is", async () => {
  expect(codesOf(await judged("bytes", good))).toEqual([]);
});
