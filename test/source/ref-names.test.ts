import { describe, expect, test } from "bun:test";
import { packedRef, parseRefContent, type RefContent } from "../../src/source/ref-names.ts";

const SHA1 = "0123456789abcdef0123456789abcdef01234567";
const SHA256 = "ab".repeat(32);

function symbolic(name: string): RefContent {
  return { kind: "symbolic", name };
}

describe("what a ref says", () => {
  test.each<[string, RefContent]>([
    [SHA1, { kind: "id", id: SHA1 }],
    [`${SHA256}\n`, { kind: "id", id: SHA256 }],
    [`${SHA1} \t\r\n\n`, { kind: "id", id: SHA1 }],
    ["ref: refs/heads/main\n", symbolic("refs/heads/main")],
    ["ref:refs/heads/main", symbolic("refs/heads/main")],
    ["ref:\t refs/heads/main \n", symbolic("refs/heads/main")],
    ["ref: refs/heads/a/b.c/d-e_f@g", symbolic("refs/heads/a/b.c/d-e_f@g")],
    ["ref: refs/heads/\u00e9", symbolic("refs/heads/\u00e9")],
    ["ref: refs/heads/a.lock.b", symbolic("refs/heads/a.lock.b")],
    ["ref: refs/@", symbolic("refs/@")],
    ["ref: refs/heads/{a}", symbolic("refs/heads/{a}")],
    ["ref: refs/heads/a.b", symbolic("refs/heads/a.b")],
    [`ref: refs/${"a".repeat(1_019)}`, symbolic(`refs/${"a".repeat(1_019)}`)],
  ])("%j", (text, content) => {
    expect(parseRefContent(text)).toEqual(content);
  });

  test.each([
    ...["", "\n", "main", SHA1.slice(1), `${SHA1}0`, SHA256.slice(1), `${SHA256}0`, SHA1.toUpperCase()],
    ...[` ${SHA1}`, `x${SHA1}`, `${SHA1}x`, `${SHA1} ${SHA1}`],
    ...["ref:", "ref: ", "ref", "xref: refs/heads/a", " ref: refs/heads/a", "Ref: refs/heads/a"],
    ...["ref: heads/a", "ref: main", "ref: refs", "ref: refs/", "ref: a/refs/heads/a", "ref: ../refs/a"],
    ...[
      "ref: refs/heads/a/",
      "ref: refs//a",
      "ref: refs/.a",
      "ref: refs/heads/.a/b",
      "ref: refs/heads/a.lock",
    ],
    ...["ref: refs/a.lock/b", "ref: refs/a..b", "ref: refs/../a", "ref: refs/a.", "ref: refs/a@{b"],
    ...Array.from("\u0000\u0001\u001f \u007f~^:?*[\\", (sign) => `ref: refs/a${sign}b`),
    ...["ref: refs/heads/a\nref: refs/heads/b", `ref: refs/${"a".repeat(1_020)}`],
  ])("%j: nothing", (text) => {
    expect(parseRefContent(text)).toBeNull();
  });
});

describe("a list of packed refs", () => {
  const list = [
    "# pack-refs with: peeled fully-peeled sorted ",
    `${SHA1} refs/heads/main`,
    `${SHA256} refs/heads/other`,
    `${"1".repeat(40)} refs/tags/v1`,
    `^${"2".repeat(40)}`,
    `${SHA1.slice(1)} refs/heads/short`,
    `x${SHA1} refs/heads/long`,
    `${SHA1}-refs/heads/dash`,
    `no id refs/heads/twice`,
    `${"3".repeat(40)} refs/heads/twice`,
    `${"4".repeat(40)} refs/heads/twice`,
    " refs/heads/bare",
    "refs/heads/alone",
    "",
  ].join("\n");
  test.each<[string, string | null]>([
    ["refs/heads/main", SHA1],
    ["refs/heads/other", SHA256],
    ["refs/tags/v1", "1".repeat(40)],
    ["refs/heads/twice", "3".repeat(40)],
    ["refs/heads/short", null],
    ["refs/heads/long", null],
    ["refs/heads/dash", null],
    ["refs/heads/bare", null],
    ["refs/heads/alone", null],
    ["heads/main", null],
    ["refs/heads/mai", null],
    ["main", null],
    ["refs/heads/none", null],
  ])("%s: %p", (name, id) => {
    expect(packedRef(list, name)).toBe(id);
    expect(packedRef("", name)).toBeNull();
  });
});
