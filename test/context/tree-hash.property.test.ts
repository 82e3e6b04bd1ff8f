import { expect, test } from "bun:test";
import fc from "fast-check";
import { captureContext } from "../../src/context/capture-context.ts";
import { workingTreeHash } from "../../src/context/tree-digests.ts";
import { rmSync } from "node:fs";
import { plantTree, type Planted } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();

// Characters at the borders of the orders that could be confused: slash, ASCII, basic plane, beyond it.
const name = fc
  .string({
    unit: fc.constantFrom(
      "a",
      "b",
      "-",
      ".",
      "0",
      " ",
      "\n",
      "\\",
      "\u00e9",
      "\uff5e",
      "\ue000",
      "\u{1f600}",
      "\ufeff",
    ),
    minLength: 1,
    maxLength: 4,
  })
  .filter((text) => text !== "." && text !== "..");

const leaf = fc.oneof(
  fc.record({
    text: fc.string({ unit: "binary", maxLength: 20 }),
    mode: fc.constantFrom(0o644, 0o755, 0o600),
  }),
  fc.record({ target: name }),
);

/** Names of folders end with `+` and names of files do not, so that none is both. */
const tree: fc.Arbitrary<Planted[]> = fc
  .uniqueArray(fc.tuple(fc.array(name, { maxLength: 3 }), name, leaf), {
    maxLength: 12,
    selector: ([folders, own]) => [...folders.map((folder) => `${folder}+`), own].join("/"),
  })
  .map((leaves) =>
    leaves.map(([folders, own, what]): Planted => ({
      path: [...folders.map((folder) => `${folder}+`), own].join("/"),
      ...what,
    })),
  );

test("the hash of a random tree on disk is the one that its definition gives", async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (planted) => {
      const root = plantTree(newFolder(), planted);
      const captured = await captureContext(
        {
          context: root,
          cwd: "/",
          dockerfile: undefined,
          ignoreFile: undefined,
          noIgnore: true,
          includeVcs: false,
          archive: null,
          outputs: [],
          objectFormat: null,
        },
        new AbortController().signal,
      );
      const hash: string | null = workingTreeHash(captured.items ?? []).value;
      expect(hash).toBe(referenceTreeHash(leavesOf(root)));
      rmSync(root, { recursive: true });
    }),
    { numRuns: process.env["WAYBILL_FULL"] === undefined ? 150 : 2000 },
  );
});
