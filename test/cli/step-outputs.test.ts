import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { Failure } from "../../src/base/failure.ts";
import { renderOutput } from "../../src/cli/step-outputs.ts";
import { parsedOutputs } from "../support/step-outputs.ts";

const ANY = /^.*$/su;

test("each value stands between the delimiters", () => {
  const ok = { name: "ok", value: "true", grammar: ANY };
  const empty = { name: "prod-eu_outcome", value: "", grammar: ANY };
  expect(renderOutput(ok, "d1")).toBe("ok<<d1\ntrue\nd1\n");
  expect(renderOutput(empty, "d1")).toBe("prod-eu_outcome<<d1\n\nd1\n");
});

const MAY_NOT = "is not what it may be";

test.each([
  ["a value beside its grammar", { name: "a", value: "x", grammar: /^y$/u }, MAY_NOT],
  ["a line break that its grammar lets through", { name: "a", value: "x\ny", grammar: ANY }, MAY_NOT],
  ["a carriage return", { name: "a", value: "x\ry", grammar: ANY }, MAY_NOT],
  ["the delimiter", { name: "a", value: "xd1y", grammar: ANY }, MAY_NOT],
  [
    "a value that is too long",
    { name: "a", value: "x".repeat(65_537), grammar: ANY },
    '"a" has more than 65536 characters and is left out',
  ],
  ["a name with an equals sign", { name: "a=b", value: "x", grammar: ANY }, MAY_NOT],
  ["a name with a line break", { name: "a\nb", value: "x", grammar: ANY }, MAY_NOT],
  ["an empty name", { name: "", value: "x", grammar: ANY }, MAY_NOT],
])("%s is a fault, and is not shown", (_what, output, said) => {
  const refused = renderOutput(output, "d1");
  expect(refused).toBeInstanceOf(Failure);
  expect(String(refused)).toContain(said);
  expect(String(refused)).not.toMatch(/x[\n\rxd]/u);
});

test("a value may be just as long as one may be", () => {
  const value = "x".repeat(65_536);
  expect(renderOutput({ name: "a", value, grammar: ANY }, "d1")).toBe(`a<<d1\n${value}\nd1\n`);
});

test("a runner reads back what was written, whatever the values are", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/u), fc.string({ unit: "binary" })),
      (values) => {
        let text = "";
        const written: Record<string, string> = {};
        for (const [name, value] of Object.entries(values)) {
          const rendered = renderOutput({ name, value, grammar: ANY }, "waybill0123456789abcdef");
          expect(rendered instanceof Failure).toBe(/[\r\n]/u.test(value));
          if (rendered instanceof Failure) continue;
          text += rendered;
          written[name] = value;
        }
        expect(parsedOutputs(text)).toEqual(written);
      },
    ),
  );
});
