import { expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytePathFromText } from "../../src/context/byte-path.ts";
import { archiveEnd, contentPadding, TarHeaders } from "../../src/context/tar.ts";
import { scratchFolders } from "./support/scratch.ts";
import { HAS_BSDTAR, HAS_GNU_TAR, succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();
const OCTAL_MAX = 8 * 2 ** 30 - 1;

for (const [reader, isThere] of [
  ["tar", HAS_GNU_TAR],
  ["bsdtar", HAS_BSDTAR],
] as const) {
  test.skipIf(!isThere)(`case 55: ${reader} reads sizes that a header's field holds, and larger ones`, () => {
    for (const size of [OCTAL_MAX, OCTAL_MAX + 1]) {
      const place = join(newFolder(), "context.tar");
      const headers = new TarHeaders(0);
      const file = { kind: "file", path: bytePathFromText("large"), size, executable: false } as const;
      writeFileSync(place, headers.blocks(file));
      // The content is a hole, which takes no disk and no time.
      const content = Bun.file(place).size + size + contentPadding(size).length;
      truncateSync(place, content);
      writeFileSync(place, headers.blocks({ kind: "directory", path: bytePathFromText("next") }), {
        flag: "a",
      });
      truncateSync(place, content + 512 + archiveEnd(content + 512).length);
      const lines = succeed([reader, "-tvf", place]).toString().trimEnd().split("\n");
      expect(lines.map((line) => line.split(/ +/u).at(-1))).toEqual(["large", "next/"]);
      expect(lines[0]?.split(/ +/u)).toContain(String(size));
    }
  });
}
