import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TarListing } from "../../src/addons/bundle/tar-listing.ts";
import { Failure } from "../../src/base/failure.ts";

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
  const names: string[] = [];
  const listing = new TarListing("?", {
    begin: ({ name }) => names.push(name),
    piece: () => {},
    end: () => {},
  });
  try {
    listing.update(bytes);
    listing.finish();
    return "files";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.code === "tarball_binary_missing"
      ? `files: ${names.join(" ")}`
      : `${error.code}: ${error.message}`;
  }
}

describe.skipIf(!existsSync(folder))("archives of other readers' tests", () => {
  test("are all named here", () => {
    const found = readdirSync(folder).filter((name) => name.endsWith(".tar"));
    expect(found.sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test.each(Object.entries(EXPECTED))("%s: %s", (name, expected) => {
    const found = outcome(readFileSync(join(folder, name)));
    const [code = "", why = ""] = expected.split(": ");
    expect(found).toStartWith(`${code}:`);
    expect(found).toContain(why);
  });
});
