import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseGitConfig } from "../../src/source/git-config.ts";
import { settingsOf } from "../../src/source/remote-choice.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { HAS_GIT, tryGit } from "./support/repository.ts";

const newFolder = scratchFolders();

const TEXTS: readonly string[] = [
  "",
  "\n\n# comment\n; comment\n",
  "\ufeff[a]\nb = c\n",
  "[a]\nb=c",
  "[a] b = c\n",
  "[A]\nB = C\n",
  "[a.B]\nc = d\n",
  '[a "B c"]\nd = e\n',
  '[a "x\\"y\\\\z"]\nd = e\n',
  "[a]\nb\n",
  "[a]\nb # comment\n",
  "[a]\nb =\n",
  "[a]\nb = c # comment\n",
  '[a]\nb = "c # no comment" ; comment\n',
  "[a]\nb =  c  d  \n",
  '[a]\nb = " c " d \n',
  "[a]\nb = c\\\n d\n",
  "[a]\nb = c \\",
  "[a]\nb = c \\\n\n",
  "[a]\nb = c \\\n \n",
  '[a]\nb = "" c\n',
  "[a]\nb = \\\n c\n",
  '[a]\nb = "c\\\n d"\n',
  '[a]\nb = c\\nd\\te\\bf\\\\g\\"h\n',
  "[a]\r\nb = c\r\n[d]\r\ne = f\r\n",
  "[a]\nb = c\n[a]\nb = d\n",
  '[remote "origin"]\n\turl = https://example.com/a.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n',
  '[include]\npath = other\n[includeIf "gitdir:x"]\npath = other\n',
  "[a]\nb = c\\x\n",
  '[a]\nb = "c\n',
  "[a\nb = c\n",
  "[a b]\nc = d\n",
  "b = c\n",
  "[a]\n1b = c\n",
  "[a]\nb c\n",
  "[]\nb = c\n",
  '[a "b\nc"]\nd = e\n',
  "[a]\nb = \u00e9\n",
  // White space is what git takes for it.
  "[a]\nb = \u00a0c\u00a0\n",
  "[a]\nb = c\ufeff\n",
  "[a]\nb = c\v\f\n",
  "\f[a]\nb = c\n",
  "[a]\nb = c\n\u00a0\n",
  '[a"b"]\nc = d\n',
  "[a ]\nb = c\n",
  '[a \r"b"]\nc = d\n',
  "[a]\nb = c\0d\n",
];

/** What git itself reads, null for what it refuses. */
function asGit(text: string): ReturnType<typeof settingsOf> | null {
  const file = join(newFolder(), "config");
  writeFileSync(file, text);
  const ran = tryGit("/", "config", "--file", file, "--no-includes", "-z", "--list");
  return ran.exit === 0 ? settingsOf(Buffer.from(ran.stdout)) : null;
}

describe.skipIf(!HAS_GIT)("a configuration reads as git reads it", () => {
  test.each(TEXTS)("%j", (text) => {
    expect(parseGitConfig(text)?.settings ?? null).toEqual(asGit(text));
  });

  test("whatever is put together", () => {
    // Without tabs inside values: git turned them into spaces, and later no more.
    const piece = fc.constantFrom(
      "[a]",
      '[b "C d"]',
      "\n",
      "x",
      "y-1",
      " = ",
      "=",
      "v",
      '"',
      "\\",
      "\\n",
      "#",
      ";",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join("");
        expect([text, parseGitConfig(text)?.settings ?? null]).toEqual([text, asGit(text)]);
      }),
      { numRuns: 300 },
    );
  });
});

test("files that it includes are not followed, and that is said", () => {
  expect(parseGitConfig("[include]\npath = /etc/passwd\n")?.includes).toBe(true);
  expect(parseGitConfig('[includeIf "onbranch:main"]\npath = x\n')?.includes).toBe(true);
  expect(parseGitConfig("[included]\npath = x\n")?.includes).toBe(false);
});
