import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "./support/disk-tree.ts";
import { captureJson, waybill, warningCodes } from "./support/run-capture.ts";
import { CAN_MOUNT, scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, listNames, succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();
const FILES = { Dockerfile: "FROM scratch", "app/a": "a" };

test("an archive inside the context is no part of it: the second run is the first one again", async () => {
  const root = plantFiles(newFolder(), FILES);
  const outside = await captureJson(root);
  const args = ["--archive", "context.tar.gz"];
  const first = await captureJson(".", args, { cwd: root });
  const bytes = readFileSync(join(root, "context.tar.gz"));
  const second = await captureJson(".", args, { cwd: root });
  expect([first.exit, second.exit]).toEqual([0, 0]);
  expect(second.document).toEqual(first.document);
  expect(readFileSync(join(root, "context.tar.gz")).equals(bytes)).toBe(true);
  expect(first.document.digests["working_tree_hash"]).toBe(
    outside.document.digests["working_tree_hash"] ?? "",
  );
  expect(warningCodes(first.document)).toEqual(["own_output_skipped"]);
  expect(first.document.warnings[0]?.message).toContain("context.tar.gz");
  expect(first.document.context.own_outputs).toEqual(["context.tar.gz"]);
});

test.skipIf(!HAS_PYTHON)(
  "an archive deep inside the context, named through a link, is no part of it",
  async () => {
    const root = plantFiles(newFolder(), FILES);
    const link = join(newFolder(), "link");
    succeed(["ln", "-s", join(root, "app"), link]);
    for (const _run of [1, 2]) await captureJson(root, ["--archive", join(link, "context.tar")]);
    expect(listNames(join(root, "app/context.tar"))).toEqual(["Dockerfile", "app/", "app/a"]);
  },
);

test("an archive that goes to a folder of a large context is not met by its own listing", async () => {
  const many = Array.from({ length: 1500 }, (_, index) => [`a/${index}`, `${index}`]);
  const root = plantFiles(newFolder(), { ...Object.fromEntries(many), "z/last": "last" });
  const digests = async (archive: string): Promise<unknown> =>
    (await captureJson(root, ["--archive", archive])).document.digests;
  // Files are packed while the walk goes on, and the folder of the archive comes last.
  const elsewhere = await digests(join(newFolder(), "context.tar"));
  expect(await digests(join(root, "z/context.tar"))).toEqual(elsewhere);
});

test.skipIf(!CAN_MOUNT)(
  "an archive that goes into the context by a mount, which no path tells, is none of its files",
  async () => {
    const many = Array.from({ length: 1500 }, (_, index) => [`a/${index}`, `${index}`]);
    const root = plantFiles(newFolder(), { ...Object.fromEntries(many), "z/last": "last" });
    const place = newFolder();
    const mounted = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"'];
    const { exit, document } = await captureJson(root, ["--archive", join(place, "context.tar")], {
      under: [...mounted, join(root, "z"), place],
    });
    expect([exit, warningCodes(document)]).toEqual([1, ["unstable"]]);
    expect(document.digests["working_tree_hash"]).toBeNull();
    expect(document.warnings[0]?.message).toMatch(
      /^"z\/\.context\.tar\.[0-9a-f]{12}\.tmp" changed during the capture: it is the archive that is being written$/u,
    );
    expect(readdirSync(join(root, "z"))).toEqual(["last"]);
  },
);

test("the context itself is no output, and none that is inside it", async () => {
  const root = plantFiles(newFolder(), FILES);
  const { exit, stdout, stderr } = await waybill(["capture", root, "--out", root]);
  expect([exit, stdout]).toEqual([1, ""]);
  expect(stderr).not.toContain("is written by this run");
  expect(stderr).toContain("it exists and is not a regular file");
});

test("the file of --out inside the context is no part of it", async () => {
  const root = plantFiles(newFolder(), { ...FILES, "result.json": "old" });
  const first = await captureJson(".", ["--out", "result.json"], { cwd: root });
  const second = await captureJson(".", ["--out", "result.json"], { cwd: root });
  expect(second.document).toEqual(first.document);
  expect(warningCodes(second.document)).toEqual(["own_output_skipped"]);
  expect(JSON.parse(readFileSync(join(root, "result.json"), "utf8"))).toEqual(second.document);
  const without = plantFiles(newFolder(), FILES);
  const wanted = (await captureJson(without)).document.digests["working_tree_hash"] ?? "";
  expect(second.document.digests["working_tree_hash"]).toBe(wanted);
});

test("an output that the ignore file names needs no warning", async () => {
  const root = plantFiles(newFolder(), { ...FILES, ".dockerignore": "*.tar\n" });
  for (const _run of [1, 2]) {
    const { exit, document } = await captureJson(root, ["--strict", "--archive", join(root, "context.tar")]);
    expect([exit, document.warnings]).toEqual([0, []]);
  }
});

test("an archive for this run only is no part of the context that holds TMPDIR", async () => {
  const root = plantFiles(newFolder(), { ...FILES, "tmp/a": "a" });
  const digest = ["--digest", "tar_sha256"];
  const plain = await captureJson(root, digest);
  const inside = await captureJson(root, digest, { env: { TMPDIR: join(root, "tmp") } });
  expect(inside.document.digests).toEqual(plain.document.digests);
  const missing = await captureJson(root, digest, { env: { TMPDIR: join(root, "missing") } });
  expect([missing.exit, missing.document.error?.code]).toEqual([1, "output_not_written"]);
});

test("a file of the same name elsewhere in the context stays", async () => {
  const root = plantFiles(newFolder(), { ...FILES, "app/context.tar": "mine" });
  const { document } = await captureJson(root, ["--archive", join(root, "context.tar")]);
  expect(document.context.files).toBe(3);
});

const REFUSED: readonly { name: string; args: readonly string[] }[] = [
  { name: "--out over the Dockerfile", args: ["--out", "Dockerfile"] },
  { name: "--out over the ignore file", args: ["--out", ".dockerignore"] },
  { name: "--archive over a Dockerfile", args: ["--dockerfile", "odd.tar", "--archive", "odd.tar"] },
  { name: "--out and --archive on one file", args: ["--out", "x.tar", "--archive", "./x.tar"] },
];

for (const { name, args } of REFUSED) {
  test(`${name} is a usage error, and nothing is written`, async () => {
    const files = { ...FILES, ".dockerignore": "nothing\n", "odd.tar": "FROM scratch" };
    const root = plantFiles(newFolder(), files);
    const { exit, document } = await captureJson(".", args, { cwd: root });
    expect([exit, document.error?.code]).toEqual([2, "flags_contradict"]);
    for (const [path, text] of Object.entries(files))
      expect(readFileSync(join(root, path), "utf8")).toBe(text);
    expect(existsSync(join(root, "x.tar"))).toBe(false);
  });
}

test("--out takes the result off standard output, in the form that was asked for", async () => {
  const root = plantFiles(newFolder(), FILES);
  const out = join(newFolder(), "result");
  const env = await waybill(["capture", root, "--format", "env", "--out", out]);
  expect([env.exit, env.stdout]).toEqual([0, ""]);
  expect(readFileSync(out, "utf8")).toMatch(/^WORKING_TREE_HASH='[0-9a-f]{64}'\n$/u);
});
