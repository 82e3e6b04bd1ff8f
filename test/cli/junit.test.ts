import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Failure } from "../../src/base/failure.ts";
import { renderJunit } from "../../src/cli/junit.ts";
import { runProgram } from "../support/binary.ts";

const same = (text: string): string => text;
const row = (
  failure: Failure | null,
  name = "prod codex",
): Parameters<typeof renderJunit>[0]["rows"][number] => ({
  name,
  group: "waybill.prod",
  failure,
  ms: 1_234,
});

test("a case for each row; what could not be looked at is an error, what was wrong is a failure", () => {
  const rows = [
    row(null),
    row(new Failure("pin_mismatch", "other", { hint: "look", serverText: "said" })),
    row(new Failure("deadline_passed", "late")),
  ];
  expect(renderJunit({ name: "waybill promote", rows }, same)).toBe(
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites name="waybill" tests="3" failures="1" errors="1" time="3.702">',
      '  <testsuite name="waybill promote" tests="3" failures="1" errors="1" time="3.702">',
      '    <testcase classname="waybill.prod" name="prod codex" time="1.234"/>',
      '    <testcase classname="waybill.prod" name="prod codex" time="1.234">',
      '      <failure type="pin_mismatch" message="other">other\nserver said: said\nhint: look</failure>',
      "    </testcase>",
      '    <testcase classname="waybill.prod" name="prod codex" time="1.234">',
      '      <error type="deadline_passed" message="late">late</error>',
      "    </testcase>",
      "  </testsuite>",
      "</testsuites>",
      "",
    ].join("\n"),
  );
});

test("secrets are taken out before the text is escaped", () => {
  const rows = [row(new Failure("pin_mismatch", "a&b&secret"))];
  const text = renderJunit({ name: "x", rows }, (one) => one.replaceAll("a&b&secret", "***"));
  expect(text).toContain('message="***">***<');
});

const READ = `
import sys, json, xml.etree.ElementTree as tree
out = []
for text in json.load(sys.stdin):
    root = tree.fromstring(text.encode("utf-8", "surrogatepass"))
    out.append([[case.get("name"), case[0].get("message"), case[0].text] for case in root.iter("testcase")])
json.dump(out, sys.stdout)
`;

describe.skipIf(Bun.which("python3") === null)("an XML reader", () => {
  test("reads back every text, whatever it is", async () => {
    const texts = fc.sample(fc.string({ unit: "binary", minLength: 1 }), 300);
    texts.push("]]>", "<!--", "<![CDATA[", "&#0;", "\u0000\u0008\ufffe\uffff", "\ud800x", "\"'<>&\t\r\n");
    const documents = texts.map((text) =>
      renderJunit({ name: text, rows: [row(new Failure("not_found", text), text)] }, same),
    );
    const ran = await runProgram(["python3", "-c", READ], { stdin: JSON.stringify(documents) });
    expect(ran.stderr).toBe("");
    const seen = JSON.parse(ran.stdout) as [string, string, string][][];
    expect(seen).toHaveLength(texts.length);
    for (const [index, text] of texts.entries()) {
      // Not every character may be in XML, and not one of them may be a reason to fail.
      const kept = text
        .toWellFormed()
        .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, " ");
      expect(seen[index]).toEqual([[kept, kept, kept]]);
    }
  });
});
