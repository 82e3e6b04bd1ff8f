import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "./support/disk-tree.ts";
import { BOUND_BY_MODES, CAN_BE_BOUND, captureJson, waybill, warningCodes } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();
const bound = { under: BOUND_BY_MODES };

function withSecret(extra: Readonly<Record<string, string>> = {}): string {
  return plantFiles(newFolder(), { open: "x", "app/secret/key": "k", "app/code": "c", ...extra });
}

const UNREADABLE: readonly { name: string; path: string; mode: number }[] = [
  { name: "file", path: "app/secret/key", mode: 0 },
  { name: "folder", path: "app/secret", mode: 0 },
  { name: "folder that can be listed and not entered", path: "app/secret", mode: 0o444 },
];

for (const { name, path, mode } of UNREADABLE) {
  test.skipIf(!CAN_BE_BOUND)(
    `case 60: an unreadable ${name} leaves no hash, and the path is named`,
    async () => {
      const root = withSecret();
      chmodSync(join(root, path), mode);
      const { exit, document, stderr } = await captureJson(root, [], bound);
      expect(exit).toBe(0);
      expect(document.fields["working_tree_hash"]).toEqual({
        value: null,
        source: "none",
        reason: "unreadable",
      });
      expect(document.source_fields["working_tree_hash"]).toBeUndefined();
      expect(document.digests).toMatchObject({ working_tree_hash: null, dir_hash: null, git_tree: null });
      expect(document.context.bytes).toBeNull();
      const [warning] = document.warnings;
      expect(warning?.code).toBe("unreadable");
      expect(warning?.message).toContain("app/secret");
      expect(warning?.message).toContain("permission denied");
      expect(stderr).toContain("app/secret");
    },
  );

  test.skipIf(!CAN_BE_BOUND)(
    `an unreadable ${name} is a refusal under --strict and when an archive is wanted`,
    async () => {
      const root = withSecret();
      chmodSync(join(root, path), mode);
      const strict = await captureJson(root, ["--strict"], bound);
      expect([strict.exit, strict.document.error?.code]).toEqual([7, "requirement_unknown"]);
      expect(strict.document.error?.message).toContain("app/secret");
      const archive = `${root}.tar`;
      const archived = await captureJson(root, ["--archive", archive], bound);
      expect([archived.exit, archived.document.error?.code]).toEqual([1, "output_not_written"]);
      expect(archived.document.error?.message).toContain("app/secret");
      expect(await Bun.file(archive).exists()).toBe(false);
    },
  );

  test.skipIf(!CAN_BE_BOUND)(`case 60: an unreadable ${name} that is ignored does not matter`, async () => {
    const plain = withSecret({ ".dockerignore": "app/secret\n" });
    const root = withSecret({ ".dockerignore": "app/secret\n" });
    chmodSync(join(root, path), mode);
    const { exit, document } = await captureJson(root, ["--strict"], bound);
    expect(exit).toBe(0);
    const hash = (await captureJson(plain)).document.digests["working_tree_hash"] ?? "";
    expect(document.digests["working_tree_hash"]).toBe(hash);
  });
}

test.skipIf(!CAN_BE_BOUND)(
  "an ignored folder that cannot be read is skipped even where an exception may lie in it",
  async () => {
    const root = withSecret({ ".dockerignore": "app/secret\n!app/secret/key\n" });
    chmodSync(join(root, "app/secret"), 0);
    const { exit, document } = await captureJson(root, ["--strict"], bound);
    expect([exit, document.warnings]).toEqual([0, []]);
    expect(document.context.files).toBe(3);
  },
);

test.skipIf(!CAN_BE_BOUND)("a context that cannot be listed leaves no hash", async () => {
  const root = withSecret();
  chmodSync(root, 0o311);
  const { exit, document } = await captureJson(root, [], bound);
  expect(exit).toBe(0);
  expect(document.fields["working_tree_hash"]?.reason).toBe("unreadable");
});

test.skipIf(!CAN_BE_BOUND)("a context that can be listed and not entered leaves no hash", async () => {
  for (const mode of [0o644, 0]) {
    const root = withSecret({ Dockerfile: "FROM scratch", ".dockerignore": "a\n" });
    chmodSync(root, mode);
    const { exit, document } = await captureJson(root, [], bound);
    expect([mode, exit, document.fields["working_tree_hash"]?.reason]).toEqual([mode, 0, "unreadable"]);
    chmodSync(root, 0o755);
  }
});

test.skipIf(!CAN_BE_BOUND)("a context that cannot be entered ends with a reason and no trace", async () => {
  const outer = newFolder();
  const root = plantFiles(join(outer, "closed/context"), { a: "x" });
  chmodSync(join(outer, "closed"), 0);
  const { exit, document } = await captureJson(root, [], bound);
  expect(exit).toBe(7);
  expect(document.error?.code).toBe("path_not_found");
  expect(document.error?.message).toContain("permission denied");
});

test.skipIf(!CAN_BE_BOUND)(
  "an ignore file that cannot be read leaves no hash: what it leaves out is unknown",
  async () => {
    const root = withSecret({ ".dockerignore": "app\n" });
    chmodSync(join(root, ".dockerignore"), 0);
    const { exit, document } = await captureJson(root, [], bound);
    expect(exit).toBe(0);
    expect(document.fields["working_tree_hash"]).toMatchObject({ value: null, reason: "unreadable" });
    expect(document.warnings[0]?.message).toContain(".dockerignore");
  },
);

test.skipIf(!CAN_BE_BOUND)("a Dockerfile that cannot be read leaves no hash", async () => {
  const root = withSecret({ Dockerfile: "FROM scratch" });
  chmodSync(join(root, "Dockerfile"), 0);
  const { document } = await captureJson(root, [], bound);
  expect(document.fields["working_tree_hash"]).toMatchObject({ value: null, reason: "unreadable" });
});

test.skipIf(!CAN_BE_BOUND)(
  "a Dockerfile that cannot be read is named by its place, with an archive too",
  async () => {
    const root = withSecret();
    chmodSync(join(root, "app/secret/key"), 0);
    for (const archive of [[], ["--archive", join(newFolder(), "context.tar")]]) {
      const { document } = await captureJson(
        root,
        ["--dockerfile", join(root, "app/secret/key"), ...archive],
        bound,
      );
      expect(document.warnings[0]?.message).toEndWith('app/secret/key" cannot be read: permission denied');
    }
  },
);

test.skipIf(!CAN_BE_BOUND)("a context of which nothing can be read is not an empty one", async () => {
  const root = plantFiles(newFolder(), { "closed/a": "a" });
  chmodSync(join(root, "closed"), 0);
  expect(warningCodes((await captureJson(root, [], bound)).document)).toEqual(["unreadable"]);
});

test("a folder of --repo that does not exist is told as that", async () => {
  const root = withSecret();
  for (const command of [
    ["capture", root],
    ["diff", root, root],
  ]) {
    const ran = await waybill([...command, "--repo", join(newFolder(), "nothing")]);
    expect([ran.exit, ran.stderr]).toEqual([
      7,
      expect.stringMatching(/^error: the repository ".*" cannot be read: /u),
    ]);
  }
});

test("a context that does not exist is exit 7 with a document", async () => {
  const ran = await waybill(["capture", join(newFolder(), "nothing"), "--json"]);
  expect(ran.exit).toBe(7);
  expect(JSON.parse(ran.stdout)).toMatchObject({
    schema: "waybill.capture/v1",
    ok: false,
    exit_code: 7,
    error: { code: "path_not_found" },
  });
});
