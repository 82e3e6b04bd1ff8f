import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXPLAINED } from "../../scripts/mutation/explained.ts";
import { judge } from "../../scripts/mutation/judge.ts";
import { MODULES } from "../../scripts/mutation/modules.ts";
import { mutateFile } from "../../scripts/mutation/schemata.ts";
import { tryMutants } from "../../scripts/mutation/try-mutants.ts";
import { withSection } from "../../scripts/mutation/write-page.ts";
import { temporaryFolder } from "../support/temporary.ts";

setDefaultTimeout(60_000);

const WAYS = { properties: false, cpuSeconds: 1, memory: null };
const ROOT = join(import.meta.dir, "../..");

function namesOf(text: string): string[] {
  return mutateFile("toy.ts", text, 1, "./chosen.ts").mutants.map(({ name }) => name);
}

describe("the mutants of", () => {
  const snippets: readonly (readonly [string, string, readonly string[]])[] = [
    [
      "a bound",
      "const f = (a: number) => a >= 18;",
      ["f: a >= 18 → true", "f: a >= 18 → false", "f: a >= 18 → a > 18", "f: a >= 18 → a >= 17"],
    ],
    [
      "a condition of two operands",
      "function f(a: boolean, b: boolean) { if (a && b) return 1; }",
      ["f: a && b → false", "f: a && b → a", "f: a && b → b", "f: return 1; → return 2;"],
    ],
    [
      "a chain of operands, each of which is left out once",
      "const f = (a, b, c) => a || b || c;",
      ["f: a || b || c → true", "f: a || b || c → a || b", "f: a || b → a", "f: a || b → b"],
    ],
    [
      "a comparison with a value",
      'const f = (a) => a === "x";',
      ['f: a === "x" → true', 'f: a === "x" → false'],
    ],
    [
      "an expression",
      "const f = (a) => /^[a-z]+$/u.test(a);",
      [
        "f: /^[a-z]+$/u.test → /[a-z]+$/u.test",
        "f: /^[a-z]+$/u.test → /^[^a-z]+$/u.test",
        "f: /^[a-z]+$/u.test → /^[a-z]*$/u.test",
        "f: /^[a-z]+$/u.test → /^[a-z]+/u.test",
      ],
    ],
    [
      "a guard",
      "function f(a) { if (a) throw new Error(`no ${a}`); g(a); }",
      ["f: a → true", "f: a → false", "f: g(a); → nothing"],
    ],
    ["a call that chooses", "const f = (a) => a.every(g);", ["f: a.every(g) → a.some(g)"]],
    ["a result of a plain type", "function f(a: number): string | null { return g(a); }", ["f: g(a) → null"]],
    [
      "what may be absent",
      "const f = (a) => a?.b ?? 0;",
      ["f: a?.b ?? 0 → a?.b", "f: a?.b ?? 0 → 0", "f: a?.b → a.b", "f: a?.b ?? 0 → a?.b ?? 1"],
    ],
    [
      "the words of a refusal: none",
      'throw new Failure("code", `a ${b ? "c" : "d"}`, { hint: b ? "e" : "f" });',
      [
        'top: new Failure("code", `a ${b ? "c" : "d"}`, { hint: b ? "e" : "f" }) → new Failure("", `a ${b ? "c" : "d"}`, { hint: b ? "e" : "f" })',
        'top: throw new Failure("code", `a ${b ? "c" : "d"}`, { hint: b ? "e" : "f" }); → nothing',
      ],
    ],
    [
      "a name that objects have anyhow",
      "const f = (a) => a.toString(2);",
      ["f: a.toString(2) → a.toString(3)"],
    ],
    ["types: none", 'type A = "x" | 1; const f = (a: A[]) => a as readonly A[];', []],
  ];
  test.each(snippets)("%s", (_what, text, wanted) => {
    expect(namesOf(text).toSorted()).toEqual([...wanted].toSorted());
  });
});

