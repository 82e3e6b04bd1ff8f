import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { missingFor, parseScript, playScript } from "../support/script.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const FOLDER = join(import.meta.dir, "../scripts");
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));

describe("scripts", () => {
  for (const name of names) {
    const script = parseScript(readFileSync(join(FOLDER, name), "utf8"));
    const missing = missingFor(script);
    test.skipIf(missing !== null)(missing === null ? name : `${name} (needs ${missing})`, async () => {
      using folder = temporaryFolder();
      expect(await playScript(script, folder)).toEqual([]);
      expect(script.steps.length).toBeGreaterThan(0);
    });
  }
});

describe("a script that goes otherwise is seen", () => {
  const wrong: [string, string][] = [
    ["the exit code", "$ exit 3\n"],
    ["a missing line", "$ true\nhello\n"],
    ["a line too many", "$ echo hello\n"],
    ["another line", "$ echo hello\nhallo\n"],
    ["a line of standard error", "$ echo hello >&2\n"],
    ["another line of standard error", "$ echo hello >&2\nstderr: hallo\n"],
    ["a pattern", "$ echo hello\n~ ^ello\n"],
    ["a placeholder", "$ echo hello\n<NUMBER>\n"],
    ["a value in JSON", `$ echo '{"a":{"b":1}}'\njson: a.b = 2\n`],
    ["two JSON documents", `$ echo '{"a":1}{"a":1}'\njson: a = 1\n`],
    ["first keys", `$ echo '{"b":1,"a":1}'\njson: keys a, b\n`],
  ];
  test.each(wrong)("%s", async (_what, source) => {
    using folder = temporaryFolder();
    expect(await playScript(parseScript(source), folder)).toHaveLength(1);
  });

  test("and one that goes as told is not", async () => {
    using folder = temporaryFolder();
    const source = `needs: sh
# a comment
$ cat in/a.txt; echo 5 >&2; exit 4
one
<ANY>wo
~ hre
...
\\$ 5
stderr: <NUMBER>
exit 4
$ echo '{"a":{"b":[1]}}'
json: keys a
json: a.b = [1]
$ pwd
<WORK>
-- in/a.txt --
one
two
three
four
five
$ 5
`;
    expect(await playScript(parseScript(source), folder)).toEqual([]);
  });
});
