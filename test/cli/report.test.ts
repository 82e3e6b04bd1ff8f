import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { jsonOf, PROGRAM, runWaybill } from "../support/binary.ts";
import { fragment, inShell } from "../support/fragment.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const BYTES = 3_000_000;

/** Reports a large result and exits with the code that the report stands for; `verdict` is the command's own. */
function reportOf(verdict: number, before = ""): readonly string[] {
  return fragment(`
    import { Redactor } from "src/cli/redactor.ts";
    import { writeReport } from "src/cli/report.ts";
    ${before}
    const text = "0123456789".repeat(${BYTES / 10}) + "\\n";
    const written = await writeReport("x", { exit: ${verdict}, document: { text }, text }, false, new Redactor());
    if (written.problem) console.error(written.problem);
    process.exitCode = written.exit;
  `);
}

/** Standard output in the mode in which a full pipe is an error (EAGAIN) and not a wait. */
const NON_BLOCKING = `
  import { dlopen } from "bun:ffi";
  const libc = dlopen("libc.so.6", { fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } });
  if (libc.symbols.fcntl(1, 4, 0o4000) !== 0) throw new Error("fcntl failed");
`;

// `set -o pipefail` is not in every sh, so the program's own code goes through descriptor 3.
const SLOW_READER = '{ "$@"; echo $? >&3; } 3>&2 | { head -c 1 >/dev/null; sleep 0.1; wc -c; }';
const GONE_READER = '{ sleep 0.1; "$@"; echo $? >&3; } 3>&2 | true';

describe("every byte of a result", () => {
  test("reaches a reader that takes its time", async () => {
    expect(await inShell(SLOW_READER, reportOf(8))).toEqual({ code: 0, stdout: `${BYTES}\n`, stderr: "8\n" });
  });

  test.skipIf(process.platform !== "linux")("reaches it through a pipe that does not block", async () => {
    expect(await inShell(SLOW_READER, reportOf(0, NON_BLOCKING))).toEqual({
      code: 0,
      stdout: `${BYTES}\n`,
      stderr: "0\n",
    });
  });
});

describe("a reader that went away", () => {
  test.each([0, 8])("leaves the verdict's own code %d and says nothing", async (verdict) => {
    expect(await inShell(GONE_READER, reportOf(verdict))).toEqual({
      code: 0,
      stdout: "",
      stderr: `${verdict}\n`,
    });
  });

  test("in the program itself", async () => {
    expect(await inShell(GONE_READER, [...PROGRAM, "version", "--json"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "0\n",
    });
    expect((await inShell(GONE_READER, [...PROGRAM, "version", "--json", "--bogus"])).stderr).toEndWith(
      "\n2\n",
    );
  });
});

describe("a result that was not written", () => {
  test.skipIf(process.platform !== "linux")("ends with 1, whatever the verdict was", async () => {
    const full = await inShell('"$@" >/dev/full', reportOf(8));
    expect(full.code).toBe(1);
    expect(full.stderr).toStartWith("the result could not be written to standard output: ENOSPC");
  });

  test.skipIf(process.platform !== "linux")("also when standard output was closed", async () => {
    expect(await inShell('"$@" >&-', reportOf(0))).toEqual({
      code: 1,
      stdout: "",
      stderr: "the result could not be written to standard output: it was closed before the start\n",
    });
  });

  test("but nobody has to read it", async () => {
    expect(await inShell('"$@" >/dev/null', reportOf(8))).toEqual({ code: 8, stdout: "", stderr: "" });
  });
});

describe("the document", () => {
  test("begins with schema, ok and exit_code", async () => {
    const finished = await runWaybill(["version", "--json"]);
    expect(Object.keys(jsonOf(finished)).slice(0, 3)).toEqual(["schema", "ok", "exit_code"]);
    expect(finished).toMatchObject({ code: 0, stderr: "" });
  });

  test("holds no registered secret, whatever JSON makes of its characters", async () => {
    const secret = 'a"b\\c\nd-secret';
    const finished = await inShell(
      '"$@"',
      fragment(`
        import { Redactor } from "src/cli/redactor.ts";
        import { writeReport } from "src/cli/report.ts";
        const secret = ${JSON.stringify(secret)};
        const redactor = new Redactor();
        redactor.register(secret);
        const document = { raw: secret, again: JSON.stringify(secret), ["n" + secret]: [{ secret }] };
        await writeReport("x", { exit: 0, document, text: "" }, true, redactor);
      `),
    );
    const { schema, ...rest } = jsonOf(finished);
    expect(schema).toBe("waybill.x/v1");
    expect(rest).toEqual({ ok: true, exit_code: 0, raw: "***", again: '"***"', "n***": [{ secret: "***" }] });
  });
});
