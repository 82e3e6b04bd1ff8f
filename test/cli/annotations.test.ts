import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Annotator } from "../../src/cli/annotations.ts";

const RUNNERS = ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"];

describe("which runner", () => {
  test.each(RUNNERS)("%s=true is annotated", (name) => {
    expect(new Annotator({ [name]: "true" }).error("x", "y")).toBe("::error title=waybill x::y");
  });
  test.each([{}, { GITHUB_ACTIONS: "false" }, { GITHUB_ACTIONS: "" }, { CI: "true" }, { GITLAB_CI: "true" }])(
    "%j is not",
    (env) => {
      expect(new Annotator(env).error("x", "y")).toBe(null);
    },
  );
});

const TABLE: [string, string, string, string][] = [
  ["a percent sign", "x", "100%", "::error title=waybill x::100%25"],
  ["an escape that is already one", "x", "a%0Ab", "::error title=waybill x::a%250Ab"],
  ["line breaks", "x", "a\r\nb\n::error::c", "::error title=waybill x::a%0D%0Ab%0A::error::c"],
  ["the separators of properties", "a:b,c", "d:e,f", "::error title=waybill a%3Ab%2Cc::d:e,f"],
  ["the end of the properties", "a::b", "c", "::error title=waybill a%3A%3Ab::c"],
];
test.each(TABLE)("escapes %s", (_what, title, message, wanted) => {
  expect(new Annotator({ GITHUB_ACTIONS: "true" }).error(title, message)).toBe(wanted);
});

test("is one line with one command, whatever the text is", () => {
  const annotator = new Annotator({ GITHUB_ACTIONS: "true" });
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (title, message) => {
      const line = annotator.error(title, message) ?? "";
      expect(line).not.toMatch(/[\r\n]/u);
      const [, properties = "", data = ""] = /^::error title=([^:,]*)::(.*)$/su.exec(line) ?? [];
      expect(unescape(properties)).toBe(`waybill ${title}`);
      expect(unescape(data)).toBe(message);
    }),
  );
});

/** As the runner reads them back. */
function unescape(text: string): string {
  return text
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%25", "%");
}

describe("what else a runner acts on", () => {
  test.each(RUNNERS)("%s masks a secret and shows a warning", (name) => {
    const annotator = new Annotator({ [name]: "true" });
    expect(annotator.mask("100%\n::x")).toBe("::add-mask::100%25%0A::x");
    expect(annotator.warning("a\nb")).toBe("::warning title=waybill::a%0Ab");
    expect(annotator.section("x", "y", ["z"], new Date(0))).toBe(null);
  });

  test("GitLab folds lines and knows none of the others", () => {
    const annotator = new Annotator({ GITLAB_CI: "true" });
    expect(annotator.section("id_1", "a title", ["one", "two"], new Date(1_700_000_000_999))).toEqual([
      "\u001b[0Ksection_start:1700000000:id_1[collapsed=true]\r\u001b[0Ka title",
      "one",
      "two",
      "\u001b[0Ksection_end:1700000000:id_1\r\u001b[0K",
    ]);
    expect(annotator.mask("x")).toBe(null);
    expect(annotator.warning("x")).toBe(null);
  });

  test("a message is cut before it is escaped", () => {
    const line = new Annotator({ GITHUB_ACTIONS: "true" }).error("x", "%".repeat(100_000)) ?? "";
    expect(line).toBe(`::error title=waybill x::${"%25".repeat(8_192)}`);
  });
});
