import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { runProgram, type Finished } from "../support/binary.ts";
import { fragment } from "../support/fragment.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

/** What a speaker says on standard error when it is not a terminal. */
async function spoken(code: string, loudness = "normal", env: Record<string, string> = {}): Promise<string> {
  const finished: Finished = await runProgram(
    fragment(`
      import { Failure } from "src/base/failure.ts";
      import { Annotator } from "src/cli/annotations.ts";
      import { Redactor } from "src/cli/redactor.ts";
      import { Speaker } from "src/cli/speaker.ts";
      const redactor = new Redactor();
      const say = new Speaker("${loudness}", redactor, new Annotator(process.env));
      ${code}
      await say.flush();
    `),
    { env },
  );
  expect(finished).toMatchObject({ code: 0, stdout: "" });
  return finished.stderr;
}

const ALL =
  'say.info("one"); say.warn("two"); say.debug("three"); say.failure(new Failure("not_found", "four"));';

describe("plain lines", () => {
  test.each([
    ["quiet", "error: four\n"],
    ["normal", "one\nwarning: two\nerror: four\n"],
    ["verbose", "one\nwarning: two\ndebug: three\nerror: four\n"],
  ])("%s, in the order in which they were said", async (loudness, wanted) => {
    expect(await spoken(ALL, loudness)).toBe(wanted);
  });

  test("no colour, even when a variable asks for it", async () => {
    expect(await spoken(ALL, "normal", { FORCE_COLOR: "1", CLICOLOR_FORCE: "1" })).not.toContain("\u001b");
  });

  test("the same line many times is not gathered", async () => {
    expect(await spoken('for (let i = 0; i < 20; i++) say.info("again");')).toBe("again\n".repeat(20));
  });

  test("nothing said is nothing written, and consola is not loaded", async () => {
    const asked = 'console.log(Object.keys(require.cache).some((name) => name.includes("consola")));';
    expect(await spoken("")).toBe("");
    const finished = await runProgram(fragment(`import "src/cli/speaker.ts"; ${asked}`));
    expect(finished.stdout).toBe("false\n");
  });
});

test("a line that a runner would cut is cut before, and hostile details are text", async () => {
  const warned = await spoken('say.warn("x".repeat(100_000) + "\\n" + "y".repeat(100_000));');
  expect(warned).toBe(`warning: ${"x".repeat(8_192)}…\n${"y".repeat(8_192)}…\n`);
  const code = 'say.details("t", ["::error::a", "b\\nc\\u001b[31m"], new Date(0));';
  const [start, ...lines] = (await spoken(code, "normal", { GITLAB_CI: "true" })).split("\n");
  expect(start).toContain("section_start:0:waybill_0[collapsed=true]");
  expect(lines.slice(0, 2)).toEqual([": :error::a", "b c [31m"]);
  expect(await spoken(code, "verbose")).toBe("debug: t\n  : :error::a\n  b c [31m\n");
  expect(await spoken(code, "quiet", { GITLAB_CI: "true" })).toBe("");
});

describe("a failure", () => {
  test("is told with what the server said and with its hint", async () => {
    const code = 'say.failure(new Failure("not_found", "a", { hint: "b", serverText: "c" }));';
    expect(await spoken(code)).toBe("error: a\n  server said: c\n  hint: b\n");
    expect(await spoken(code, "normal", { GITHUB_ACTIONS: "true" })).toBe(
      "error: a\n  server said: c\n  hint: b\n::error title=waybill not_found::a | server said: c | hint: b\n",
    );
  });

  test("shows its cause to those who asked for more", async () => {
    const code = 'say.failure(new Failure("internal_error", "a", { cause: new Error("b") }));';
    expect(await spoken(code)).toBe("error: a\n");
    expect(await spoken(code, "verbose")).toMatch(/^error: a\ndebug: Error: b\n {4}at /u);
  });

  test("with words of others that nobody made inert gives them no line that a runner would obey", async () => {
    const code = 'say.failure(new Failure("not_found", "a\\n::error::b\\u001b[31m", { hint: "##vso[x]" }));';
    expect(await spoken(code)).toBe("error: a\n: :error::b [31m\n  hint: # #vso[x]\n");
  });

  test("with a hostile cause gives it no line that a runner would obey", async () => {
    const code =
      'say.failure(new Failure("internal_error", "a", { cause: new Error("b\\n::error::c\\n\\u001b[31m") }));';
    const said = await spoken(code, "verbose");
    expect(said).toContain(": :error::c");
    expect(said).not.toContain("\n::error::");
    expect(said).not.toContain("\u001b");
  });
});

describe("a secret", () => {
  const SECRET = "100%secret:token,x";
  const code = `
    redactor.register("${SECRET}");
    say.info("${SECRET}");
    const cause = new Error("${SECRET}");
    say.failure(new Failure("not_found", "a ${SECRET}", { hint: "b ${SECRET}", serverText: "c ${SECRET}", cause }));
  `;
  test.each(["quiet", "verbose"])("is in no line and no annotation (%s)", async (loudness) => {
    const said = await spoken(code, loudness, { GITHUB_ACTIONS: "true" });
    expect(said).toContain("error: a ***\n  server said: c ***\n  hint: b ***\n");
    expect(said).toContain("::error title=waybill not_found::a *** | server said: c *** | hint: b ***\n");
    expect(said).not.toMatch(/secret.token/u);
  });
});

test("standard error that cannot be written ends nothing", async () => {
  const finished = await runProgram([
    "/bin/sh",
    "-c",
    '"$@" 2>/dev/full; echo $?',
    "sh",
    ...fragment(`
      import { Annotator } from "src/cli/annotations.ts";
      import { Redactor } from "src/cli/redactor.ts";
      import { Speaker } from "src/cli/speaker.ts";
      const say = new Speaker("normal", new Redactor(), new Annotator({}));
      say.warn("one");
      await say.flush();
      process.exitCode = 7;
    `),
  ]);
  expect(finished.stdout).toBe("7\n");
});
