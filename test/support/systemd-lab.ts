import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, type Finished } from "./binary.ts";
import { temporaryFolder } from "./temporary.ts";

export const HAS_SYSTEMD: boolean =
  process.geteuid?.() === 0 && existsSync("/lib/systemd/systemd") && existsSync("/usr/bin/nsenter");

/** A host with a real systemd, in namespaces of its own. */
export type SystemdLab = AsyncDisposable & {
  /** Seen as `/lab` inside. */
  readonly shared: string;
  /** Runs a program inside to its end. */
  readonly run: (...words: string[]) => Promise<Finished>;
  readonly show: (unit: string, property: string) => Promise<string>;
};

export async function startSystemdLab(): Promise<SystemdLab> {
  const folder = temporaryFolder();
  const [layers, shared] = [join(folder.path, "layers"), join(folder.path, "shared")];
  mkdirSync(layers);
  mkdirSync(shared);
  const script = join(import.meta.dir, "systemd-lab.sh");
  const flags = ["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--net", "--fork", "--kill-child=KILL"];
  const child = Bun.spawn(["unshare", ...flags, "/bin/sh", script, layers, shared], {
    stdin: "ignore",
    stdout: Bun.file(join(folder.path, "boot.log")),
    stderr: Bun.file(join(folder.path, "boot.log")),
  });
  let first = 0;
  const run = (...words: string[]): Promise<Finished> =>
    runProgram([
      "nsenter",
      "-t",
      String(first),
      "-a",
      `--root=/proc/${first}/root`,
      `--wd=/proc/${first}/root`,
      ...words,
    ]);
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
    folder[Symbol.dispose]();
  };
  for (let tries = 0; tries < 120; tries++) {
    first = childOf(child.pid);
    if (first !== 0 && (await run("/bin/systemctl", "is-active", "--quiet", "lab.target")).code === 0) {
      return {
        shared,
        run,
        show: async (unit, property) =>
          (await run("/bin/systemctl", "show", `--property=${property}`, "--value", unit)).stdout.trim(),
        [Symbol.asyncDispose]: stop,
      };
    }
    await Bun.sleep(250);
  }
  const log = readFileSync(join(folder.path, "boot.log"), "utf8").slice(-2_000);
  await stop();
  throw new Error(`systemd did not start: ${log}`);
}

function childOf(parent: number): number {
  const found = readdirSync("/proc").find((id) => {
    if (!/^\d+$/u.test(id)) return false;
    try {
      return (
        / \d+$/u.exec(
          readFileSync(`/proc/${id}/stat`, "utf8").split(")")[1]?.split(" ").slice(0, 3).join(" ") ?? "",
        )?.[0] === ` ${parent}`
      );
    } catch {
      return false;
    }
  });
  return Number(found ?? 0);
}
