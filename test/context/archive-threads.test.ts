import { expect, test } from "bun:test";
import {
  existsSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  watch,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ArchiveRing } from "../../src/context/archive-ring.ts";
import { compress, PIECE_BYTES } from "../../src/context/archive-pieces.ts";
import { ArchiveThreads } from "../../src/context/archive-threads.ts";
import { captureContext, type ContextCapture } from "../../src/context/capture-context.ts";
import { Turns } from "../../src/context/turns.ts";
import { PendingFile } from "../../src/host/files.ts";
import { plantTree, type Planted } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson } from "./support/run-capture.ts";
import { CAN_MOUNT, scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, HAS_ZSTD, listMembers, succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();
const PIECE = PIECE_BYTES.none;
const never = new AbortController().signal;

/** Bytes that no compressor makes small, the same at every run. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed * 2_654_435_761 + 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/**
 * Some twenty pieces: files that end at, just before and just after the end of a piece, empty ones, many small ones.
 */
function manyPieces(root: string, piece: number = PIECE): string {
  const tree: Planted[] = [
    // With its header of one block, it ends where the first piece ends.
    { path: "a", text: noise(piece - 512, 1) },
    { path: "b-empty", text: "" },
    { path: "c", text: noise(piece - 1024, 2) },
    // Only its header fits into the piece.
    { path: "d", text: noise(3 * piece + 1, 3) },
    { path: "e", text: Buffer.alloc(2 * piece, "text that compresses ") },
    { path: "f", text: noise(511, 4), mode: 0o755 },
    { path: "g", text: noise(piece - 511, 5) },
    { path: "z-last", text: noise(10 * piece, 6) },
    { path: `long/${"n".repeat(120)}`, text: "x" },
  ];
  for (let index = 0; index < 3000; index++)
    tree.push({ path: `many/${index}`, text: noise(index % 700, index) });
  return plantTree(root, tree);
}

async function captured(
  context: string,
  path: string,
  compression: "none" | "gzip" | "zstd",
): Promise<ContextCapture> {
  return captureContext(
    {
      context,
      cwd: "/",
      dockerfile: undefined,
      ignoreFile: undefined,
      noIgnore: true,
      includeVcs: false,
      archive: { path, compression, mtime: 0 },
      outputs: [],
      objectFormat: "sha1",
    },
    never,
  );
}

test.skipIf(!HAS_PYTHON)(
  "an archive of many pieces holds every byte, and one read gave all digests",
  async () => {
    const root = manyPieces(newFolder());
    const place = join(newFolder(), "context.tar");
    const { items, archive, problem } = await captured(root, place, "none");
    expect(problem).toBeNull();
    const bytes = readFileSync(place);
    expect(archive).toEqual({
      tarSha256: createHash("sha256").update(bytes).digest("hex") as never,
      tarBytes: bytes.length,
    });
    const leaves = new Map(leavesOf(root).map((leaf) => [leaf.path.toString("latin1"), leaf]));
    const members = listMembers(place).filter(({ type }) => type === "file");
    expect(members.length).toBe(leaves.size);
    const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
    for (const { name, sha256: found } of members) {
      expect(found).toBe(sha256(leaves.get(name)?.content ?? Buffer.from("no such file")));
    }
    for (const { path, content } of items ?? []) {
      const leaf = leaves.get(path)?.content ?? Buffer.alloc(0);
      const blob = createHash("sha1").update(`blob ${leaf.length}\0`).update(leaf).digest("hex");
      expect([content.sha256, Buffer.from(content.blob ?? []).toString("hex"), content.size]).toEqual([
        sha256(leaf) as never,
        blob,
        leaf.length,
      ]);
    }
  },
);

for (const [compression, unpack, stretch] of [
  ["gzip", ["gzip", "-dc"], 1_048_576],
  ["zstd", ["zstd", "-dcq"], 4_194_304],
] as const) {
  test.skipIf(compression === "zstd" && !HAS_ZSTD)(
    `${compression}: pieces that others compress make the same archive, on one core and on all`,
    async () => {
      const root = manyPieces(newFolder(), stretch);
      const folder = newFolder();
      const [plain, packed] = [
        join(folder, "a.tar"),
        join(folder, compression === "gzip" ? "a.tar.gz" : "a.tar.zst"),
      ];
      const hashes = [await captured(root, plain, "none"), await captured(root, packed, compression)].map(
        (capture) => capture.archive?.tarSha256,
      );
      expect(hashes[1]).toBe(hashes[0]);
      const tar = readFileSync(plain);
      expect(succeed([...unpack, packed]).equals(tar)).toBe(true);
      // Each stretch on its own, whoever compressed it.
      const alone: Uint8Array[] = [];
      for (let at = 0; at < tar.length; at += stretch) {
        alone.push(compress(tar.subarray(at, at + stretch), compression));
      }
      expect(Buffer.concat(alone).equals(readFileSync(packed))).toBe(true);
      const again = join(folder, `again${packed.slice(packed.indexOf("."))}`);
      const { document } = await captureJson(root, ["--no-ignore", "--archive", again], {
        under: Bun.which("taskset") === null ? [] : ["taskset", "-c", "0"],
      });
      expect(document.digests["tar_sha256"]).toBe(hashes[0]);
      expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(root)));
      expect(readFileSync(again).equals(readFileSync(packed))).toBe(true);
    },
  );
}

