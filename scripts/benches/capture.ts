/** The tree hash beside a program in C, Python's way and git; then the whole capture in a git work tree. */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, record, roundsOr } from "./harness/record.ts";
import type { Way } from "./harness/rounds.ts";
import {
  bytesOf,
  commitTree,
  compilePeer,
  emptyProgram,
  inNewFolder,
  PEERS,
  plantTree,
  python,
  run,
  skipped,
} from "./harness/workshop.ts";

const rounds = roundsOr(5);
const script = join(PEERS, "tree_hash.py");

const HASH = "waybill, hash alone";
const WHOLE = "waybill, whole capture";
const PYTHON = "Python";
const PYTHON_GIT = "Python and 7 git calls";
const STATUS = "git status";
const inC = (threads: number): string => `C, OpenSSL, ${threads} threads`;

const hash = (tree: string): Way => ({
  name: HASH,
  role: "ours",
  words: [BINARY, "capture", tree, "--no-ignore", "--digest", "working_tree_hash", "--quiet"],
});
const whole = (tree: string): Way => ({
  name: WHOLE,
  role: "ours",
  words: [BINARY, "capture", tree, "--quiet", "--json"],
});
const inPython = (tree: string): Way => ({ name: PYTHON, words: [python(), script, tree] });
const inPythonWithGit = (tree: string): Way => ({
  name: PYTHON_GIT,
  words: [python(), script, tree, "--git"],
});

await inNewFolder((folder) =>
  record("capture", async (book) => {
    const treeHash = compilePeer("tree-hash", folder);
    const limits = compilePeer("limits", folder);
    const peer = (tree: string, threads: number): Way => ({
      name: inC(threads),
      words: [treeHash, tree, String(threads)],
    });
    const least = (tree: string): Way[] => [
      {
        name: "at the least: every file read, 2 threads",
        role: "limit",
        words: [treeHash, tree, "2", "read"],
      },
      {
        name: "at the least: as many bytes hashed in memory, 2 threads",
        role: "limit",
        words: [limits, "sha256", String(bytesOf(tree)), "2"],
      },
    ];
    const nothing: Way = {
      name: "at the least: an empty program of the same runtime",
      role: "limit",
      words: [emptyProgram(folder)],
    };
    const [small, medium, large, huge] = (["small", "medium", "large", "huge"] as const).map((name) =>
      plantTree(folder, name),
    ) as [string, string, string, string];
    const gitFolders = new Map([small, medium, large].map((tree) => [tree, commitTree(tree)]));
    const status = (tree: string): Way => ({
      name: STATUS,
      words: ["git", `--git-dir=${gitFolders.get(tree)}`, `--work-tree=${tree}`, "status", "--porcelain"],
      cwd: tree,
    });
    for (const tree of [small, large]) agree(tree, treeHash);

    const all = (tree: string): Way[] => [hash(tree), peer(tree, 2), inPython(tree)];
    await book.compare({
      title: "Hash alone, 200 files",
      rounds: rounds * 3,
      ways: [...all(small), status(small), ...least(small), nothing],
      goals: [{ of: HASH, against: STATUS, most: 2.2 }],
    });
    await book.compare({
      title: "Hash alone, 6,700 files",
      rounds,
      ways: [...all(medium), status(medium), ...least(medium)],
      goals: [{ of: HASH, against: PYTHON, timesFaster: 4.5 }],
    });
    await book.compare({
      title: "Hash alone, 83,700 files, 1.15 GB",
      rounds,
      ways: [...all(large), status(large), ...least(large)],
      goals: [
        { of: HASH, against: PYTHON, timesFaster: 5 },
        { of: HASH, against: inC(2), most: 1.1 },
        { of: HASH, mostMegabytes: 120 },
      ],
    });
    await book.compare({
      title: "Hash alone, 4 files of 512 MiB",
      rounds,
      ways: [...all(huge), ...least(huge)],
      goals: [
        { of: HASH, against: inC(2), most: 1 },
        { of: HASH, mostMegabytes: 120 },
      ],
    });
    // One tree, in a git work tree for some and outside for the hash alone.
    const inside = (way: Way, tree: string): Way => ({ ...way, before: () => moveGit(tree, true) });
    const outside = (way: Way, tree: string): Way => ({ ...way, before: () => moveGit(tree, false) });
    const ways = (tree: string): Way[] => [
      inside(whole(tree), tree),
      inside(inPythonWithGit(tree), tree),
      outside(hash(tree), tree),
    ];
    const faster = { of: WHOLE, against: PYTHON_GIT, timesFaster: 3.5 };
    await book.compare({
      title: "Whole capture in a git work tree, 200 files",
      rounds: rounds * 3,
      ways: ways(small),
      goals: [{ of: WHOLE, against: HASH, mostMoreMs: 60 }, faster],
    });
    await book.compare({
      title: "Whole capture in a git work tree, 6,700 files",
      rounds,
      ways: ways(medium),
      goals: [faster],
    });
    await book.compare({
      title: "Whole capture in a git work tree, 83,700 files",
      rounds,
      ways: ways(large),
      goals: [{ of: WHOLE, against: HASH, most: 2 }, faster, { of: WHOLE, mostMegabytes: 120 }],
    });
    moveGit(large, false);
    if (process.getuid?.() === 0 && process.platform === "linux") {
      const cold = (way: Way): Way => ({ ...way, before: dropCaches });
      await book.compare({
        title: "Hash alone, 83,700 files, cold cache",
        rounds: Math.ceil(rounds / 2),
        ways: [hash(large), peer(large, 8)].map(cold),
        goals: [{ of: HASH, against: inC(8), most: 1.15 }],
        warm: false,
      });
    } else skipped("the cold cache, which only root can make");
  }),
);

/** A ratio says something only when all do the same work. */
function agree(tree: string, treeHash: string): void {
  const ours = JSON.parse(run([...hash(tree).words, "--json"])) as { digests: { working_tree_hash: string } };
  const others = [inPython(tree).words, [treeHash, tree, "2"]].map((words) => run(words).trim());
  if (others.some((digest) => digest !== ours.digests.working_tree_hash)) {
    throw new Error(`the hashes of ${tree} are not one`);
  }
}

function moveGit(tree: string, inside: boolean): void {
  const [within, beside] = [join(tree, ".git"), `${tree}.git`];
  if (existsSync(within) !== inside) renameSync(inside ? beside : within, inside ? within : beside);
}

function dropCaches(): void {
  run(["sync"]);
  writeFileSync("/proc/sys/vm/drop_caches", "3");
}
