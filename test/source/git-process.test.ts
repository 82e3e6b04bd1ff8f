import { expect, test } from "bun:test";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import {
  captureJson,
  HANGING_MS,
  livingCommands,
  startWaybill,
  waybill,
  type CaptureDocument,
  type Surroundings,
} from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { git, HAS_GIT, makeRepository, REMOTE } from "./support/repository.ts";

const newFolder = scratchFolders();
const REAL_GIT = Bun.which("git") ?? "git";

/** An environment in which git is this shell script. */
function withGit(script: string): Surroundings {
  const folder = plantFiles(newFolder(), { git: `#!/bin/sh\n${script}\n` });
  chmodSync(join(folder, "git"), 0o755);
  return { env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` } };
}

/** A number of seconds that no other process of this machine sleeps. */
function uniqueSeconds(): string {
  return `${100_000 + process.pid}.${Math.trunc(performance.now() * 1000)}`;
}

test("case 38: a git that hangs is ended at the budget, with what it started, and the hash is there", async () => {
  const [own, grandchild] = [uniqueSeconds(), uniqueSeconds()];
  const root = plantFiles(newFolder(), { a: "a", ".git/HEAD": "" });
  const surroundings = withGit(`sleep ${grandchild} &\nexec sleep ${own}`);
  const { exit, document } = await captureJson(root, ["--time-budget", "300ms"], surroundings);
  expect(exit).toBe(0);
  for (const name of ["source_repo", "source_commit", "source_ref", "source_dirty"]) {
    expect(document.fields[name]).toEqual({ value: null, source: "none", reason: "git_timeout" });
  }
  expect(document.digests["working_tree_hash"]).toMatch(/^[0-9a-f]{64}$/u);
  expect(document.warnings).toEqual([
    { code: "git_timeout", message: "no commit: git took too long; give it more with --time-budget" },
  ]);
  const left = livingCommands().filter((command) => command.includes(own) || command.includes(grandchild));
  expect(left).toEqual([]);
});

test.skipIf(!HAS_GIT)(
  "case 38: a status that hangs leaves dirty unknown for that reason, and the rest known",
  async () => {
    const seconds = uniqueSeconds();
    const root = makeRepository(newFolder(), { remote: REMOTE });
    const surroundings = withGit(
      `for word; do [ "$word" = status ] && exec sleep ${seconds}; done\nexec '${REAL_GIT}' "$@"`,
    );
    const { exit, document } = await captureJson(root, ["--time-budget", "2s"], surroundings);
    expect(exit).toBe(0);
    expect(document.fields["source_dirty"]).toEqual({ value: null, source: "none", reason: "git_timeout" });
    expect(document.source_fields["source_commit"]).toBe(git(root, "rev-parse", "HEAD"));
    expect(document.matches_commit).toBe(true);
    expect(livingCommands().filter((command) => command.includes(seconds))).toEqual([]);
  },
);

const ASKED = ["cat-file", "for-each-ref", "symbolic-ref", "config -z --get-regexp", "ls-tree", "ls-files"];

for (const command of ASKED) {
  test.skipIf(!HAS_GIT)(`case 38: a hanging "${command}" is a timeout, and no other reason`, async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    // The one that is asked only where no branch is checked out.
    if (command === "symbolic-ref") git(root, "checkout", "-q", "--detach");
    // Those that are asked only where something else ships than the commit.
    if (command.startsWith("ls-")) plantFiles(root, { new: "x" });
    const surroundings = withGit(
      `case "$*" in *" ${command} "*) exec sleep ${uniqueSeconds()};; esac\nexec '${REAL_GIT}' "$@"`,
    );
    const { document } = await captureJson(root, ["--time-budget", "2s"], surroundings);
    const reasons = Object.values(document.fields).map((field) => field.reason);
    const allowed = [null, "git_timeout", "at_top_level"];
    expect(
      [...reasons, document.matches_commit_detail.reason].filter((reason) => !allowed.includes(reason)),
    ).toEqual([]);
    expect([...reasons, document.matches_commit_detail.reason]).toContain("git_timeout");
  });
}

test.skipIf(!HAS_GIT)(
  "case 38: the budget is for all calls together, also for those after the first hang",
  async () => {
    const root = makeRepository(newFolder());
    const calls = join(newFolder(), "calls");
    // The first call takes the whole budget and answers nothing.
    const surroundings = withGit(`echo call >> '${calls}'\nexec sleep ${uniqueSeconds()}`);
    const { document } = await captureJson(root, ["--time-budget", "300ms"], surroundings);
    expect(document.fields["source_commit"]?.reason).toBe("git_timeout");
    expect(await Bun.file(calls).text()).toBe("call\n");
  },
);

const ANSWERS: readonly { name: string; script: string; reason: string }[] = [
  { name: "is killed", script: "kill -9 $$", reason: "git_failed" },
  { name: "fails without a word", script: "exit 1", reason: "git_failed" },
  { name: "says nothing and succeeds", script: "exit 0", reason: "worktree_mismatch" },
  { name: "says nonsense", script: "echo nonsense", reason: "worktree_mismatch" },
  { name: "is no program", script: "#", reason: "worktree_mismatch" },
  {
    name: "speaks of an older dubious ownership",
    script: "echo \"fatal: unsafe repository ('/x' is owned by someone else)\" >&2; exit 128",
    reason: "git_dubious_ownership",
  },
  {
    name: "floods standard error",
    script: "yes error | head -c 3000000 >&2; exit 128",
    reason: "git_failed",
  },
];

for (const { name, script, reason } of ANSWERS) {
  test(`a git that ${name} does not break the capture`, async () => {
    const { exit, document } = await captureJson(
      plantFiles(newFolder(), { a: "a", ".git/HEAD": "" }),
      [],
      withGit(script),
    );
    expect(exit).toBe(0);
    expect(document.fields["source_commit"]).toEqual({ value: null, source: "none", reason });
    expect(document.digests["working_tree_hash"]).toMatch(/^[0-9a-f]{64}$/u);
  });
}

test("a git that is a file and cannot be started does not break the capture", async () => {
  const folder = plantFiles(newFolder(), { git: "\u0000not a program" });
  chmodSync(join(folder, "git"), 0o755);
  const { exit, document } = await captureJson(plantFiles(newFolder(), { a: "a", ".git/HEAD": "" }), [], {
    env: { PATH: folder },
  });
  expect([exit, document.fields["source_commit"]?.reason]).toEqual([0, "git_failed"]);
});

test("what git says of a remote is told without its password and without control characters", async () => {
  const said = String.raw`fatal: unable to access \047https://user:glpat-s3cr3t@h/app/\047\033[31m\n::error::x\n`;
  const surroundings = withGit(`printf '${said}' >&2; exit 128`);
  const root = plantFiles(newFolder(), { a: "a", ".git/HEAD": "" });
  const { stdout, stderr } = await waybill(["capture", root, "--verbose", "--json"], surroundings);
  expect(stderr).toContain("unable to access");
  const [warning] = (JSON.parse(stdout) as CaptureDocument).warnings;
  expect(warning?.message).toContain("unable to access");
  // oxlint-disable-next-line no-control-regex
  expect(warning?.message).not.toMatch(/[\u0000-\u001f]/u);
  for (const text of [stdout, stderr]) {
    expect(text).not.toContain("s3cr3t");
    expect(text).not.toContain("\u001b");
    expect(text).not.toMatch(/^::error/mu);
  }
});

