import { describe, expect, test } from "bun:test";
import { formatStatement, isTypeUri, parseStatement, type Statement } from "../../src/trust/statement.ts";
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

test("the bytes to sign are these", () => {
  const subjects = [
    { name: "app", digest: { sha512: "b", sha256: "a" } },
    { name: null, digest: { sha256: "c" } },
  ];
  const predicateType = "https://x.example/y";
  const said = { subjects, predicateType, predicate: { b: [1, 1.5, "x", null], a: {} } };
  const text = new TextDecoder().decode(formatStatement(said));
  expect(text).toBe(
    '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":"a","sha512":"b"}},' +
      '{"digest":{"sha256":"c"}}],"predicateType":"https://x.example/y",' +
      '"predicate":{"a":{},"b":[1,1.5,"x",null]}}',
  );
});

describe("the type of a predicate", () => {
  const types: [string, boolean][] = [
    ["https://x.example/y", true],
    ["a:b", true],
    ["URN:x", true],
    [`a:${"b".repeat(500)}`, true],
    [`a:${"b".repeat(501)}`, false],
    ["a:", false],
    [":b", false],
    ["1a:b", false],
    [" a:b", false],
    ["a:b c", false],
    ["a:b\n", false],
    ["capture", false],
  ];
  test.each(types)("%j is a URI: %p", (text, wanted) => {
    expect(isTypeUri(text)).toBe(wanted);
  });
});

describe("a statement that is read", () => {
  const document = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      { name: "app", digest: { sha256: APP } },
      { digest: { sha256: "b" } },
      { name: "", digest: { x: "y" } },
      { name: "", digest: { x: "z" } },
    ],
    predicateType: "https://x.example/y",
    predicate: { a: 1 },
  };
  const read = (value: object): Statement =>
    parseStatement(new TextEncoder().encode(JSON.stringify(value)), "it");

  test("keeps which subjects have a name", () => {
    expect(read(document).subjects.map(({ name }) => name)).toStrictEqual(["app", null, "", ""]);
  });

  test.each(["_Type", "Subject", "predicate_type", "PREDICATE"])(
    "has no member %p beside its own",
    (twin) => {
      const refusal = refusalOf(() => read({ ...document, [twin]: 1 }));
      expect([refusal.code, refusal.message]).toEqual([
        "statement_invalid",
        expect.stringContaining("some readers"),
      ]);
    },
  );

  test("has no digest that is empty, and each subject has one", () => {
    for (const digest of [{ sha256: "" }, {}])
      expect(refusalOf(() => read({ ...document, subject: [...document.subject, { digest }] })).code).toBe(
        "statement_invalid",
      );
  });

  test("is refused for what it is: too deep, no JSON, a name twice", () => {
    const deep = `{"predicate":${"[".repeat(1_000)}`;
    expect(refusalOf(() => parseStatement(new TextEncoder().encode(deep), "it")).code).toBe(
      "evidence_too_large",
    );
    expect(refusalOf(() => parseStatement(new TextEncoder().encode("{"), "it")).code).toBe(
      "statement_invalid",
    );
    const named = ["a", "b", "b", "a"].map((name) => ({ name, digest: { sha256: APP } }));
    expect(refusalOf(() => read({ ...document, subject: named })).message).toContain(
      'two subjects are named "b"',
    );
  });
});
