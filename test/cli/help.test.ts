import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { EXIT, EXIT_MEANING } from "../../src/base/exit-codes.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

type Page = { readonly words: readonly string[]; readonly text: string; readonly isGroup: boolean };

/** Every page of help, from the overview down. */
async function pagesBelow(words: readonly string[]): Promise<Page[]> {
  const document = jsonOf(await runWaybill([...words, "--help", "--json"]));
  const page = { words, text: String(document["help"]), isGroup: "commands" in document };
  const members = Array.isArray(document["commands"]) ? document["commands"].map(String) : [];
  const below = await Promise.all(members.map(async (name) => pagesBelow([...words, name])));
  return [page, ...below.flat()];
}

const pages = await pagesBelow([]);
const groups = pages.filter((page) => page.isGroup);
const commands = pages.filter((page) => !page.isGroup);

test("there are commands", () => {
  expect(commands.length).toBeGreaterThan(2);
  expect(commands.map((page) => page.words.join(" "))).toContain("version");
});

describe.each(commands.map((page) => [page.words.join(" "), page] as const))(
  "waybill %s --help",
  (name, page) => {
    test("has its name, its flags, examples and exit codes", () => {
      expect(page.text).toContain(`(waybill ${name})`);
      for (const flag of ["--json", "--quiet", "--verbose", "--help"]) expect(page.text).toContain(flag);
      expect(page.text).toContain("\nEXAMPLES\n");
      expect(page.text).toContain("\nEXIT CODES\n");
    });

    test("has examples of this command, with flags that it has", () => {
      const [, examples = ""] = /\nEXAMPLES\n\n(.*?)\n\nEXIT CODES\n/su.exec(page.text) ?? [];
      const lines = examples.replaceAll(/ \\\n +/gu, " ").split("\n");
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.filter((line) => !line.includes(`waybill ${name}`))).toEqual([]);
      for (const [, flag] of examples.matchAll(/ (--[a-z][a-z0-9-]*)/gu))
        expect(page.text).toContain(` ${flag}`);
    });

    test("has exit codes of the table, with the meaning of the table", () => {
      const [, exits = ""] = /\nEXIT CODES\n\n(.*)$/su.exec(page.text) ?? [];
      const lines = exits.trimEnd().split("\n");
      const known = Object.entries(EXIT_MEANING).map(
        ([exit, meaning]) =>
          `  ${String(Object.entries(EXIT).find(([key]) => key === exit)?.[1]).padStart(3)}  ${meaning}`,
      );
      expect(lines.filter((line) => !known.includes(line))).toEqual([]);
      expect(lines.slice(0, 3)).toEqual(known.slice(0, 3));
      expect(new Set(lines).size).toBe(lines.length);
    });

    test("fits into 80 columns, with nothing invisible at the end of a line", () => {
      const lines = page.text.split("\n");
      expect(lines.filter((line) => line.length > 80 || line !== line.trimEnd())).toEqual([]);
    });

    test("is the same page as text", async () => {
      const finished = await runWaybill([...page.words, "--help"]);
      expect(finished).toEqual({ code: 0, stdout: page.text, stderr: "" });
    });

    test("refuses an unknown flag before anything else", async () => {
      const finished = await runWaybill([...page.words, "--no-such-flag", "--json"]);
      expect(finished.code).toBe(EXIT.usage);
      expect(jsonOf(finished)).toMatchObject({
        schema: `waybill.${page.words.join("-")}/v1`,
        ok: false,
        exit_code: EXIT.usage,
        error: { code: "unknown_flag" },
      });
    });
  },
);

describe.each(groups.map((page) => [["waybill", ...page.words].join(" "), page] as const))(
  "%s --help",
  (name, page) => {
    test("names its commands with a few words about each", () => {
      expect(page.text).toContain(`(${name})`);
      const members = pages.filter(
        (other) =>
          other.words.length === page.words.length + 1 &&
          other.words.join(" ").startsWith(page.words.join(" ")),
      );
      expect(members.length).toBeGreaterThan(0);
      for (const member of members) {
        expect(page.text).toMatch(new RegExp(`^ {2}${member.words.at(-1)} {2,}\\S.*$`, "mu"));
      }
    });

    test("refuses an unknown command", async () => {
      const finished = await runWaybill([...page.words, "no-such-command", "--json"]);
      expect(finished.code).toBe(EXIT.usage);
      expect(jsonOf(finished)).toMatchObject({ ok: false, error: { code: "unknown_command" } });
    });
  },
);
