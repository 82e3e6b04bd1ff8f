import { describe, expect, test } from "bun:test";
import { TarListing } from "../../src/addons/bundle/tar-listing.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { refusalOf } from "../trust/refusal.ts";
import { paxRecord, tar } from "./tar.ts";

/** What a sink is told of an archive, which comes in pieces of `step` bytes. */
function told(archive: Uint8Array, step = archive.length): string[] {
  const events: string[] = [];
  const listing = new TarListing("a", {
    begin: ({ name, size }) => void events.push(`begin ${name} ${size}`),
    piece: (bytes) => void events.push(`piece ${bytes.length}`),
    end: () => void events.push("end"),
  });
  for (let at = 0; at < archive.length; at += step) listing.update(archive.subarray(at, at + step));
  listing.finish();
  return events;
}

/** The same without the blocks of zeros that end it, and with so many bytes of zeros in their place. */
function ending(archive: Uint8Array, zeros: number): Uint8Array {
  return new Uint8Array(Buffer.concat([archive.subarray(0, archive.length - 1_024), new Uint8Array(zeros)]));
}

describe("a listing", () => {
  test("tells of each file where it begins, of its bytes, and where it ends", () => {
    const archive = tar(
      { name: "notes", type: "x", data: paxRecord("mtime", "1") },
      { name: "a", data: "x".repeat(511) },
      { name: "b", data: "" },
      { name: "c", data: "xy" },
    );
    expect(told(archive)).toEqual([
      ...["begin a 511", "piece 511", "end"],
      ...["begin b 0", "end"],
      ...["begin c 2", "piece 2", "end"],
    ]);
    expect(told(archive, 1).filter((event) => event.startsWith("begin") || event === "end")).toHaveLength(6);
  });

  test("says behind which file an archive without an end breaks off", () => {
    const archive = tar({ name: "a", data: "x" }, { name: "b", data: "y" });
    expect(refusalOf(() => told(ending(archive, 0))).message).toContain('it ends after or within "b"');
    expect(refusalOf(() => told(new Uint8Array())).message).toContain("it ends at its start");
  });

  test("takes padding behind the end up to its ceiling, in whole blocks", () => {
    const archive = tar({ name: "a", data: "x" });
    const most = 1_024 + LIMITS.bundlePaddingBytes;
    expect(told(ending(archive, most))).toHaveLength(3);
    expect(refusalOf(() => told(ending(archive, most + 512))).code).toBe("tarball_too_large");
    for (const more of [1, 511]) {
      expect(refusalOf(() => told(ending(archive, 1_024 + more))).message).toContain("ends within a block");
    }
  });

  test("refuses one byte in the padding of a file that is not zero", () => {
    for (const at of [513, 700, 1_023]) {
      const archive = tar({ name: "a", data: "x" }).slice();
      archive[at] = 1;
      expect(refusalOf(() => told(archive)).message).toContain("the padding of a file is not zero");
    }
  });
});
