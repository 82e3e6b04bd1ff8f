import { expect, test } from "bun:test";
import fc from "fast-check";
import { bytePathOf } from "../../src/context/byte-path.ts";
import { EntryList, type Entry } from "../../src/context/entry-list.ts";

const path = fc
  .uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 30 })
  .map((bytes): Entry["path"] => bytePathOf(bytes));

const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind: fc.constantFrom("file" as const, "directory" as const), path }),
  fc.record({ kind: fc.constant("symlink" as const), path, target: path }),
);

test("what is listed comes back as it was, from the beginning and from anywhere, whatever bytes its names have", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 900, size: "max" }), fc.nat(900), (entries, begin) => {
      const list = new EntryList();
      for (const one of entries) list.add(one);
      expect([...list]).toEqual(entries);
      expect([...list.from(begin)]).toEqual(entries.slice(begin));
      expect(list.length).toBe(entries.length);
      const count = (kind: Entry["kind"]): number => entries.filter((one) => one.kind === kind).length;
      expect(list.counts).toEqual({
        file: count("file"),
        directory: count("directory"),
        symlink: count("symlink"),
      });
      const links = entries.flatMap((one, at) =>
        one.kind === "symlink"
          ? [{ link: one, filesBefore: entries.slice(0, at).filter(({ kind }) => kind === "file").length }]
          : [],
      );
      expect([...list.links()]).toEqual(links);
    }),
    { numRuns: 30 },
  );
});