describe("a toy whose tests leave gaps", () => {
  const TOY = `
export function isAdult(age: number): boolean {
  return age >= 18;
}
const OLD = 90;
export function isOld(age: number): boolean {
  return age > OLD;
}
export function digits(upTo: number): string {
  let found = "";
  for (let at = 0; at < upTo; at++) {
    found += String(at);
  }
  return found;
}
export function parity(of: number): string[] {
  const found: string[] = [];
  if (of % 2 === 0) found.push("even");
  else found.push("odd");
  return found;
}
export function nobodyAsks(text: string): string {
  return text.trim();
}
`;
  const TESTS = `
import { expect, test } from "bun:test";
import { digits, isAdult, isOld, parity } from "../src/toy.ts";
test("ages", () => expect([isAdult(20), isAdult(3)]).toEqual([true, false]));
test("old", () => expect([isOld(90), isOld(91)]).toEqual([false, true]));
test("parity", () => expect([2, 3].flatMap(parity)).toEqual(["even", "odd"]));
test("digits", () => expect(digits(3)).toBe("012"));
`;

  test("shows what they do not notice, and what nobody asks for", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.at("src"));
    mkdirSync(folder.at("test"));
    writeFileSync(folder.at("src/toy.ts"), TOY);
    writeFileSync(folder.at("test/toy.test.ts"), TESTS);
    const guarded = { files: ["src/toy.ts"], tests: ["test/toy.test.ts"] };
    const tried = await tryMutants(folder.path, guarded, () => {}, WAYS);
    const alive = tried.filter(({ fate }) => fate !== "killed");
    expect(alive.map(({ fate, mutant }) => `${fate} ${mutant.line} ${mutant.name}`)).toEqual([
      "survived 3 isAdult: age >= 18 → age > 18",
      "survived 3 isAdult: age >= 18 → age >= 17",
      "unreached 23 nobodyAsks: text.trim() → text",
      'unreached 23 nobodyAsks: text.trim() → ""',
    ]);
    // Also the loops that do not end.
    expect(tried.length).toBeGreaterThan(8);

    const why = { file: "src/toy.ts", reason: "nobody is seventeen" };
    const explained = judge(tried, [{ ...why, mutants: ["isAdult: age >= 18 → age >= 17"] }]);
    expect(explained.stale).toEqual([]);
    const page = withSection(
      null,
      { name: "toy", files: [], tests: ["toy"] },
      explained.mutants,
      "2026-01-31",
      ["toy"],
    );
    expect(page).toContain(`| all | ${tried.length} | ${tried.length - 4} | 1 | 1 | 2 |`);
    expect(page).toContain("- `src/toy.ts`: nobody is seventeen\n  - `isAdult: age >= 18 → age >= 17`\n");

    const stale = judge(tried, [{ ...why, mutants: ["isAdult: age >= 18 → false", "gone: a → b"] }]);
    expect(stale.stale).toEqual(["src/toy.ts isAdult: age >= 18 → false", "src/toy.ts gone: a → b"]);
  });

  test("a kill is remembered until the file or its test changes", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.at("src"));
    mkdirSync(folder.at("test"));
    const guarded = { files: ["src/one.ts"], tests: ["test/one.test.ts"] };
    const one = "export const isOne = (a: number): boolean => a === 1;\n";
    const checks = (twice: boolean): string =>
      'import { expect, test } from "bun:test";\nimport { isOne } from "../src/one.ts";\n' +
      `test("one", () => expect(isOne(1)).toBe(true));\n` +
      (twice ? `test("two", () => expect(isOne(2)).toBe(false));\n` : "");
    writeFileSync(folder.at("src/one.ts"), one);
    const fates = async (): Promise<string[]> => {
      const tried = await tryMutants(folder.path, guarded, () => {}, { ...WAYS, memory: folder.at("kills") });
      return tried.map(({ fate }) => fate);
    };
    writeFileSync(folder.at("test/one.test.ts"), checks(true));
    expect(await fates()).toEqual(["killed", "killed"]);
    expect(JSON.parse(readFileSync(folder.at("kills"), "utf8"))).toHaveLength(2);
    expect(await fates()).toEqual(["killed", "killed"]);
    writeFileSync(folder.at("test/one.test.ts"), checks(false));
    expect(await fates()).toEqual(["survived", "killed"]);
  });

  test("a test that fails anyhow tells nothing", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.at("src"));
    mkdirSync(folder.at("test"));
    writeFileSync(folder.at("src/toy.ts"), TOY);
    writeFileSync(folder.at("test/toy.test.ts"), TESTS.replace("012", "abc"));
    const guarded = { files: ["src/toy.ts"], tests: ["test/toy.test.ts"] };
    const trying = tryMutants(folder.path, guarded, () => {}, WAYS);
    expect(await trying.catch(String)).toBe("Error: test/toy.test.ts fails without any mutant");
  });
});

describe("the table of modules", () => {
  test.each(MODULES)("$name names what is there", ({ files, tests }) => {
    const paths = [...files.map((file) => `src/${file}.ts`), ...tests.map((file) => `test/${file}.test.ts`)];
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("has every file of which a mutant is explained, and the mutant", () => {
    const known = new Set(MODULES.flatMap(({ files }) => files.map((file) => `src/${file}.ts`)));
    const missing = EXPLAINED.flatMap(({ file, mutants }) => {
      if (!known.has(file)) return [file];
      const names = mutateFile(file, readFileSync(join(ROOT, file), "utf8"), 1, "x").mutants.map(
        ({ name }) => name,
      );
      return mutants.filter((name) => !names.includes(name)).map((name) => `${file} ${name}`);
    });
    expect(missing).toEqual([]);
  });
});
