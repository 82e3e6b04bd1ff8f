import { afterAll, setDefaultTimeout } from "bun:test";
import { chmodSync, lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const IS_ROOT: boolean = process.getuid?.() === 0;

/** Whether a test may have a small disk of its own. */
export const CAN_MOUNT: boolean = IS_ROOT && canMount();

function canMount(): boolean {
  const probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"];
  return Bun.which("unshare") !== null && Bun.spawnSync(probe, { stderr: "ignore" }).exitCode === 0;
}

/** Gives a maker of fresh folders, all of them gone when the test file has ended. Call it once in a file. */
export function scratchFolders(): () => string {
  // Each test starts several programs, and the machine may be busy.
  setDefaultTimeout(60_000);
  const base = realpathSync(mkdtempSync(join(tmpdir(), "waybill-context-")));
  // Another user must be able to walk through it.
  chmodSync(base, 0o755);
  let count = 0;
  afterAll(() => {
    if (!IS_ROOT) makeRemovable(base);
    rmSync(base, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(base, `${count++}-`));
    chmodSync(folder, 0o755);
    return folder;
  };
}

/** Folders that a test made unreadable cannot be emptied by an ordinary user. */
function makeRemovable(folder: string | Buffer): void {
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder, { encoding: "buffer" })) {
    const path = Buffer.concat([Buffer.from(folder), Buffer.from("/"), name]);
    if (lstatSync(path).isDirectory()) makeRemovable(path);
  }
}
