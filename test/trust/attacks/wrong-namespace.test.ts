import { expect, test } from "bun:test";
import { codesOf, judged, signed, victim } from "./attack.ts";

// A signature that the victim made for a commit or a login is offered for an artifact with the same bytes.
test.each(["git", "file", "ssh", "artifact@waybil", "artifact@waybill2", "ARTIFACT@WAYBILL"])(
  "a signature in namespace %s proves nothing about an artifact",
  async (namespace) => {
    const verdict = await judged("bytes", await signed(victim, "bytes", "ssh", namespace));
    expect([verdict.accepted, codesOf(verdict)]).toEqual([[], ["namespace_mismatch"]]);
  },
);

test("in its own namespace it does", async () => {
  const verdict = await judged("bytes", await signed(victim, "bytes", "ssh"));
  expect([verdict.accepted.length, codesOf(verdict)]).toEqual([1, []]);
});

// The namespace is signed, so writing another one into the file does not help.
test("a namespace that was changed in the file", async () => {
  const file = await signed(victim, "bytes", "ssh", "artifact@wAybill");
  const lines = file.trimEnd().split("\n");
  const blob = Buffer.from(lines.slice(1, -1).join(""), "base64");
  blob.write("artifact@waybill", blob.indexOf("artifact@wAybill"));
  const changed = `${lines[0]}\n${blob.toString("base64")}\n${lines.at(-1)}\n`;
  expect(codesOf(await judged("bytes", changed))).toEqual(["signature_invalid"]);
});
