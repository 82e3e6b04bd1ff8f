import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { renderOutputs } from "../../src/cli/step-outputs.ts";
import { parsedOutputs } from "../support/step-outputs.ts";

const ANY = /^.*$/su;

test("each value stands between the delimiters", () => {
  const text = renderOutputs(
    [
      { name: "ok", value: "true", grammar: ANY },
      { name: "prod-eu_outcome", value: "", grammar: ANY },
    ],
    "d1",
  );
  expect(text).toBe("ok<<d1\ntrue\nd1\nprod-eu_outcome<<d1\n\nd1\n");
});

test.each([
  ["a value beside its grammar", { name: "a", value: "x", grammar: /^y$/u }],
  ["a line break that its grammar lets through", { name: "a", value: "x\ny", grammar: ANY }],
  ["a carriage return", { name: "a", value: "x\ry", grammar: ANY }],
  ["the delimiter", { name: "a", value: "xd1y", grammar: ANY }],
  ["a value that is too long", { name: "a", value: "x".repeat(65_537), grammar: ANY }],
  ["a name with an equals sign", { name: "a=b", value: "x", grammar: ANY }],
  ["a name with a line break", { name: "a\nb", value: "x", grammar: ANY }],
  ["an empty name", { name: "", value: "x", grammar: ANY }],
])("%s is a fault, and is not shown", (_what, output) => {
  const good = { name: "ok", value: "true", grammar: ANY };
  let message = "";
  try {
    renderOutputs([good, output], "d1");
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain("is not what it may be");
  expect(message).not.toContain("x\n");
});

test("a runner reads back what was written, whatever the values are", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/u), fc.string({ unit: "binary" })),
      (values) => {
        const outputs = Object.entries(values).map(([name, value]) => ({ name, value, grammar: ANY }));
        let text: string;
        try {
          text = renderOutputs(outputs, "waybill0123456789abcdef");
        } catch {
          expect(Object.values(values).some((value) => /[\r\n]/u.test(value))).toBe(true);
          return;
        }
        expect(parsedOutputs(text)).toEqual({ ...values });
      },
    ),
  );
});
