import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

const WORKSHOP = join(import.meta.dir, "../../../scripts/benches/harness/workshop.ts");
const SCRIPT = `
  import { newFolder, startBeside } from ${JSON.stringify(WORKSHOP)};
  const [folder, beside] = [newFolder(), startBeside(["sleep", "1000"])];
  console.log(JSON.stringify([folder.path, beside.pid]));
  if (process.argv.at(-1) === "fail") throw new Error("a bench that fails");
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a bench that", () => {
  test.each([
    ["fails", null, 1],
    ["is told to end", "SIGTERM", 143],
    ["is interrupted", "SIGINT", 130],
  ] as const)("%s leaves no process and no folder", async (_, signal, code) => {
    const words = [process.execPath, "-e", SCRIPT, signal === null ? "fail" : "wait"];
    const child = Bun.spawn(words, { stdout: "pipe", stderr: "ignore" });
    const { value } = await child.stdout.getReader().read();
    const [folder, pid] = JSON.parse(new TextDecoder().decode(value)) as [string, number];
    if (signal !== null) child.kill(signal);
    expect(await child.exited).toBe(code);
    expect(existsSync(folder)).toBe(false);
    // Its parent is gone, so it ends when somebody else looks after it.
    while (isAlive(pid)) await Bun.sleep(5);
  });
});