for (const ending of ["tar", "tar.gz", "tar.zst"]) {
  test.skipIf(!CAN_MOUNT)(`a disk that is full in the middle of a .${ending} leaves nothing`, async () => {
    const root = manyPieces(newFolder());
    const place = newFolder();
    succeed(["mount", "-t", "tmpfs", "-o", "size=5m", "none", place]);
    try {
      const { exit, document } = await captureJson(root, [
        "--no-ignore",
        "--archive",
        join(place, `context.${ending}`),
      ]);
      expect([exit, document.error?.code]).toEqual([1, "output_not_written"]);
      expect(document.error?.message).toContain("no space left on the device");
      expect(readdirSync(place)).toEqual([]);
    } finally {
      succeed(["umount", place]);
    }
  });
}

test("a file that is gone when its turn comes is in no archive of the second try", async () => {
  const root = manyPieces(newFolder());
  const place = join(newFolder(), "context.tar");
  const request = {
    context: root,
    cwd: "/",
    dockerfile: undefined,
    ignoreFile: undefined,
    noIgnore: true,
    includeVcs: false,
  };
  let tries = 0;
  const capture = await captureContext(
    { ...request, archive: { path: place, compression: "none", mtime: 0 }, outputs: [], objectFormat: null },
    never,
    () => {
      tries++;
      rmSync(join(root, "z-last"), { force: true });
    },
  );
  // Gone at the first try; the second one does not list it.
  expect([tries, capture.problem]).toEqual([2, null]);
  const names = listNamesOf(place);
  expect([names.includes("g"), names.includes("z-last")]).toEqual([true, false]);
});

function listNamesOf(place: string): string[] {
  return succeed(["tar", "-tf", place]).toString().split("\n");
}

test("a stop in the middle of many pieces ends the threads and removes the file", async () => {
  const root = newFolder();
  writeFileSync(join(root, "large"), "");
  truncateSync(join(root, "large"), 200 * 2 ** 30);
  const folder = newFolder();
  const stop = new AbortController();
  // As soon as a thread has written a piece.
  const watcher = watch(folder, (_event, name) => {
    const size = name === null ? 0 : (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
    if (size > 0) stop.abort("SIGINT");
  });
  const archive = { path: join(folder, "context.tar.zst"), compression: "zstd", mtime: 0 } as const;
  const request = {
    context: root,
    cwd: "/",
    dockerfile: undefined,
    ignoreFile: undefined,
    noIgnore: true,
    includeVcs: false,
  };
  const capturing = captureContext({ ...request, archive, outputs: [], objectFormat: null }, stop.signal);
  expect(await capturing.catch((error: unknown) => error)).toMatchObject({ code: "interrupted" });
  watcher.close();
  expect(readdirSync(folder)).toEqual([]);
});

test("a thread that dies ends the archive with an accident and no wait", async () => {
  const path = join(newFolder(), "context.tar");
  const file = new PendingFile(path, 0o644);
  const ring = ArchiveRing.of(2, PIECE, false);
  const threads = new ArchiveThreads({
    ring,
    target: { path, compression: "none", mtime: 0 },
    file,
    // What it is told makes no sense, so it fails at the first file.
    digests: { format: "no such digest" as never, tar: true },
    turns: new Turns(never),
    onThrough: () => {},
  });
  const file0 = { number: 0, size: 1, executable: false };
  ring.segments(0).add({ at: 0, length: 1, first: true, last: true }, file0);
  ring.publish(0, PIECE);
  ring.publish(1, PIECE);
  expect(String(await threads.untilFree(2).catch((error: unknown) => error))).toContain("a thread failed");
  await threads.stop();
  file.discard();
  expect(existsSync(path)).toBe(false);
});

test("a descriptor that cannot be written is a reason, whoever writes", async () => {
  const path = join(newFolder(), "context.tar");
  const file = new PendingFile(path, 0o644);
  const readOnly = openSync("/dev/null", "r");
  const ring = ArchiveRing.of(2, PIECE, false);
  const threads = new ArchiveThreads({
    ring,
    target: { path, compression: "none", mtime: 0 },
    file: { descriptor: readOnly } as PendingFile,
    digests: { format: null, tar: true },
    turns: new Turns(never),
    onThrough: () => {},
  });
  ring.publish(0, PIECE);
  expect(await threads.finish(1).catch((error: unknown) => error)).toMatchObject({
    code: "output_not_written",
  });
  await threads.stop();
  closeSync(readOnly);
  file.discard();
});
