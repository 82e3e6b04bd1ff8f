import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import {
  formatAllowedSigners,
  looksLikeAllowedSigners,
  parseAllowedSigners,
} from "../../src/trust/allowed-signers.ts";
import { isSshPattern, matchesSshPattern, matchesSshPatternList } from "../../src/trust/ssh-pattern.ts";
import { formatSshKey } from "../../src/trust/ssh-key.ts";
import { refusalOf } from "./refusal.ts";
import { keyOf, trusted } from "./roots.ts";

const line = formatSshKey(keyOf("me").publicKey.bytes);
const read = (text: string) => parseAllowedSigners(text, "the file");

describe("lines that are read", () => {
  const table: readonly (readonly [string, string, Record<string, unknown>])[] = [
    [
      "a principal and a key",
      `me@here ${line}`,
      { name: "me@here", namespaces: null, validFrom: null, validUntil: null, roles: null },
    ],
    ["a comment behind the key", `me@here ${line} my laptop`, { name: "me@here" }],
    ["several principals", `me@here,*@there ${line}`, { name: "me@here,*@there" }],
    ["a quoted principal", `"me here" ${line}`, { name: "me here" }],
    ["tabs", `me@here\t${line.replace(" ", "\t")}`, { name: "me@here" }],
    ["white space around", ` \tme@here ${line} \t`, { name: "me@here" }],
    ["a letter that looks like white space", `\u00a0me\u2003 ${line}`, { name: "\u00a0me\u2003" }],
    ["a principal that is not another one", `*,!me@here ${line}`, { name: "*,!me@here" }],
    ["namespaces", `me namespaces="file,git" ${line}`, { namespaces: ["file", "git"] }],
    ["options in capitals", `me NAMESPACES="file" ${line}`, { namespaces: ["file"] }],
    [
      "times in UTC",
      `me valid-after="20260101Z",valid-before="202606302359Z" ${line}`,
      { validFrom: new Date("2026-01-01T00:00:00Z"), validUntil: new Date("2026-06-30T23:59:00Z") },
    ],
    [
      "a time to the second",
      `me valid-before="20260630235958Z" ${line}`,
      { validUntil: new Date("2026-06-30T23:59:58Z") },
    ],
    ["a time of this machine", `me valid-after="20260101" ${line}`, { validFrom: new Date(2026, 0, 1) }],
    [
      "a time of this machine to the minute",
      `me valid-after="202601020304" ${line}`,
      { validFrom: new Date(2026, 0, 2, 3, 4) },
    ],
    [
      "a time of this machine to the second",
      `me valid-after="20260102030405" ${line}`,
      { validFrom: new Date(2026, 0, 2, 3, 4, 5) },
    ],
    [
      "everything at once",
      `me namespaces="file",valid-after="20260101Z" ${line} x`,
      { namespaces: ["file"], validFrom: new Date("2026-01-01") },
    ],
  ];
  test.each(table)("%s", (_name, text, wanted) => {
    const { keys, skipped } = read(`# a comment\n\n${text}\r\n`);
    expect([keys.length, skipped]).toEqual([1, []]);
    expect(keys[0]).toMatchObject(wanted);
    expect(keys[0]?.key.keyid).toBe(keyOf("me").publicKey.keyid);
  });
});

