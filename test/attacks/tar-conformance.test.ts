import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TarListing } from "../../src/addons/bundle/tar-listing.ts";
import { Failure } from "../../src/base/failure.ts";
import { runProgram } from "../support/binary.ts";

const folder = join(process.env["WAYBILL_CONFORMANCE"] ?? "/nonexistent", "tar/tar-stream/test/fixtures");

/** Of each archive that other readers are tested with: what is in it, or why it is no bundle. */
const EXPECTED: Readonly<Record<string, string>> = {
  "base-256-size.tar": "tarball_unsafe: base-256",
  "base-256-uid-gid.tar": "files",
  "gnu-incremental.tar": "tarball_unsafe",
  "gnu-long-path.tar": "tarball_unsafe",
  "gnu.tar": "files",
  "incomplete.tar": "tarball_unsafe",
  "large-uid-gid.tar": "files",
  "latin1.tar": "tarball_unsafe",
  "long-name.tar": "tarball_unsafe",
  "multi-file.tar": "files",
  "name-is-100.tar": "tarball_unsafe: flat",
  "one-file.tar": "files",
  "pax.tar": "tarball_unsafe: path",
  "space.tar": "tarball_unsafe: magic",
  "types.tar": "tarball_unsafe: folder",
  "unicode-bsd.tar": "tarball_unsafe",
  "unicode.tar": "tarball_unsafe",
  "unknown-format.tar": "tarball_unsafe: magic",
  "v7.tar": "files",
};

function outcome(bytes: Uint8Array): string {
  const files = new Map<string, number>();
  let current = "";
  const listing = new TarListing("?", {
    begin: ({ name }) => files.set((current = name), 0),
    piece: (piece) => files.set(current, (files.get(current) ?? 0) + piece.length),
    end: () => {},
  });
  try {
    listing.update(bytes);
    listing.finish();
    return "files";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.code === "tarball_binary_missing"
      ? `files: ${[...files].map(([name, size]) => `${size} ${name}`).join("\n")}`
      : `${error.code}: ${error.message}`;
  }
}

/** Size and name of all that GNU tar sees, if those are regular files. */
async function listedByTar(path: string): Promise<string> {
  const { code, stdout } = await runProgram(["tar", "--numeric-owner", "--full-time", "-tvf", path]);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  return `files: ${lines.map((line) => line.replace(/^-\S+ +\S+ +(\d+) +\S+ +\S+ /u, "$1 ")).join("\n")}`;
}

const archives = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".tar")) : [];

describe.skipIf(archives.length === 0)("archives of other readers' tests", () => {
  test("the ones of the table are there", () => {
    expect(archives).toEqual(expect.arrayContaining(Object.keys(EXPECTED)));
  });

  test.each(archives)("%s", async (name) => {
    const found = outcome(readFileSync(join(folder, name)));
    // One that the table does not know is refused, or what GNU tar sees in it is what we see.
    const [code = "", why = ""] = (EXPECTED[name] ?? (/^\w+/u.exec(found)?.[0] || "")).split(": ");
    expect(["files", "tarball_unsafe", "tarball_too_large"]).toContain(code);
    expect(found).toStartWith(`${code}:`);
    expect(found).toContain(why);
    if (code === "files") expect(found).toBe(await listedByTar(join(folder, name)));
  });
});