test("a git that floods standard output is cut off", async () => {
  const surroundings = withGit("exec yes nonsense");
  const { exit, document } = await captureJson(
    plantFiles(newFolder(), { a: "a", ".git/HEAD": "" }),
    [],
    surroundings,
  );
  expect([exit, document.fields["source_commit"]?.reason]).toEqual([0, "git_failed"]);
});

const STOPS = [
  { signal: "SIGTERM", exit: 143, code: "terminated" },
  { signal: "SIGINT", exit: 130, code: "interrupted" },
] as const;

for (const { signal, exit, code } of STOPS) {
  for (const command of ["capture", "diff"]) {
    test(`case 38: ${signal} while git hangs in a ${command} ends git too, with what it started`, async () => {
      const root = plantFiles(newFolder(), { a: "a", ".git/HEAD": "" });
      const held = join(newFolder(), "held");
      expect(Bun.spawnSync(["mkfifo", held]).exitCode).toBe(0);
      // Both hold the pipe open until they die: its end is the proof, and nobody needs to wait and look.
      const script = `exec 3> '${held}'\nsleep ${uniqueSeconds()} &\necho "$$ $!" >&3\nexec sleep ${uniqueSeconds()}`;
      const holders = Bun.spawn(["cat", held], { stdout: "pipe", timeout: HANGING_MS });
      const args = command === "capture" ? ["capture", root] : ["diff", "HEAD", root, "--repo", root];
      const child = startWaybill([...args, "--json", "--time-budget", "1h"], withGit(script));
      const said = holders.stdout.getReader();
      const first = await said.read();
      const pids = new TextDecoder().decode(first.value).trim().split(" ");
      expect(pids.map((pid) => existsSync(`/proc/${pid}`))).toEqual([true, true]);
      child.kill(signal);
      expect(await child.exited).toBe(exit);
      expect((await said.read()).done).toBe(true);
      const document = JSON.parse(await new Response(child.stdout).text()) as CaptureDocument;
      expect([document.exit_code, document.error?.code]).toEqual([exit, code]);
    });
  }
}

for (const budget of ["0s", "-1s", "soon", "1e3s"]) {
  test(`a time budget of ${budget} is a usage error`, async () => {
    const { exit, document } = await captureJson(plantFiles(newFolder(), { a: "a", ".git/HEAD": "" }), [
      `--time-budget=${budget}`,
    ]);
    expect([exit, document.error?.code]).toEqual([2, "invalid_value"]);
  });
}
