import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../src/base/hashing.ts";
import { plantFiles } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson, waybill, warningCodes } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, listMembers } from "./support/tar-readers.ts";

const newFolder = scratchFolders();

type Case = {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly link: readonly [path: string, target: string];
  readonly dockerfile: string;
  /** The text of the archive's Dockerfile, and what else the archive holds. */
  readonly text: string;
  readonly others: readonly string[];
};

const CASES: readonly Case[] = [
  {
    name: "in the context, to a file of the context",
    files: { "context/docker/base": "base", "context/a": "a" },
    link: ["context/docker/prod", "base"],
    dockerfile: "context/docker/prod",
    text: "base",
    others: ["a", "docker", "docker/base", "docker/prod"],
  },
  {
    name: "outside of the context, to a file beside it",
    files: { "shared/base": "base", "context/a": "a" },
    link: ["shared/prod", "base"],
    dockerfile: "shared/prod",
    text: "base",
    others: ["a"],
  },
  {
    name: "outside of the context, to a file inside",
    files: { "context/real": "real", "context/a": "a" },
    link: ["prod", "context/real"],
    dockerfile: "prod",
    text: "real",
    others: ["a", "real"],
  },
  {
    name: "in the context, to a file that the ignore file names: that one stays, too",
    files: { "context/docker/base": "base", "context/docker/b": "b", "context/.dockerignore": "docker\n" },
    link: ["context/prod", "docker/base"],
    dockerfile: "context/prod",
    text: "base",
    others: [".dockerignore", "docker", "docker/base", "prod"],
  },
];

for (const { name, files, link, dockerfile, text, others } of CASES) {
  test.skipIf(!HAS_PYTHON)(`case 50: a Dockerfile that is a link ${name}, travels as that file`, async () => {
    const base = plantFiles(newFolder(), files);
    symlinkSync(link[1], join(base, link[0]));
    const args = ["--dockerfile", dockerfile, "--archive", "out.tar"];
    const { exit, document } = await captureJson("context", args, { cwd: base });
    expect([exit, document.warnings]).toEqual([0, []]);
    const [first, ...rest] = listMembers(join(base, "out.tar")).sort((a, b) =>
      a.name === "Dockerfile" ? -1 : b.name === "Dockerfile" ? 1 : a.name < b.name ? -1 : 1,
    );
    expect([first?.name, first?.type, first?.sha256]).toEqual(["Dockerfile", "file", sha256Of(text)]);
    expect(rest.map((member) => member.name)).toEqual([...others]);
    const leaves = leavesOf(join(base, "context")).filter((leaf) => others.includes(leaf.path.toString()));
    expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leaves));
  });
}

for (const dockerfile of ["context/prod", "outside"]) {
  test(`the link ${dockerfile} to a file elsewhere sends nothing of that file`, async () => {
    const home = plantFiles(newFolder(), { key: "secret" });
    const base = plantFiles(newFolder(), { "context/a": "a" });
    symlinkSync(join(home, "key"), join(base, dockerfile));
    const args = ["--dockerfile", dockerfile, "--archive", "out.tar"];
    const { exit, document } = await captureJson("context", args, { cwd: base });
    expect([exit, document.digests_detail.reasons["working_tree_hash"]]).toEqual([1, "unreadable"]);
    expect(document.warnings[0]?.message).toContain("leads out of the context");
    const plain = await captureJson("context", ["--dockerfile", dockerfile], { cwd: base });
    expect([plain.exit, plain.document.digests["working_tree_hash"]]).toEqual([0, null]);
  });
}

test("a Dockerfile at the root that leads out is a link to nothing for every builder, which is told", async () => {
  const base = plantFiles(newFolder(), { Dockerfile: "FROM scratch\n", "context/a": "a" });
  symlinkSync("../Dockerfile", join(base, "context/Dockerfile"));
  const { exit, document } = await captureJson(join(base, "context"));
  expect([exit, warningCodes(document)]).toEqual([0, ["dockerfile_leads_out"]]);
  expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(join(base, "context"))));
  expect((await captureJson(join(base, "context"), ["--strict"])).exit).toBe(5);
});

test("build files that are links in a circle are none, and entries like others", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  for (const name of ["Dockerfile", ".dockerignore"]) symlinkSync(name, join(root, name));
  const { exit, document } = await captureJson(root);
  expect([exit, document.context.dockerfile, document.context.ignore_file]).toEqual([0, null, null]);
  expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(root)));
  for (const path of ["Dockerfile/x", "x".repeat(300)]) {
    const ran = await waybill(["explain", path, "--context", root, "--json"]);
    expect([path, ran.exit, JSON.parse(ran.stdout).error.code]).toEqual([path, 7, "path_not_found"]);
  }
  expect((await waybill(["explain", "Dockerfile", "--context", root])).exit).toBe(0);
  expect((await waybill(["diff", "Dockerfile", "."], { cwd: root })).exit).toBe(7);
});

test("a Dockerfile whose name is not ASCII has its name in every document", async () => {
  const root = plantFiles(newFolder(), { Döckerfile: "FROM x\n", "Döckerfile.dockerignore": "b\n", b: "b" });
  const args = ["--dockerfile", join(root, "Döckerfile")];
  const { document } = await captureJson(root, args);
  const { dockerfile, ignore_file: ignoreFile } = document.context;
  expect([dockerfile, ignoreFile]).toEqual(["Döckerfile", "Döckerfile.dockerignore"]);
  const explained = await waybill(["explain", "b", "--context", root, ...args, "--json"]);
  expect(JSON.parse(explained.stdout).ignore_file).toBe("Döckerfile.dockerignore");
  const capture = join(newFolder(), "capture.json");
  await waybill(["capture", root, ...args, "--json", "--out", capture]);
  expect((await waybill(["verify", "source", root, "--capture", capture])).exit).toBe(0);
});
