import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The commands of the `console` blocks of a page, each with its continued lines. */
function commandsOf(page: string): string[] {
  return [...page.matchAll(/^```console\n(.*?)^```$/gmsu)].flatMap(([, block = ""]) => {
    const commands: string[] = [];
    let isContinued = false;
    for (const line of block.split("\n")) {
      if (line.startsWith("$ ")) commands.push(line.slice(2));
      else if (isContinued) commands.push(`${commands.pop() ?? ""}\n${line}`);
      isContinued = line.endsWith("\\") && (isContinued || line.startsWith("$ "));
    }
    return commands;
  });
}

/** Whether a page has blocks whose commands are run: `console`, and not those without a name. */
export function isReplayed(page: string): boolean {
  return /^```console$/mu.test(page);
}

const MARK = "@@@ end of a command @@@";

/**
 * The page with the real output of each of its commands: all in one bash, in one new folder, with the programs of
 * `binaries` before others. Commands that go on are ended with the shell.
 */
export async function replay(page: string, binaries: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-tutorial-"));
  const commands = commandsOf(page);
  try {
    // $? of a command is for the next one, as it is for a person.
    const script = commands.map(
      (command) => `(exit $code); eval ${quoted(command)}; code=$?; echo ${quoted(MARK)}`,
    );
    const file = join(folder, ".script");
    writeFileSync(
      file,
      ["code=0", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT", ...script, ""].join("\n"),
    );
    const child = Bun.spawn(["bash", "--noprofile", "--norc", file], {
      cwd: folder,
      env: {
        PATH: `${binaries}:${process.env["PATH"] ?? ""}`,
        HOME: folder,
        LANG: "C.UTF-8",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "init.defaultBranch",
        GIT_CONFIG_VALUE_0: "main",
      },
      stdin: "ignore",
      // A group of its own, so that nothing that a command left behind outlives the page.
      detached: true,
      stdout: "pipe",
      stderr: Bun.file(join(folder, ".stderr")),
    });
    const late = setTimeout(() => endGroup(child.pid), 60_000);
    const outputs = (await child.stdout.text()).split(`${MARK}\n`);
    await child.exited;
    clearTimeout(late);
    endGroup(child.pid);
    if (outputs.length !== commands.length + 1)
      throw new Error(`the page ended after ${outputs.length - 1} commands`);
    let index = 0;
    return page.replaceAll(/^```console\n.*?^```$/gmsu, (block) => {
      const shown = commandsOf(block).map((command) => `$ ${command}\n${outputs[index++] ?? ""}`);
      return `\`\`\`console\n${shown.join("").replaceAll(`${folder}/`, "/tmp/tutorial/")}\`\`\``;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What differs from run to run, in one form. */
export function withoutChance(page: string): string {
  return page
    .replaceAll(/\b[0-9a-f]{64}\b/gu, "<sha256>")
    .replaceAll(/\b[0-9a-f]{40}\b/gu, "<commit>")
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gu, "<uuid>")
    .replaceAll(/\b[0-9a-f]{8}\b/gu, "<id>")
    .replaceAll(/127\.0\.0\.1:\d+/gu, "127.0.0.1:<port>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/gu, "<instant>")
    .replaceAll(/timestamp:\d+/gu, "timestamp:<seconds>")
    .replaceAll(/\blinux\/(?:amd64|arm64)\b/gu, "linux/<arch>")
    .replaceAll(/\bwb_[A-Za-z0-9_-]+/gu, "<token>")
    .replaceAll(/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/gu, "<key>")
    .replaceAll(/waybill \d+\.\d+\.\d+ \([^)]*\)/gu, "waybill <version>");
}
