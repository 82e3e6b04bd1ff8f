import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../src/base/hashing.ts";
import { plantTree, snapshot, type Planted } from "./support/disk-tree.ts";
import { captureJson, type Surroundings } from "./support/run-capture.ts";
import { CAN_MOUNT, IS_ROOT, scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, HAS_ZSTD, listMembers, READERS, succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();

const TREE: readonly Planted[] = [
  { path: "Dockerfile", text: "FROM scratch\n" },
  { path: "app/run", text: "#!/bin/sh\n", mode: 0o755 },
  { path: "app/data", text: "d".repeat(1500) },
  { path: "app/exact-block", text: "b".repeat(1024) },
  { path: "empty", text: "" },
  { path: "link", target: "app/run" },
  { path: `long/${"n".repeat(120)}`, text: "x" },
  { path: "\u00e9\u{1f600}", text: "x" },
];

async function archiveOf(
  root: string,
  name = "context.tar",
  surroundings: Surroundings = {},
): Promise<Buffer> {
  const archive = join(newFolder(), name);
  const { exit } = await captureJson(root, ["--archive", archive], surroundings);
  expect(exit).toBe(0);
  return readFileSync(archive);
}

for (const reader of READERS) {
  test.skipIf(!reader.present || !HAS_PYTHON)(
    `case 66: ${reader.name} extracts the archive to the same tree, empty folders too`,
    async () => {
      const root = plantTree(newFolder(), TREE);
      mkdirSync(join(root, "empty-folder/deep"), { recursive: true });
      writeFileSync(join(root, "hole"), "");
      truncateSync(join(root, "hole"), 1_000_000);
      const archive = join(newFolder(), "context.tar");
      await captureJson(root, ["--archive", archive]);
      const into = newFolder();
      reader.extract(archive, into);
      expect(snapshot(into)).toEqual(snapshot(root));
    },
  );
}

test.skipIf(!HAS_PYTHON)("members carry nothing of the machine and stand in byte order", async () => {
  const root = plantTree(newFolder(), TREE);
  if (IS_ROOT) chownSync(join(root, "app/run"), 65_534, 65_534);
  const archive = join(newFolder(), "context.tar");
  await captureJson(root, ["--archive", archive]);
  const members = listMembers(archive);
  for (const { uid, gid, owner, mtime } of members) expect([uid, gid, owner, mtime]).toEqual([0, 0, "", 0]);
  const keys = members.map((member) => (member.type === "dir" ? `${member.name}/` : member.name));
  expect(keys).toEqual(
    keys.toSorted((a, b) => Buffer.compare(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"))),
  );
  expect(members.find((member) => member.name === "app/run")?.mode).toBe(0o755);
  expect(members.find((member) => member.name === "app/data")?.mode).toBe(0o644);
});

test("SOURCE_DATE_EPOCH is the time of every member, and what is no time is a usage error", async () => {
  const root = plantTree(newFolder(), TREE);
  const archive = join(newFolder(), "context.tar");
  await captureJson(root, ["--archive", archive], { env: { SOURCE_DATE_EPOCH: "1700000000" } });
  if (HAS_PYTHON)
    expect(new Set(listMembers(archive).map((member) => member.mtime))).toEqual(new Set([1700000000]));
  for (const wrong of ["", "-1", "1.5", "tomorrow", "9999999999", "0x10"]) {
    const refused = await captureJson(root, ["--archive", archive], { env: { SOURCE_DATE_EPOCH: wrong } });
    expect([wrong, refused.exit, refused.document.error?.code]).toEqual([wrong, 2, "invalid_value"]);
  }
});

const VARIATIONS: readonly {
  name: string;
  skip?: boolean;
  surroundings?: Surroundings;
  change?: (root: string) => void;
}[] = [
  { name: "again" },
  { name: "under umask 077", surroundings: { umask: "077" } },
  { name: "under umask 000", surroundings: { umask: "000" } },
  { name: "in another time zone", surroundings: { env: { TZ: "Pacific/Chatham" } } },
  { name: "in another locale", surroundings: { env: { LC_ALL: "C.UTF-8", LANG: "de_DE.UTF-8" } } },
  {
    name: "with other times",
    change: (root) => {
      for (const path of ["Dockerfile", "app", "app/run"])
        utimesSync(join(root, path), 1_000_000_000, 1_000_000_000);
    },
  },
  {
    name: "with other owners",
    skip: !IS_ROOT,
    change: (root) => {
      for (const path of ["Dockerfile", "app", "app/run"]) chownSync(join(root, path), 65_534, 65_534);
    },
  },
  {
    name: "with bits that git does not keep",
    change: (root) => {
      chmodSync(join(root, "Dockerfile"), 0o600);
      chmodSync(join(root, "app"), 0o777);
      chmodSync(join(root, "app/run"), 0o4750);
    },
  },
];

for (const { name, skip = false, surroundings, change } of VARIATIONS) {
  test.skipIf(skip)(`case 64: the archive is the same to the byte ${name}`, async () => {
    const [first, second] = [plantTree(newFolder(), TREE), plantTree(newFolder(), TREE)];
    change?.(second);
    for (const kind of ["context.tar", "context.tar.gz", "context.tar.zst"]) {
      const wanted = await archiveOf(first, kind);
      expect((await archiveOf(second, kind, surroundings)).equals(wanted)).toBe(true);
    }
  });
}

test("case 64: the archive is the same to the byte whatever the order in which the files were made", async () => {
  const many = Array.from({ length: 300 }, (_, index): Planted => ({
    path: `f/${(index * 7919) % 1000}`,
    text: "x",
  }));
  const first = plantTree(newFolder(), [...TREE, ...many]);
  const second = plantTree(newFolder(), [...TREE, ...many].toReversed());
  expect((await archiveOf(second)).equals(await archiveOf(first))).toBe(true);
});

test.skipIf(!CAN_MOUNT)("case 64: the archive is the same to the byte on another file system", async () => {
  const place = newFolder();
  succeed(["mount", "-t", "tmpfs", "none", place]);
  try {
    const root = plantTree(join(place, "context"), TREE);
    expect((await archiveOf(root)).equals(await archiveOf(plantTree(newFolder(), TREE)))).toBe(true);
  } finally {
    succeed(["umount", place]);
  }
});

test.skipIf(!IS_ROOT || !reachableByOthers())(
  "case 64: the archive is the same to the byte when another user makes it",
  async () => {
    const root = plantTree(newFolder(), TREE);
    const place = newFolder();
    chmodSync(place, 0o777);
    const under = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const archive = join(place, "context.tar");
    expect((await captureJson(root, ["--archive", archive], { under })).exit).toBe(0);
    expect(readFileSync(archive).equals(await archiveOf(root))).toBe(true);
  },
);

/** The user `nobody` can start Bun and read the sources. */
function reachableByOthers(): boolean {
  const probe = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    process.execPath,
    import.meta.path,
  ];
  return (
    Bun.which("setpriv") !== null &&
    Bun.spawnSync([...probe.slice(0, 4), "test", "-r", import.meta.path, "-a", "-x", process.execPath])
      .exitCode === 0
  );
}

const COMPRESSED: readonly { name: string; unpack: string[] | null }[] = [
  { name: "context.tar", unpack: ["cat"] },
  { name: "context.tar.gz", unpack: Bun.which("gzip") === null ? null : ["gzip", "-dc"] },
  { name: "context.tgz", unpack: Bun.which("gzip") === null ? null : ["gzip", "-dc"] },
  { name: "context.tar.zst", unpack: HAS_ZSTD ? ["zstd", "-dcq"] : null },
];

for (const { name, unpack } of COMPRESSED) {
  test.skipIf(unpack === null)(`${name} unpacks to the tar whose sha256 is tar_sha256`, async () => {
    const root = plantTree(newFolder(), [
      ...TREE,
      // More than two of the pieces that are compressed on their own.
      { path: "big", text: Buffer.alloc(9_000_000, "pattern of bytes\n") },
    ]);
    const plain = await archiveOf(root);
    const archive = join(newFolder(), name);
    const { document } = await captureJson(root, ["--archive", archive]);
    const unpacked = succeed([...(unpack ?? []), archive]);
    expect(unpacked.equals(plain)).toBe(true);
    expect(document.digests["tar_sha256"]).toBe(sha256Of(unpacked));
    expect(plain.length % 10_240).toBe(0);
  });
}

test("the gzip header has no time, no name and no operating system", async () => {
  const archive = await archiveOf(plantTree(newFolder(), TREE), "context.tar.gz");
  expect([...archive.subarray(0, 4)]).toEqual([0x1f, 0x8b, 8, 0]);
  expect([...archive.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
  expect(archive[9]).toBe(255);
});

test("a name that is no archive's is a usage error, and nothing is written", async () => {
  const [root, cwd] = [plantTree(newFolder(), TREE), newFolder()];
  for (const name of ["context.zip", "context", "tar", "context.tar.xz", ""]) {
    const { exit, document } = await captureJson(root, ["--archive", name], { cwd });
    expect([name, exit, document.error?.code]).toEqual([
      name,
      2,
      name === "" ? "flag_without_value" : "invalid_value",
    ]);
  }
  expect(readdirSync(cwd)).toEqual([]);
});

test("the tar of an empty context is two zero blocks in one record", async () => {
  expect((await archiveOf(newFolder())).equals(Buffer.alloc(10_240))).toBe(true);
});
