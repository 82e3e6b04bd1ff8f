/** The tree hash beside a program in C, Python's way and git; then the whole capture in a git work tree. */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure, report, type Goal, type Way } from "./rounds.ts";
import { commitTree, compilePeer, inNewFolder, plantTree, python, run, skipped } from "./workshop.ts";

const rounds = Number(process.argv[2] ?? "5");
const binary = process.env["WAYBILL_BINARY"] ?? "dist/waybill";
const script = join(import.meta.dir, "peers/tree_hash.py");

const HASH = "waybill, hash alone";
const WHOLE = "waybill, whole capture";
const PYTHON = "Python";
const PYTHON_GIT = "Python and 7 git calls";
const STATUS = "git status";

const hash = (tree: string): Way => ({
  name: HASH,
  words: [binary, "capture", tree, "--no-ignore", "--digest", "working_tree_hash", "--quiet"],
});
const whole = (tree: string): Way => ({ name: WHOLE, words: [binary, "capture", tree, "--quiet", "--json"] });
const inPython = (tree: string): Way => ({ name: PYTHON, words: [python(), script, tree] });
const inPythonWithGit = (tree: string): Way => ({
  name: PYTHON_GIT,
  words: [python(), script, tree, "--git"],
});
const inC = (threads: number): string => `C, OpenSSL, ${threads} threads`;

await inNewFolder(async (folder) => {
  const compiled = compilePeer(folder, "tree-hash");
  const peer = (tree: string, threads: number): Way[] =>
    compiled === null ? [] : [{ name: inC(threads), words: [compiled, tree, String(threads)] }];
  const ifCompiled = (goal: Goal): Goal[] => (compiled === null ? [] : [goal]);
  const [small, medium, large, huge] = (["small", "medium", "large", "huge"] as const).map((name) =>
    plantTree(folder, name),
  ) as [string, string, string, string];
  const gitFolders = new Map([small, medium, large].map((tree) => [tree, commitTree(tree)]));
  const status = (tree: string): Way => ({
    name: STATUS,
    words: ["git", `--git-dir=${gitFolders.get(tree)}`, `--work-tree=${tree}`, "status", "--porcelain"],
    cwd: tree,
  });
  for (const tree of [small, large]) agree(tree, compiled);

  const met: boolean[] = [];
  met.push(
    report(
      `hash alone, 200 files, ${rounds * 3} rounds`,
      await measure([hash(small), ...peer(small, 2), inPython(small), status(small)], rounds * 3),
      [{ of: HASH, against: STATUS, most: 2.2 }],
    ),
    report(
      `hash alone, 6,700 files, ${rounds} rounds`,
      await measure([hash(medium), ...peer(medium, 2), inPython(medium), status(medium)], rounds),
      [{ of: HASH, against: PYTHON, timesFaster: 4.5 }],
    ),
    report(
      `hash alone, 83,700 files, 1.15 GB, ${rounds} rounds`,
      await measure([hash(large), ...peer(large, 2), inPython(large), status(large)], rounds),
      [
        { of: HASH, against: PYTHON, timesFaster: 5 },
        ...ifCompiled({ of: HASH, against: inC(2), most: 1.1 }),
        { of: HASH, mostMegabytes: 120 },
      ],
    ),
    report(
      `hash alone, 4 files of 512 MiB, ${rounds} rounds`,
      await measure([hash(huge), ...peer(huge, 2), inPython(huge)], rounds),
      [...ifCompiled({ of: HASH, against: inC(2), most: 1 }), { of: HASH, mostMegabytes: 120 }],
    ),
  );
  // One tree, in a git work tree for some and outside for the hash alone.
  const inside = (way: Way, tree: string): Way => ({ ...way, before: () => moveGit(tree, true) });
  const outside = (way: Way, tree: string): Way => ({ ...way, before: () => moveGit(tree, false) });
  const ways = (tree: string): Way[] => [
    inside(whole(tree), tree),
    inside(inPythonWithGit(tree), tree),
    outside(hash(tree), tree),
  ];
  met.push(
    report(
      `whole capture in a git work tree, 200 files, ${rounds * 3} rounds`,
      await measure(ways(small), rounds * 3),
      [
        { of: WHOLE, against: HASH, mostMoreMs: 60 },
        { of: WHOLE, against: PYTHON_GIT, timesFaster: 3.5 },
      ],
    ),
    report(
      `whole capture in a git work tree, 6,700 files, ${rounds} rounds`,
      await measure(ways(medium), rounds),
      [{ of: WHOLE, against: PYTHON_GIT, timesFaster: 3.5 }],
    ),
    report(
      `whole capture in a git work tree, 83,700 files, ${rounds} rounds`,
      await measure(ways(large), rounds),
      [
        { of: WHOLE, against: HASH, most: 2 },
        { of: WHOLE, against: PYTHON_GIT, timesFaster: 3.5 },
        { of: WHOLE, mostMegabytes: 120 },
      ],
    ),
  );
  moveGit(large, false);
  if (process.getuid?.() === 0 && process.platform === "linux") {
    const cold = (way: Way): Way => ({ ...way, before: dropCaches });
    const few = Math.ceil(rounds / 3);
    met.push(
      report(
        `hash alone, 83,700 files, cold cache, ${few} rounds`,
        await measure([cold(hash(large)), ...peer(large, 8).map(cold)], few, false),
        ifCompiled({ of: HASH, against: inC(8), most: 1.15 }),
      ),
    );
  } else skipped("the cold cache, which only root can make");

  process.exitCode = met.every(Boolean) ? 0 : 1;
});

/** A ratio says something only when all do the same work. */
function agree(tree: string, compiled: string | null): void {
  const ours = JSON.parse(run([...hash(tree).words, "--json"])) as { digests: { working_tree_hash: string } };
  const others = [inPython(tree).words, ...(compiled === null ? [] : [[compiled, tree, "2"]])].map((words) =>
    run(words).trim(),
  );
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
