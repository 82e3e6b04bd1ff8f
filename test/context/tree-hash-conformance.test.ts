import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { join } from "node:path";
import { bytePathOf } from "../../src/context/byte-path.ts";
import { linkContent, type FileContent, type ObjectFormat } from "../../src/context/contents.ts";
import { gitTree } from "../../src/context/git-tree.ts";
import { dirHash, workingTreeHash, type TreeItem } from "../../src/context/tree-digests.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { placeIn, plantTree, type Planted } from "./support/disk-tree.ts";
import { hasConformance, readConformance } from "./support/conformance.ts";
import { captureJson } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";
import { succeed } from "./support/tar-readers.ts";

type Entry = {
  /** Text, or the bytes of a name that is not UTF-8. */
  readonly path: string | { readonly hex: string };
  readonly type?: "symlink" | "fifo" | "socket";
  readonly text?: string;
  readonly mode?: string;
  readonly target?: string;
};

type Vector = {
  readonly name: string;
  readonly tree: readonly Entry[];
  readonly order: readonly string[] | null;
  readonly working_tree_hash: string | null;
  readonly error?: string;
  readonly gitTree_sha1?: string | null;
  readonly gitTree_sha256?: string | null;
  /** Null where a line feed in a name leaves it without a form. */
  readonly dirHash: string | null;
};

const present = hasConformance("tree-hash.json");
const vectors = (readConformance("tree-hash.json") as { vectors: Vector[] } | null)?.vectors ?? [];
const newFolder = scratchFolders();

function nameOf({ path }: Entry): string | Buffer {
  return typeof path === "string" ? path : Buffer.from(path.hex, "hex");
}

function gitTreeOf(vector: Vector, format: ObjectFormat): string | null {
  return (format === "sha1" ? vector.gitTree_sha1 : vector.gitTree_sha256) ?? null;
}

function itemsOf(vector: Vector, format: ObjectFormat): TreeItem[] {
  return vector.tree
    .filter((entry) => entry.type === undefined || entry.type === "symlink")
    .map((entry): TreeItem => {
      const path = bytePathOf(Buffer.from(nameOf(entry)));
      if (entry.type === "symlink") {
        return {
          path,
          kind: "symlink",
          content: linkContent(bytePathOf(Buffer.from(entry.target ?? "")), format),
        };
      }
      return {
        path,
        kind: "file",
        content: contentOf(Buffer.from(entry.text ?? ""), entry.mode ?? "644", format),
      };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function contentOf(bytes: Buffer, mode: string, format: ObjectFormat): FileContent {
  const blob = new Bun.CryptoHasher(format).update(`blob ${bytes.length}\0`).update(bytes).digest();
  const executable = (Number.parseInt(mode, 8) & 0o100) !== 0;
  return { sha256: sha256Of(bytes), blob, size: bytes.length, executable };
}

async function onDisk(vector: Vector, work: (root: string) => Promise<void>): Promise<void> {
  const root = join(newFolder(), "tree");
  const plain = vector.tree.filter((entry) => entry.type === undefined || entry.type === "symlink");
  plantTree(
    root,
    plain.map((entry): Planted => {
      const path = nameOf(entry);
      if (entry.target !== undefined) return { path, target: entry.target };
      return { path, text: entry.text ?? "", mode: Number.parseInt(entry.mode ?? "644", 8) };
    }),
  );
  const sockets = vector.tree.filter((entry) => entry.type === "socket");
  for (const fifo of vector.tree.filter((entry) => entry.type === "fifo"))
    succeed(["mkfifo", placeIn(root, nameOf(fifo)).toString()]);
  const servers = await Promise.all(sockets.map((entry) => listen(placeIn(root, nameOf(entry)).toString())));
  try {
    await work(root);
  } finally {
    for (const server of servers) server.close();
  }
}

function listen(path: string): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

test.skipIf(!present)("the conformance data has vectors", () => {
  expect(vectors.length).toBeGreaterThan(10);
});

for (const vector of vectors) {
  test(`the digests of "${vector.name}" are the recorded ones`, () => {
    const items = itemsOf(vector, "sha1");
    if (vector.working_tree_hash === null) {
      expect(workingTreeHash(items)).toEqual({ value: null, reason: "name_not_utf8" });
      return;
    }
    expect(items.map((item) => Buffer.from(item.path, "latin1").toString())).toEqual([
      ...(vector.order ?? []),
    ]);
    expect(workingTreeHash(items)).toEqual({ value: vector.working_tree_hash, reason: null } as never);
    expect(dirHash(items).value as string | null).toBe(vector.dirHash);
    for (const format of ["sha1", "sha256"] as const) {
      const recorded = gitTreeOf(vector, format);
      if (recorded !== null) expect(gitTree(itemsOf(vector, format), format)).toBe(recorded);
    }
  });

  test(`a folder with the tree "${vector.name}" has the recorded hash`, async () => {
    await onDisk(vector, async (root) => {
      const { exit, document } = await captureJson(root, ["--no-ignore", "--include-vcs"]);
      expect(exit).toBe(0);
      expect(document.digests["working_tree_hash"]).toBe(vector.working_tree_hash);
      expect(document.source_fields["working_tree_hash"] ?? null).toBe(vector.working_tree_hash);
      if (vector.working_tree_hash !== null) expect(document.digests["dir_hash"]).toBe(vector.dirHash);
      if (vector.working_tree_hash === null) {
        expect(document.fields["working_tree_hash"]).toEqual({
          value: null,
          source: "none",
          reason: "name_not_utf8",
        });
      }
    });
  });

  for (const format of ["sha1", "sha256"] as const) {
    const wanted = gitTreeOf(vector, format);
    // git itself takes no .git into a tree.
    if (wanted === null) continue;
    test(`the git tree of "${vector.name}" in a ${format} repository is the recorded one`, async () => {
      await onDisk(vector, async (root) => {
        // An embedded .git would be left out; the repository lies around the tree.
        const outer = join(root, "..");
        succeed(["git", "init", "-q", `--object-format=${format}`, outer]);
        const { document } = await captureJson(root, ["--no-ignore", "--include-vcs"]);
        expect(document.digests["git_tree"]).toBe(wanted);
      });
    });
  }
}
