import { describe, expect, test } from "bun:test";
import { formatStatement, parseStatement, type Statement } from "../../src/trust/statement.ts";
import { APP, digestOf, statement } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

const two = (name: string | null): Statement["subjects"] => [
  { name, digest: { sha256: APP } },
  { name, digest: { sha256: digestOf("b") } },
];

describe("a statement that says nothing anybody could check", () => {
  const bad: [string, Partial<Statement>][] = [
    ["about nothing", { subjects: [] }],
    ["about something without a digest", { subjects: [{ name: "app", digest: {} }] }],
    ["about two things of one name", { subjects: two("app") }],
    ["with a number that readers disagree about", { predicate: { at: 2 ** 53 } }],
    ["with one inside a list", { predicate: { at: [{ x: [2 ** 60] }] } }],
  ];
  test.each(bad)("%s is not made", (_what, changes) => {
    expect(refusalOf(() => formatStatement(statement(changes))).code).toBe("input_invalid");
  });

  test.each(bad.slice(0, 3))("%s is not taken", (_what, { subjects = [] }) => {
    const subject = subjects.map(({ name, digest }) => ({ name, digest }));
    const text = JSON.stringify({
      _type: "https://in-toto.io/Statement/v1",
      subject,
      predicateType: "https://x.example/y",
    });
    expect(refusalOf(() => parseStatement(new TextEncoder().encode(text), "it")).code).toBe(
      "statement_invalid",
    );
  });

  test("several without a name are several", () => {
    expect(() => formatStatement(statement({ subjects: two(null) }))).not.toThrow();
  });
});

test("a predicate that is no object is refused, a missing one is empty", () => {
  const document = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: APP } }],
    predicateType: "https://x.example/y",
  };
  const read = (value: object): Statement =>
    parseStatement(new TextEncoder().encode(JSON.stringify(value)), "it");
  expect(read(document).predicate).toEqual({});
  for (const predicate of [1, "x", [], true])
    expect(refusalOf(() => read({ ...document, predicate })).code).toBe("statement_invalid");
});

test("one statement has one spelling, whatever the order of members, inside lists too", () => {
  const [one, other] = [
    { a: [{ b: 1, c: [{ d: 2, e: 3 }] }], f: null },
    { f: null, a: [{ c: [{ e: 3, d: 2 }], b: 1 }] },
  ].map((predicate) => new TextDecoder().decode(formatStatement(statement({ predicate }))));
  expect(one).toBe(other ?? "");
  expect(one).toContain('"predicate":{"a":[{"b":1,"c":[{"d":2,"e":3}]}],"f":null}');
});
