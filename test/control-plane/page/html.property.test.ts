import { expect, test } from "bun:test";
import fc from "fast-check";
import { html, path } from "../../../src/control-plane/page/html.ts";

const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "&lt;b&gt; &amp;amp;",
    "</title><svg/onload=alert(1)>",
    "\u202egnp.exe",
    "javascript:alert(1)",
    "//other.example/",
    "../../v1/pins",
  ),
);

test("no text gets out of where it stands, in an element or in an attribute", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const { text: markup } = html`<p title="${text}">${text}</p>`;
      const [, attribute = "", content = ""] = /^<p title="([^]*)">([^]*)<\/p>$/u.exec(markup) ?? [];
      expect(attribute).toBe(content);
      expect(content).not.toMatch(/[<>"'\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069]/u);
      expect(content.replace(/&(?:amp|lt|gt|quot|#39);/gu, "")).not.toContain("&");
    }),
  );
});

test("markup is not escaped twice, nothing is nothing, a list is its members", () => {
  const bold = html`<b>${"a&b"}</b>`;
  expect(html`${[bold, null, undefined, 0, "x"]}`.text).toBe("<b>a&amp;b</b>0x");
});

test("a value in a path is one segment, whatever it says", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const made = path`/builds/${text}?q=${text}`;
      expect(new URL(made, "http://plane.test").host).toBe("plane.test");
      expect(made.split("/")).toHaveLength(3);
      expect(made.split("?")).toHaveLength(2);
    }),
  );
});
