import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson, warningCodes } from "./support/run-capture.ts";
import { IS_ROOT, scratchFolders } from "./support/scratch.ts";
import { succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();
const KERNEL = "/proc/sys/kernel/random";

test.skipIf(!existsSync(KERNEL))(
  "case 61: files whose size is not what they hold are no context",
  async () => {
    const archive = join(newFolder(), "context.tar");
    for (const args of [[], ["--archive", archive]]) {
      const { document } = await captureJson(KERNEL, args);
      expect(document.fields["working_tree_hash"]).toMatchObject({ value: null, source: "none" });
      expect(["unstable", "unreadable"]).toContain(document.fields["working_tree_hash"]?.reason ?? "");
      expect(existsSync(archive)).toBe(false);
    }
  },
);

/** An overlay of two layers at `merged`, in a mount namespace that ends with the command. */
function overlay(base: string): string[] {
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(base, name), { recursive: true });
  const options = `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work`;
  const script = `mount -t overlay overlay -o '${options}' '${base}/merged' && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", script, "sh"];
}

function canOverlay(): boolean {
  if (!IS_ROOT || Bun.which("unshare") === null) return false;
  const base = newFolder();
  // An overlay on top of an overlay, as in most containers, needs a file system of its own below it.
  return Bun.spawnSync([...overlay(base), "true"], { stderr: "ignore" }).exitCode === 0;
}

test.skipIf(!canOverlay())("case 68: on an overlay the hash is that of the files that one sees", async () => {
  const base = newFolder();
  const under = overlay(base);
  plantFiles(join(base, "lower"), { a: "lower", b: "b", "folder/c": "c" });
  plantFiles(join(base, "upper"), { a: "upper", "folder/d": "d" });
  const seen = plantFiles(newFolder(), { a: "upper", b: "b", "folder/c": "c", "folder/d": "d" });
  const { exit, document } = await captureJson(join(base, "merged"), [], { under });
  expect(exit).toBe(0);
  expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(seen)));
});

test("case 68: what an NFS client leaves of an open file is a file like others, and can be ignored", async () => {
  const root = plantFiles(newFolder(), { a: "a", ".nfs000000000012": "gone for its owner" });
  const { document } = await captureJson(root, ["--strict"]);
  expect([document.context.files, document.warnings]).toEqual([2, []]);
  plantFiles(root, { ".dockerignore": "**/.nfs*\n" });
  const { document: without } = await captureJson(root);
  expect([without.context.files, warningCodes(without)]).toEqual([2, []]);
  succeed(["rm", join(root, ".nfs000000000012")]);
  expect((await captureJson(root)).document.digests["working_tree_hash"]).toBe(
    without.digests["working_tree_hash"] ?? "",
  );
});
