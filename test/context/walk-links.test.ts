import { expect, test } from "bun:test";
import { join } from "node:path";
import { plantFiles, plantTree } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, listMembers, succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();

const LINKS: readonly { name: string; target: string }[] = [
  { name: "dangling", target: "nowhere" },
  { name: "absolute", target: "/etc/passwd" },
  { name: "looping", target: "link" },
  { name: "to a folder", target: "folder" },
  { name: "to the context itself", target: "." },
  { name: "out of the context", target: "../outside" },
  { name: "out of the context to a folder", target: "../outside-folder" },
  { name: "of 150 bytes", target: `${"t".repeat(75)}/${"u".repeat(74)}` },
  { name: "not ASCII", target: "zi\u00e9l/\u{1f600}" },
];

for (const { name, target } of LINKS) {
  test.skipIf(!HAS_PYTHON)(`case 54: a link (${name}) is a link, and nothing behind it is read`, async () => {
    const base = newFolder();
    plantFiles(base, { outside: "secret", "outside-folder/secret": "secret" });
    const root = plantTree(join(base, "context"), [
      { path: "folder/file", text: "x" },
      { path: "link", target },
    ]);
    const archive = join(base, "context.tar");
    const { exit, document } = await captureJson(root, ["--archive", archive]);
    expect(exit).toBe(0);
    expect(document.context).toMatchObject({ files: 1, dirs: 1, symlinks: 1, bytes: 1, skipped: [] });
    expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(root)));
    const members = listMembers(archive);
    expect(members.map((member) => [member.name, member.type])).toEqual([
      ["folder", "dir"],
      ["folder/file", "file"],
      ["link", "link"],
    ]);
    const latin = Buffer.from(target).toString("latin1");
    expect(members[2]).toMatchObject({ target: latin, mode: 0o777, size: 0 });
  });
}

test("case 54: a context that is a link to itself is not found, and nothing breaks", async () => {
  const loop = join(newFolder(), "loop");
  succeed(["ln", "-s", "loop", loop]);
  const { exit, document } = await captureJson(loop);
  expect(exit).toBe(7);
  expect(document.error?.code).toBe("path_not_found");
});

test("a context that is a file is not found", async () => {
  const root = plantFiles(newFolder(), { file: "x" });
  const { exit, document } = await captureJson(join(root, "file"));
  expect(exit).toBe(7);
  expect(document.error).toMatchObject({ code: "path_not_found", hint: "name a folder" });
});

test.skipIf(!HAS_PYTHON)(
  "a Dockerfile that is a link stays that link, and its target is read for nothing else",
  async () => {
    const root = plantTree(newFolder(), [
      { path: "docker/real", text: "FROM scratch" },
      { path: "Dockerfile", target: "docker/real" },
    ]);
    const archive = `${root}.tar`;
    const { document } = await captureJson(root, ["--archive", archive]);
    expect(document.context.dockerfile).toBe("Dockerfile");
    expect(listMembers(archive).map((member) => `${member.type} ${member.name} ${member.target}`)).toEqual([
      "link Dockerfile docker/real",
      "dir docker ",
      "file docker/real ",
    ]);
  },
);
