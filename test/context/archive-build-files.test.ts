import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../src/base/hashing.ts";
import { plantFiles } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson, warningCodes } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, listMembers } from "./support/tar-readers.ts";

const newFolder = scratchFolders();

type Case = {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** The files of the archive with their texts, in order. */
  readonly archived: readonly (readonly [string, string])[];
  /** The files that the hash covers. */
  readonly hashed: readonly string[];
  readonly chosen: readonly [string | null, string | null];
  readonly warnings?: readonly string[];
};

// `context` lies in the folder where the command runs, beside what the cases call outside.
const CASES: readonly Case[] = [
  {
    name: "case 50: a Dockerfile in a folder travels as Dockerfile as well",
    files: { "context/docker/Prod": "prod", "context/a": "a" },
    args: ["--dockerfile", "context/docker/Prod"],
    archived: [
      ["Dockerfile", "prod"],
      ["a", "a"],
      ["docker/Prod", "prod"],
    ],
    hashed: ["a", "docker/Prod"],
    chosen: ["docker/Prod", null],
  },
  {
    name: "case 50: a Dockerfile outside travels as Dockerfile and is not hashed",
    files: { "outside/Dockerfile": "outside", "context/a": "a" },
    args: ["--dockerfile", "outside/Dockerfile"],
    archived: [
      ["Dockerfile", "outside"],
      ["a", "a"],
    ],
    hashed: ["a"],
    chosen: ["OUTSIDE/outside/Dockerfile", null],
  },
  {
    name: "case 50: the chosen Dockerfile displaces the context's own, which stays in the hash",
    files: { "context/Dockerfile": "own", "context/docker/Prod": "prod" },
    args: ["--dockerfile", "context/docker/Prod"],
    archived: [
      ["Dockerfile", "prod"],
      ["docker/Prod", "prod"],
    ],
    hashed: ["Dockerfile", "docker/Prod"],
    chosen: ["docker/Prod", null],
    warnings: ["displaced_in_archive"],
  },
  {
    name: "case 48: a Dockerfile and an ignore file that the ignore file names are there, each once",
    files: {
      "context/.dockerignore": "Dockerfile\n.dockerignore\nb\n",
      "context/Dockerfile": "own",
      "context/a": "a",
      "context/b": "b",
    },
    args: [],
    archived: [
      [".dockerignore", "Dockerfile\n.dockerignore\nb\n"],
      ["Dockerfile", "own"],
      ["a", "a"],
    ],
    hashed: [".dockerignore", "Dockerfile", "a"],
    chosen: ["Dockerfile", ".dockerignore"],
  },
  {
    name: "case 49: the Dockerfile's own ignore file wins and is shipped as .dockerignore, for builders that know only that",
    files: {
      "context/docker/Prod": "prod",
      "context/docker/Prod.dockerignore": "b\n",
      "context/.dockerignore": "a\n",
      "context/a": "a",
      "context/b": "b",
    },
    args: ["--dockerfile", "context/docker/Prod"],
    archived: [
      [".dockerignore", "b\n"],
      ["Dockerfile", "prod"],
      ["a", "a"],
      ["docker/Prod", "prod"],
      ["docker/Prod.dockerignore", "b\n"],
    ],
    hashed: [".dockerignore", "a", "docker/Prod", "docker/Prod.dockerignore"],
    chosen: ["docker/Prod", "docker/Prod.dockerignore"],
    warnings: ["displaced_in_archive"],
  },
  {
    name: "case 49: an empty ignore file beside the Dockerfile ignores nothing and still wins",
    files: {
      "context/Dockerfile": "own",
      "context/Dockerfile.dockerignore": "",
      "context/.dockerignore": "*\n",
      "context/a": "a",
    },
    args: [],
    archived: [
      [".dockerignore", ""],
      ["Dockerfile", "own"],
      ["Dockerfile.dockerignore", ""],
      ["a", "a"],
    ],
    hashed: [".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "a"],
    chosen: ["Dockerfile", "Dockerfile.dockerignore"],
    warnings: ["displaced_in_archive"],
  },
  {
    name: "a named ignore file outside wins over all and is shipped as .dockerignore",
    files: { "ci.ignore": "b\n", "context/.dockerignore": "a\n", "context/a": "a", "context/b": "b" },
    args: ["--ignore-file", "ci.ignore"],
    archived: [
      [".dockerignore", "b\n"],
      ["a", "a"],
    ],
    hashed: [".dockerignore", "a"],
    chosen: [null, "OUTSIDE/ci.ignore"],
    warnings: ["displaced_in_archive"],
  },
  {
    name: "case 50: a lower-case dockerfile is found, and travels under the name that builders look for",
    files: { "context/dockerfile": "lower", "context/a": "a" },
    args: [],
    archived: [
      ["Dockerfile", "lower"],
      ["a", "a"],
      ["dockerfile", "lower"],
    ],
    hashed: ["a", "dockerfile"],
    chosen: ["dockerfile", null],
  },
  {
    name: "a nested Dockerfile in an ignored folder brings only itself",
    files: {
      "context/.dockerignore": "docker\n",
      "context/docker/Prod": "prod",
      "context/docker/other": "o",
      "context/a": "a",
    },
    args: ["--dockerfile", "context/docker/Prod"],
    archived: [
      [".dockerignore", "docker\n"],
      ["Dockerfile", "prod"],
      ["a", "a"],
      ["docker/Prod", "prod"],
    ],
    hashed: [".dockerignore", "a", "docker/Prod"],
    chosen: ["docker/Prod", ".dockerignore"],
  },
  {
    name: "with --no-ignore an ignore file is a file like others",
    files: { "context/.dockerignore": "*\n", "context/Dockerfile": "own", "context/a": "a" },
    args: ["--no-ignore"],
    archived: [
      [".dockerignore", "*\n"],
      ["Dockerfile", "own"],
      ["a", "a"],
    ],
    hashed: [".dockerignore", "Dockerfile", "a"],
    chosen: ["Dockerfile", null],
  },
];

for (const { name, files, args, archived, hashed, chosen, warnings = [] } of CASES) {
  test.skipIf(!HAS_PYTHON)(name, async () => {
    const base = plantFiles(newFolder(), files);
    const { exit, document } = await captureJson("context", ["--archive", "out.tar", ...args], { cwd: base });
    expect(exit).toBe(0);
    const members = listMembers(join(base, "out.tar")).filter((member) => member.type === "file");
    expect(members.map((member) => [member.name, member.sha256 ?? ""])).toEqual(
      archived.map(([path, text]) => [path, sha256Of(text)]),
    );
    const leaves = leavesOf(join(base, "context")).filter((leaf) => hashed.includes(leaf.path.toString()));
    expect(leaves.length).toBe(hashed.length);
    expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leaves));
    const shown = [document.context.dockerfile, document.context.ignore_file];
    expect(shown).toEqual(chosen.map((path) => path?.replace("OUTSIDE", base) ?? null));
    expect(warningCodes(document)).toEqual([...warnings]);
  });
}

test("a context without an ignore file has the hash of all its files, with --no-ignore or without", async () => {
  const root = plantFiles(newFolder(), { Dockerfile: "own", a: "a" });
  for (const args of [[], ["--no-ignore"]]) {
    const { document } = await captureJson(root, args);
    expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(root)));
  }
});

const MISSING: readonly { name: string; args: readonly string[] }[] = [
  { name: "a Dockerfile that is not there", args: ["--dockerfile", "context/None"] },
  { name: "a Dockerfile that is a folder", args: ["--dockerfile", "context/folder"] },
  { name: "an ignore file that is not there", args: ["--ignore-file", "None"] },
];

for (const { name, args } of MISSING) {
  test(`${name} is refused, and nothing is written`, async () => {
    const base = plantFiles(newFolder(), { "context/a": "a" });
    mkdirSync(join(base, "context/folder"));
    const { exit, document } = await captureJson("context", ["--archive", "out.tar", ...args], { cwd: base });
    expect([exit, document.error?.code]).toEqual([7, "path_not_found"]);
    expect(document.error?.message).toContain(args[0] ?? "");
    expect(await Bun.file(join(base, "out.tar")).exists()).toBe(false);
  });
}
