import { expect, test } from "bun:test";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { plantFiles, plantTree } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson, warningCodes } from "./support/run-capture.ts";
import { IS_ROOT, scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, listMembers, listNames, succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();
const CAN_MAKE_DEVICES = IS_ROOT && canMakeDevice();

function canMakeDevice(): boolean {
  const place = `/tmp/waybill-device-${process.pid}`;
  const made = Bun.spawnSync(["mknod", place, "c", "1", "3"], { stderr: "ignore" }).exitCode === 0;
  Bun.spawnSync(["rm", "-f", place]);
  return made;
}

test("case 59: a FIFO is skipped with a warning and never opened: opening it would block for ever", async () => {
  const root = plantFiles(newFolder(), { file: "x" });
  const plain = (await captureJson(root)).document;
  succeed(["mkfifo", join(root, "pipe")]);
  const { exit, document } = await captureJson(root, ["--archive", `${root}.tar`]);
  expect(exit).toBe(0);
  expect(document.context.skipped).toEqual([{ path: "pipe", kind: "fifo" }]);
  expect(warningCodes(document)).toEqual(["special_file_skipped"]);
  expect(document.digests["working_tree_hash"]).toBe(plain.digests["working_tree_hash"] ?? "");
  if (HAS_PYTHON) expect(listNames(`${root}.tar`)).toEqual(["file"]);
  expect((await captureJson(root, ["--strict"])).exit).toBe(5);
});

test("case 59: a socket is skipped with a warning", async () => {
  const root = plantFiles(newFolder(), { file: "x" });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(root, "socket"), resolve));
  try {
    const { exit, document } = await captureJson(root);
    expect(exit).toBe(0);
    expect(document.context.skipped).toEqual([{ path: "socket", kind: "socket" }]);
    expect(warningCodes(document)).toEqual(["special_file_skipped"]);
    expect(document.digests["working_tree_hash"]).toMatch(/^[0-9a-f]{64}$/u);
  } finally {
    server.close();
  }
});

test.skipIf(!CAN_MAKE_DEVICES)("case 59: a device is skipped with a warning", async () => {
  const root = plantFiles(newFolder(), { file: "x" });
  // The tape drive of nobody: reading it would be an error, reading /dev/zero would never end.
  succeed(["mknod", join(root, "device"), "c", "1", "5"]);
  const { exit, document } = await captureJson(root);
  expect(exit).toBe(0);
  expect(document.context.skipped).toEqual([{ path: "device", kind: "device" }]);
  expect(warningCodes(document)).toEqual(["special_file_skipped"]);
});

test("an ignored special file is nobody's business", async () => {
  const root = plantFiles(newFolder(), { file: "x", ".dockerignore": "pipe\n" });
  succeed(["mkfifo", join(root, "pipe")]);
  const { document } = await captureJson(root, ["--strict"]);
  expect([document.exit_code, document.context.skipped, document.warnings]).toEqual([0, [], []]);
});

test.skipIf(!HAS_PYTHON)("a special file among names that are not ASCII is seen as what it is", async () => {
  const root = plantFiles(newFolder(), { "\u00e9": "x" });
  succeed(["mkfifo", join(root, "\u00fc")]);
  const { document } = await captureJson(root, ["--archive", `${root}.tar`]);
  expect(document.context.skipped).toEqual([{ path: "\u00fc", kind: "fifo" }]);
  expect(listMembers(`${root}.tar`).length).toBe(1);
});

test.skipIf(!HAS_PYTHON)("case 55: hard links are two files, with the same bytes", async () => {
  const root = plantFiles(newFolder(), { a: "same" });
  succeed(["ln", join(root, "a"), join(root, "b")]);
  const { document } = await captureJson(root, ["--archive", `${root}.tar`]);
  expect(document.context).toMatchObject({ files: 2, bytes: 8 });
  const members = listMembers(`${root}.tar`);
  expect(members.map((member) => [member.name, member.type, member.size])).toEqual([
    ["a", "file", 4],
    ["b", "file", 4],
  ]);
  expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(root)));
});

test.skipIf(!HAS_PYTHON)("case 55: a file with a hole has all its logical bytes", async () => {
  const root = newFolder();
  writeFileSync(join(root, "hole"), "begin");
  truncateSync(join(root, "hole"), 3_000_001);
  const { document } = await captureJson(root, ["--archive", `${root}.tar`]);
  expect(document.context.bytes).toBe(3_000_001);
  expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(root)));
  const whole = new Bun.CryptoHasher("sha256")
    .update(await Bun.file(join(root, "hole")).bytes())
    .digest("hex");
  expect(listMembers(`${root}.tar`)).toMatchObject([{ name: "hole", size: 3_000_001, sha256: whole }]);
});

test.skipIf(!HAS_PYTHON)(
  "case 65: modes are 0644 and 0755 in the archive and in the hash, whatever they are on disk",
  async () => {
    const modes = [0o600, 0o640, 0o666, 0o700, 0o777, 0o4755, 0o2755, 0o1644, 0o4644];
    const root = plantTree(
      newFolder(),
      modes.map((mode) => ({ path: mode.toString(8), text: "x", mode })),
    );
    mkdirSync(join(root, "folder"), { mode: 0o700 });
    const { document } = await captureJson(root, ["--archive", `${root}.tar`]);
    expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(root)));
    const members = listMembers(`${root}.tar`);
    expect(members.length).toBe(modes.length + 1);
    for (const member of members) {
      const executable = member.type === "dir" || (Number.parseInt(member.name, 8) & 0o100) !== 0;
      expect([member.name, member.mode]).toEqual([member.name, executable ? 0o755 : 0o644]);
    }
  },
);
