import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { jsonOf, runProgram, runWaybill } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";

setDefaultTimeout(120_000);

describe("waybill man", () => {
  test("writes a page for every command and group, and nothing else", async () => {
    using folder = temporaryFolder();
    const finished = await runWaybill(["man", "--out", folder.at("man1"), "--json"]);
    expect(finished.code).toBe(0);
    const names = readdirSync(folder.at("man1"));
    expect(names).toContain("waybill.1");
    expect(names).toContain("waybill-verify-pin.1");
    expect(names.filter((name) => !/^waybill(?:-[a-z]+)*\.1$/u.test(name))).toEqual([]);
    expect((jsonOf(finished)["files"] as string[]).length).toBe(names.length);
    // No line of our text becomes a request to troff.
    for (const name of names) {
      const lines = readFileSync(folder.at("man1", name), "utf8").split("\n");
      expect(lines.filter((line) => /^[.'](?!(?:TH|SH|TP|B|BR|I|nf|fi)\b)/u.test(line))).toEqual([]);
    }
  });

  test.skipIf(Bun.which("mandoc") === null)("every page is one for mandoc (needs mandoc)", async () => {
    using folder = temporaryFolder();
    await runWaybill(["man", "--out", folder.path]);
    const names = readdirSync(folder.path);
    const lint = await runProgram(["mandoc", "-T", "lint", "-W", "error", ...names], { cwd: folder.path });
    expect(lint).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const shown = await runProgram(["mandoc", "-T", "ascii", "waybill-verify-pin.1"], { cwd: folder.path });
    expect(shown.stdout.replaceAll(/.\u0008/gu, "")).toContain("--digest sha256:HEX");
  });

  const refused: [string[], string][] = [
    [["waybill-verify-pim"], "invalid_value"],
    [["waybill", "--out", "/nonexistent"], "flags_contradict"],
    [["--out", "/proc/nothing"], "output_not_written"],
  ];
  test.each(refused)("%j is refused", async (args, code) => {
    const finished = await runWaybill(["man", ...args, "--json"]);
    expect(jsonOf(finished)["error"]).toMatchObject({ code });
  });
});
