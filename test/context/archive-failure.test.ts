import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { plantFiles } from "./support/disk-tree.ts";
import { BOUND_BY_MODES, CAN_BE_BOUND, captureJson, startWaybill } from "./support/run-capture.ts";
import { CAN_MOUNT, scratchFolders } from "./support/scratch.ts";
import { succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();

function context(): string {
  return plantFiles(newFolder(), { a: "a", b: "b".repeat(300_000) });
}

test("a folder that is missing is no place for an archive", async () => {
  const place = newFolder();
  const { exit, document } = await captureJson(context(), ["--archive", join(place, "missing/context.tar")]);
  expect([exit, document.error?.code]).toEqual([1, "output_not_written"]);
  expect(document.error?.message).toContain("its folder does not exist");
  expect(readdirSync(place)).toEqual([]);
});

test.skipIf(!CAN_BE_BOUND)("a folder that cannot be written is no place for an archive", async () => {
  const place = newFolder();
  chmodSync(place, 0o555);
  const surroundings = { under: BOUND_BY_MODES };
  const { exit, document } = await captureJson(
    context(),
    ["--archive", join(place, "context.tar")],
    surroundings,
  );
  expect([exit, document.error?.code]).toEqual([1, "output_not_written"]);
  expect(document.error?.message).toContain("permission denied");
  expect(readdirSync(place)).toEqual([]);
});

test("a folder in the archive's place stays, and nothing is left beside it", async () => {
  const place = newFolder();
  mkdirSync(join(place, "context.tar"));
  const { exit, document } = await captureJson(context(), ["--archive", join(place, "context.tar")]);
  expect([exit, document.error?.code]).toEqual([1, "output_not_written"]);
  expect(readdirSync(place)).toEqual(["context.tar"]);
});

test.skipIf(!CAN_MOUNT)(
  "a full disk leaves the old archive and nothing else, for the archive and for --out",
  async () => {
    const place = newFolder();
    succeed(["mount", "-t", "tmpfs", "-o", "size=128k", "none", place]);
    try {
      writeFileSync(join(place, "context.tar"), "the old one");
      const { exit, document } = await captureJson(context(), ["--archive", join(place, "context.tar")]);
      expect([exit, document.error?.code]).toEqual([1, "output_not_written"]);
      expect(document.error?.message).toContain("no space left on the device");
      expect(readdirSync(place)).toEqual(["context.tar"]);
      expect(readFileSync(join(place, "context.tar"), "utf8")).toBe("the old one");
      // Fill what is left, so that not even a small file fits.
      Bun.spawnSync(["dd", "if=/dev/zero", `of=${join(place, "filler")}`, "bs=1k"], { stderr: "ignore" });
      const out = await captureJson(context(), ["--out", join(place, "result.json")]);
      expect([out.exit, out.document.error?.code]).toEqual([1, "output_not_written"]);
      expect(readdirSync(place).toSorted()).toEqual(["context.tar", "filler"]);
    } finally {
      succeed(["umount", place]);
    }
  },
);

test("--out into a folder that is missing is exit 1", async () => {
  const { exit, document } = await captureJson(context(), [
    "--out",
    join(newFolder(), "missing/result.json"),
  ]);
  expect([exit, document.error?.code]).toEqual([1, "output_not_written"]);
});

const SIGNALS = [
  { signal: "SIGINT", exit: 130, code: "interrupted" },
  { signal: "SIGTERM", exit: 143, code: "terminated" },
] as const;

for (const { signal, exit, code } of SIGNALS) {
  test(`${signal} during a large archive leaves no file and ends with ${exit}`, async () => {
    const root = newFolder();
    writeFileSync(join(root, "large"), "");
    // One file of 200 GiB, all hole: reading it to the end would take minutes.
    truncateSync(join(root, "large"), 200 * 2 ** 30);
    const place = newFolder();
    writeFileSync(join(place, "context.tar.zst"), "the old one");
    const begun = fileAppears(place, /\.tmp$/u);
    const child = startWaybill(["capture", root, "--archive", join(place, "context.tar.zst"), "--json"]);
    await begun;
    child.kill(signal);
    expect(await child.exited).toBe(exit);
    expect(JSON.parse(await new Response(child.stdout).text())).toMatchObject({
      ok: false,
      exit_code: exit,
      error: { code },
    });
    expect(readdirSync(place)).toEqual(["context.tar.zst"]);
    expect(readFileSync(join(place, "context.tar.zst"), "utf8")).toBe("the old one");
  });
}

/** Resolves when a file of that name is in the folder. */
function fileAppears(folder: string, name: RegExp): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_event, changed) => {
      if (changed === null || !name.test(changed) || !existsSync(join(folder, changed))) return;
      watcher.close();
      resolve();
    });
  });
}
