import { expect, test } from "bun:test";
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { waybillJson } from "./run-waybill.ts";
import { codeOf, withRoot } from "./with-root.ts";

const TRIALS = 15;
const VERSIONS = [2, 3, 4];

/** Roots of these versions as `r2`, `r3`, `r4`, and a file `app` that a key of all of them signed. */
async function withVersions(
  work: (cwd: string, see: (version: number) => Promise<readonly [number, string | null]>) => Promise<void>,
): Promise<void> {
  await withRoot(["ci", "b", "c"], async (cwd, run) => {
    for (const [index, name] of ["ci", "b", "c"].entries()) {
      const words = ["--name", name, "--public-key", `${name}.pub`, "--role", "build", "--key", "root"];
      expect((await run("add", "root.json", ...words)).exit).toBe(0);
      copyFileSync(join(cwd, "root.json"), join(cwd, `r${index + 2}`));
    }
    await waybillJson(["sign", "app", "--key", "ci", "--format", "raw"], { cwd });
    await work(cwd, async (version) => {
      const state = ["--trust", `r${version}`, "--trust-state", "seen"];
      return codeOf(
        await waybillJson(["verify", "artifact", "app", "--signature", "app.sig", ...state], { cwd }),
      );
    });
  });
}

test("of several runs at once the newest root is remembered, whoever comes first", async () => {
  await withVersions(async (cwd, see) => {
    for (let trial = 0; trial < TRIALS; trial++) {
      rmSync(join(cwd, "seen"), { force: true });
      // Every second time there is an older one already.
      if (trial % 2 === 0) await see(2);
      for (const code of await Promise.all(VERSIONS.toReversed().map(see)))
        expect(["0", "6 trust_root_rollback"]).toContain(code.filter((one) => one !== null).join(" "));
      expect(JSON.parse(readFileSync(join(cwd, "seen"), "utf8"))).toMatchObject({ version: 4 });
    }
    expect(statSync(join(cwd, "seen")).mode & 0o777).toBe(0o644);
    expect(readdirSync(cwd).filter((name) => name.includes("tmp"))).toEqual([]);
  });
}, 60_000);

test("a state that cannot be written is told, and leaves nothing", async () => {
  await withVersions(async (cwd) => {
    const words = ["verify", "artifact", "app", "--signature", "app.sig", "--trust", "r2", "--trust-state"];
    const ran = await waybillJson([...words, "no/where"], { cwd });
    expect(codeOf(ran)).toEqual([1, "output_not_written"]);
    expect(readdirSync(cwd)).not.toContain("no");
  });
});

const damages: [string, (file: string) => unknown, string][] = [
  ["empty", (file) => writeFileSync(file, ""), "config_invalid"],
  ["cut off", (file) => truncateSync(file, 30), "config_invalid"],
  ["of no version", (file) => writeFileSync(file, '{"schema":"waybill.trust-seen/v1"}'), "config_invalid"],
  ["a folder", (file) => (rmSync(file), mkdirSync(file)), "file_unreadable"],
  ["a link to nothing", (file) => (rmSync(file), symlinkSync("nothing", file)), "file_exists"],
  ["a link to itself", (file) => (rmSync(file), symlinkSync("seen", file)), "file_unreadable"],
];
test("a state that is damaged lets nothing pass, and stays as it is", async () => {
  await withVersions(async (cwd, see) => {
    const file = join(cwd, "seen");
    for (const [name, spoil, code] of damages) {
      rmSync(file, { recursive: true, force: true });
      expect(await see(4)).toEqual([0, null]);
      spoil(file);
      const { ino, ctimeMs } = lstatSync(file);
      for (const version of [2, 4]) expect([name, (await see(version))[1]]).toEqual([name, code]);
      expect(lstatSync(file)).toMatchObject({ ino, ctimeMs });
    }
  });
});
