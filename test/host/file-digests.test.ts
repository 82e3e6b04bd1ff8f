import { createHash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { FileDigests } from "../../src/host/file-digests.ts";
import { temporaryFolder } from "../support/temporary.ts";

const PREFIXES = [randomBytes(64), new Uint8Array()];

async function digested(sizes: readonly number[]): Promise<void> {
  using folder = temporaryFolder();
  const file = openSync(folder.at("x"), "w+");
  const digests = new FileDigests(file, PREFIXES);
  try {
    for (const size of sizes) {
      digests.restart();
      ftruncateSync(file, 0);
      const bytes = randomBytes(size);
      for (let at = 0; at < size; at += 3_000_000) {
        writeSync(file, bytes, at, Math.min(3_000_000, size - at), at);
        digests.advance(Math.min(size, at + 3_000_000));
      }
      const found = await digests.finish(size);
      expect(found.sha256).toBe(sha256Of(bytes));
      expect(found.sha512.map((digest) => Buffer.from(digest).toString("hex"))).toEqual(
        PREFIXES.map((prefix) => createHash("sha512").update(prefix).update(bytes).digest("hex")),
      );
    }
  } finally {
    digests.close();
    closeSync(file);
  }
}

describe("the digests of a file that grows", () => {
  const cases: [string, readonly number[]][] = [
    ["empty", [0]],
    ["small", [5_000_000]],
    ["large enough for threads", [40_000_000]],
    ["begun again, larger", [20_000_000, 30_000_000]],
    ["begun again, smaller", [30_000_000, 1_000]],
  ];
  test.each(cases)("%s", (_name, sizes) => digested(sizes));

  test("two at a time", async () => {
    await Promise.all([digested([20_000_000]), digested([20_000_000])]);
  });

  test("of fewer bytes than were announced are none", async () => {
    using folder = temporaryFolder();
    const file = openSync(folder.at("x"), "w+");
    const digests = new FileDigests(file, []);
    try {
      digests.advance(20_000_000);
      const outcome = await digests.finish(20_000_000).then(() => "digested", String);
      expect(outcome).toContain("the file ends at byte 0");
    } finally {
      digests.close();
      closeSync(file);
    }
  });
});
