import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, jsonOf, runProgram, type Finished } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const BUILD = join(import.meta.dir, "../../scripts/build");
/** 2023-11-14, and no round number. */
const EPOCH = 1_700_000_000;

async function build(out: string, cwd: string, env: Record<string, string> = {}): Promise<Finished> {
  // The one thing that it may take from the machine is the cache of packages that are pinned by the lock.
  return runProgram([BUILD, out], { cwd, env: { HOME: process.env["HOME"] ?? "/", ...env } });
}

function sha256(path: string): string {
  return new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");
}

describe.skipIf(BINARY === null)("scripts/build (needs a build machine)", () => {
  test("gives the same bytes in two folders, with the time that it is told", async () => {
    using first = temporaryFolder();
    using second = temporaryFolder();
    const env = { SOURCE_DATE_EPOCH: String(EPOCH) };
    const [a, b] = [first.at("waybill"), second.at("some", "where", "else", "waybill")];
    expect(await build(a, first.path, env)).toMatchObject({ code: 0, stderr: "" });
    expect(await build(b, "/", { ...env, TZ: "Pacific/Auckland", LC_ALL: "C" })).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(sha256(a)).toBe(sha256(b));

    const version = jsonOf(await runProgram([a, "version", "--json"]));
    expect(version["built_at"]).toBe("2023-11-14T22:13:20Z");
    expect(version["version"]).toBe(
      JSON.parse(readFileSync(join(BUILD, "../../package.json"), "utf8")).version,
    );
    // Only the binary: the map that Bun writes beside it holds the sources a second time.
    expect(readdirSync(first.path)).toEqual(["waybill"]);
  });

  test("refuses another file name, which would be embedded", async () => {
    using folder = temporaryFolder();
    const finished = await build(folder.at("other"), folder.path);
    expect(finished).toMatchObject({ code: 2, stdout: "" });
    expect(finished.stderr).toStartWith("scripts/build: the file must be named waybill");
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("shows no folder of the machine that built it", async () => {
    const root = join(import.meta.dir, "../..");
    expect(readFileSync(BINARY ?? "").includes(`${root}/src`)).toBe(false);
  });
});
