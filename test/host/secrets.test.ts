import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Failure } from "../../src/base/failure.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { readSecret } from "../../src/host/secrets.ts";
import { temporaryFolder } from "../support/temporary.ts";

function fromVariable(value: string | undefined): string | Failure {
  try {
    return readSecret({ variable: "CP_TOKEN" }, { CP_TOKEN: value }, "admin token");
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

describe("taken", () => {
  test.each([
    ["hunter2", "hunter2"],
    [" hunter2\r\n", "hunter2"],
    ["eyJ.a-b_c.d+e/f==", "eyJ.a-b_c.d+e/f=="],
    ["***hunter2", "***hunter2"],
    ["nullify", "nullify"],
    ["$ecret-with-lower-case", "$ecret-with-lower-case"],
    ["a${b}", "a${b}"],
    ["<a", "<a"],
  ])("%j", (value, wanted) => {
    expect(fromVariable(value)).toBe(wanted);
  });
});

describe("refused", () => {
  test.each([undefined, "", " ", "\n"])("nothing: %j", (value) => {
    expect(fromVariable(value)).toMatchObject({
      code: "credential_missing",
      exitCode: 4,
      message: "$CP_TOKEN secret not configured: it holds no admin token",
    });
  });

  test.each([
    "***",
    "*",
    "null",
    "NULL",
    "undefined",
    "None",
    "${CP_TOKEN}",
    "${{ secrets.CP_TOKEN }}",
    "$(CP_TOKEN)",
    "$CP_TOKEN",
    "{{ .Secret }}",
    "<token>",
    " *** \n",
  ])("a placeholder: %j", (value) => {
    const failure = fromVariable(value);
    expect(failure).toMatchObject({
      code: "credential_unexpanded",
      exitCode: 4,
      message: "$CP_TOKEN holds a placeholder in place of the admin token",
    });
  });

  test.each(["two words", "two\nlines", "a\u0000b", "héllo", "a\u200bb", "a\tb"])(
    "what could not stand in a header, and does not say it: %j",
    (value) => {
      const failure = fromVariable(value);
      expect(failure).toMatchObject({ code: "input_invalid", exitCode: 2 });
      expect(JSON.stringify(failure)).not.toContain(JSON.stringify(value).slice(1, -1));
      if (failure instanceof Failure) expect(failure.message).not.toContain(value);
    },
  );
});

describe("from a file", () => {
  test("without the line break at its end, or a byte-order mark", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("token"), "\ufeffhunter2\n");
    expect(readSecret({ file: folder.at("token") }, {}, "admin token")).toBe("hunter2");
  });

  test("the message names the file and never what is in it", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("token"), "hunter2 hunter3");
    expect(() => readSecret({ file: folder.at("token") }, {}, "admin token")).toThrow(
      new Failure(
        "input_invalid",
        `the admin token in "${folder.at("token")}" has a space, a line break or a character beyond ASCII`,
      ),
    );
  });

  test("that is missing, or too large", () => {
    using folder = temporaryFolder();
    const read = (): string => readSecret({ file: folder.at("token") }, {}, "admin token");
    expect(read).toThrow(expect.objectContaining({ code: "credential_missing", exitCode: 4 }));
    writeFileSync(folder.at("token"), "x".repeat(LIMITS.secretBytes + 1));
    expect(read).toThrow(expect.objectContaining({ code: "credential_missing" }));
  });
});
