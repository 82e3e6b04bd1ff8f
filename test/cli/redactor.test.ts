import { expect, test } from "bun:test";
import { Redactor } from "../../src/cli/redactor.ts";

function cleaned(secrets: readonly string[], text: string): string {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.register(secret);
  return redactor.clean(text);
}

const TABLE: [string, string[], string, string][] = [
  ["the rest of the line stays", ["hunter2hunter2"], "a hunter2hunter2 b", "a *** b"],
  ["every occurrence", ["hunter2hunter2"], "hunter2hunter2,hunter2hunter2", "***,***"],
  ["white space around a registered value is dropped", [" hunter2hunter2\n"], "x=hunter2hunter2", "x=***"],
  ["a secret inside another one", ["abcdefgh", "0123abcdefgh4567"], "0123abcdefgh4567", "***"],
  ["a secret shorter than eight characters is left", ["abcdefg"], "abcdefg", "abcdefg"],
  [
    "a secret of several lines, in a message of one",
    ["line one\nline two"],
    'found "line one line two"',
    'found "***"',
  ],
  [
    "a secret with quotes and backslashes, quoted in a message",
    ['a\\b"cdefgh'],
    'found "a\\b\\"cdefgh"',
    'found "***"',
  ],
  ["half a surrogate pair", ["\ud800secretsecret"], "\ufffdsecretsecret", "***"],
  ["a secret that was cut off", ["abcdefghijklmnop"], "said: abcdefghij…", "said: ***…"],
  ["two cuts in one text", ["abcdefghijklmnop"], "abcdefghij… and abcdefghi…", "***… and ***…"],
  ["a cut that leaves seven characters", ["abcdefghijklmnop"], "said: abcdefg…", "said: abcdefg…"],
];

test.each(TABLE)("%s", (_what, secrets, text, wanted) => {
  expect(cleaned(secrets, text)).toBe(wanted);
});