test("a time without Z is one of the machine, wherever it stands", () => {
  const before = process.env["TZ"];
  try {
    process.env["TZ"] = "Asia/Kolkata";
    const [key] = read(`me valid-after="202601010530",valid-before="202601010530Z" ${line}`).keys;
    expect([key?.validFrom, key?.validUntil].map((at) => at?.toISOString())).toEqual([
      "2026-01-01T00:00:00.000Z",
      "2026-01-01T05:30:00.000Z",
    ]);
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});

describe("lines that trust nobody here", () => {
  test("are left out, with the reason", () => {
    const rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==";
    const sk = "sk-ssh-ed25519@openssh.com AAAA";
    const nobody = `!me,!you ${line}\n"" ${line}\n,!me ${line}`;
    const text = `a ${rsa}\nb cert-authority ${line}\nc ${sk}\nd ${line}\n${nobody}\n`;
    const { keys, skipped } = read(text);
    expect(keys.map(({ name }) => name)).toEqual(["d"]);
    expect(skipped).toEqual([
      expect.stringMatching(/^line 1 has the unsupported key type "ssh-rsa"/u),
      expect.stringMatching(/^line 2 trusts a certificate authority/u),
      expect.stringMatching(/^line 3 has the unsupported key type "sk-ssh-ed25519@openssh.com"/u),
      'line 5 names nobody with "!me,!you"',
      'line 6 names nobody with ""',
      'line 7 names nobody with ",!me"',
    ]);
  });

  const table: readonly (readonly [string, string, RegExp])[] = [
    ["a key alone", line, /line 1: .* is not principals and a key/u],
    ["an unknown option", `me no-touch-required ${line}`, /unknown option "no-touch-required"/u],
    ["an option twice", `me namespaces="a",namespaces="b" ${line}`, /option "namespaces" twice/u],
    [
      "a negated namespace",
      `me namespaces="file,!git" ${line}`,
      /its namespaces "file,!git" have a pattern that is empty, negated or has white space/u,
    ],
    ["a namespace with a space before it", `me namespaces="file, git" ${line}`, /has white space/u],
    ["a namespace with a space behind it", `me namespaces="file ,git" ${line}`, /has white space/u],
    ["a principal that begins with quotes", `"me"@here ${line}`, /are quoted in part/u],
    ["a principal that ends with quotes", `me@"here" ${line}`, /are quoted in part/u],
    ["a principal of two in quotes", `"me""here" ${line}`, /are quoted in part/u],
    ["two unknown options", `me a,b ${line}`, /unknown option "a"/u],
    ["an option without a name", `me ="a" ${line}`, /are not understood/u],
    ["an option with something behind it", `me namespaces="a"b ${line}`, /are not understood/u],
    ["an option at no end", `me namespaces="a", ${line}`, /are not understood/u],
    ["no key", 'me namespaces="a" nothing else', /no key where one is wanted/u],
    ["quotes that do not end", `"me ${line}`, /is not principals and a key/u],
    ["an empty namespace", `me namespaces="" ${line}`, /pattern that is empty/u],
    ["the beginning of Unix time", `me valid-after="19700101Z" ${line}`, /is no time/u],
    ["what was before it", `me valid-before="19691231235959Z" ${line}`, /is no time/u],
    ["no quotes", `me namespaces=file ${line}`, /are not understood/u],
    ["30 February", `me valid-after="20260230Z" ${line}`, /no time such as/u],
    ["25 o'clock", `me valid-after="202601012500Z" ${line}`, /no time such as/u],
    ["60 minutes", `me valid-after="202601010160Z" ${line}`, /no time such as/u],
    ["60 minutes of this machine", `me valid-after="202601010160" ${line}`, /no time such as/u],
    ["60 seconds", `me valid-after="20260101010160Z" ${line}`, /no time such as/u],
    ["30 February of this machine", `me valid-after="20260230" ${line}`, /no time such as/u],
    ["a time with something before it", `me valid-after="x20260101Z" ${line}`, /no time such as/u],
    ["a time with something behind it", `me valid-after="20260101Zx" ${line}`, /no time such as/u],
    ["half a date", `me valid-after="202601" ${line}`, /no time such as/u],
    ["a broken key", `me ssh-ed25519 AAAA*`, /not base64/u],
    ["half a key", `me ssh-ed25519 AAAA`, /not a whole ssh-ed25519 key/u],
    ["a NUL", `me\u0000 ${line}`, /line 1: it has a control character/u],
    ["a carriage return inside", `me\r ${line}`, /control character/u],
    ["another white space before the key", `me\u00a0${line}`, /is not principals and a key/u],
    ["another white space behind the key", `me ${line}\u00a0laptop`, /its key is not base64/u],
    ["a word", "me", /is not principals and a key/u],
  ];
  test.each(table)("%s stops everything", (_name, text, message) => {
    const refusal = refusalOf(() => read(text));
    expect(refusal.exitCode).toBe(2);
    expect(refusal.message).toMatch(message);
  });
});

test("are as many as may be, in something that is no JSON", () => {
  const lines = (count: number): string => Array.from({ length: count }, () => "#").join("\n");
  expect(read(lines(LIMITS.trustedKeys)).keys).toEqual([]);
  expect(read(`${lines(LIMITS.trustedKeys)}\n`).keys).toEqual([]);
  for (const end of ["", "\n"])
    expect(refusalOf(() => read(`${lines(LIMITS.trustedKeys + 1)}${end}`)).message).toContain(
      "more than 1000 lines",
    );
  const texts = ["", line, `x{ ${line}`, `${line} {`, "{}", ' \n{"a":1}'];
  expect(texts.map(looksLikeAllowedSigners)).toEqual([true, true, true, true, false, false]);
});

test("a name and its key are written as ssh-keygen reads them", () => {
  expect(formatAllowedSigners([trusted("me")])).toBe(`me ${line}\n`);
  const dated = trusted("me", { namespaces: ["a", "b"], validFrom: new Date("2026-01-02T03:04:05Z") });
  expect(formatAllowedSigners([dated])).toBe(`me namespaces="a,b",valid-after="20260102030405Z" ${line}\n`);
});

test("what is written comes back", () => {
  const keys = [
    trusted("me", { namespaces: ["file", "*@waybill"], validFrom: new Date("2026-01-01T00:00:00Z") }),
    trusted("you", { validUntil: new Date("2026-06-30T23:59:58Z") }),
  ];
  const { keys: found } = read(formatAllowedSigners(keys));
  expect(found).toEqual(keys.map((one) => ({ ...one, roles: null })));
});

test("a window that begins or ends before Unix time is written as ssh-keygen reads it", () => {
  const old = trusted("me", { validFrom: new Date(999), validUntil: new Date(-1) });
  const text = formatAllowedSigners([old]);
  expect(text).toBe(`me valid-before="19700101000001Z" ${line}\n`);
  expect(parseAllowedSigners(text, "it").keys).toHaveLength(1);
  const first = trusted("me", { validFrom: new Date(1_000) });
  expect(formatAllowedSigners([first])).toBe(`me valid-after="19700101000001Z" ${line}\n`);
});

test("patterns of namespaces", () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ["file", "file", true],
    ["file", "files", false],
    ["*", "anything@all", true],
    ["f?le", "file", true],
    ["f?le", "fle", false],
    ["fil?", "fil", false],
    ["?", "", false],
    ["*@waybill", "artifact@waybill", true],
    ["*@waybill", "artifact@waybill.evil", false],
    ["a*b*c", "aXbXbYc", true],
    ["a*b*c", "aXbXbY", false],
    ["", "", true],
  ];
  for (const [pattern, name, matches] of table)
    expect([pattern, name, matchesSshPattern(pattern, name)]).toEqual([pattern, name, matches]);
  // A pattern that a backtracking matcher would not finish.
  expect(matchesSshPattern("*a".repeat(100), "a".repeat(250))).toBe(true);
  expect(matchesSshPattern(`${"*a".repeat(100)}b`, "a".repeat(250))).toBe(false);
});

test("patterns that may be given", () => {
  const long = "a".repeat(200);
  const taken = ["a", "a!", "*@waybill", "#", "~", "+-", long];
  const refused = ["", "!a", "a b", "a,b", 'a"b', " a", "a ", "ä", `${long}a`];
  expect([...taken, ...refused].filter(isSshPattern)).toEqual(taken);
});

test("lists of patterns", () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ["a,b", "b", true],
    ["a,b", "c", false],
    ["*,!b", "b", false],
    ["*,!b", "a", true],
    ["!b", "!b", false],
    ["b!", "b!", true],
    ["!b,*", "b", false],
    ["!b", "a", false],
    ["", "", true],
    ["", "a", false],
  ];
  for (const [list, name, matches] of table)
    expect([list, name, matchesSshPatternList(list, name)]).toEqual([list, name, matches]);
});
