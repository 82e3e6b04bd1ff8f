import { expect, test } from "bun:test";
import { codesOf, judged, signed, victim } from "./attack.ts";

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
  const blob = lines[1] ?? "";
  const last = lines[3] ?? "";
  const table = [
    [blob.replace(/=+$/u, ""), last],
    [blob.replace(/=$/u, "=="), last],
    [blob, last.replace(/=+$/u, "")],
    [`${blob.slice(0, -3)}${blob.at(-3) === "B" ? "C" : "B"}==`, last],
    [blob, ` ${last}`],
    [Buffer.from(blob, "base64").toString("base64url"), last],
  ];
  for (const [changed = "", end = ""] of table) {
    if (changed === blob && end === last) continue;
    const verdict = await judged("bytes", [lines[0], changed, lines[2], end, ""].join("\n"));
    expect([changed, verdict.accepted]).toEqual([changed, []]);
  }
});
