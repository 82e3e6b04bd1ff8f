import { expect, test } from "bun:test";
import { environment, HANGING_MS } from "../context/support/run-capture.ts";
import { PROGRAM } from "../support/binary.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { git, HAS_GIT, makeRepository } from "../source/support/repository.ts";
import { Trap } from "../source/support/trap.ts";

const newFolder = scratchFolders();
const GIT = Bun.which("git") ?? "git";
const HAS_PYTHON = Bun.which("python3") !== null;

const ON_TERMINAL = `
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
try:
    while os.read(terminal, 65536):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`;

/** Runs a command, named by its absolute path, on a terminal of its own: pagers start only there. */
function onTerminal(command: readonly string[]): number {
  const ran = Bun.spawnSync(["python3", "-I", "-c", ON_TERMINAL, ...command], {
    env: environment({ TERM: "xterm", GIT_CONFIG_GLOBAL: "/dev/null" }),
    stdin: "ignore",
    stderr: "ignore",
    timeout: HANGING_MS,
  });
  return ran.exitCode;
}

test.skipIf(!HAS_GIT || !HAS_PYTHON)(
  "nothing of the repository is run: core.pager and pager.<command>, on a terminal",
  () => {
    const trap = new Trap(newFolder());
    const root = makeRepository(newFolder());
    git(root, "config", "core.pager", trap.program);
    for (const name of ["status", "config", "describe", "ls-tree", "rev-parse"])
      git(root, "config", `pager.${name}`, trap.program);
    onTerminal([GIT, "-C", root, "log"]);
    expect(trap.sprung()).toBe(true);
    onTerminal([GIT, "-C", root, "status"]);
    expect(trap.sprung()).toBe(true);
    expect(onTerminal([...PROGRAM, "capture", root])).toBe(0);
    expect(onTerminal([...PROGRAM, "capture", root, "--json"])).toBe(0);
    expect(trap.sprung()).toBe(false);
  },
);

test.skipIf(!HAS_GIT)("nothing of the repository is run: credential.helper and core.askPass", async () => {
  const trap = new Trap(newFolder());
  const root = makeRepository(newFolder(), { remote: "https://git.example.com/app" });
  git(root, "config", "credential.helper", trap.failing);
  git(root, "config", "core.askPass", trap.failing);
  const asking = Bun.spawnSync(["git", "-C", root, "credential", "fill"], {
    env: environment({ GIT_TERMINAL_PROMPT: "0" }),
    stdin: Buffer.from("protocol=https\nhost=git.example.com\n\n"),
    stderr: "ignore",
  });
  expect(asking.exitCode).not.toBe(0);
  expect(trap.sprung()).toBe(true);
  const ran = Bun.spawnSync([...PROGRAM, "capture", root, "--json"], { env: environment() });
  expect(ran.exitCode).toBe(0);
  expect(trap.sprung()).toBe(false);
});
