import { afterAll } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runProgram, runWaybill, type Finished } from "../support/binary.ts";

export const ROOT: string = join(import.meta.dir, "../..");
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
export const VERSION: string = version;
export const HOST: string = `linux-${process.arch}`;
export const BINARY_NAME: string = `waybill-${VERSION}-${HOST}`;

/** What the tests need of the machine; it is a Debian in any case where they run by default. */
export const CAN_BUILD: boolean =
  process.env["WAYBILL_BINARY"] !== undefined &&
  process.platform === "linux" &&
  Bun.which("dpkg-deb") !== null;

export type Built = {
  readonly folder: string;
  /** A clone of the commit that was built. */
  readonly checkout: string;
  readonly key: string;
  /** The public key in two forms. */
  readonly minisign: string;
  readonly ssh: string;
};

/** A clone of the current commit, with the Bun that is here already: nothing is fetched. */
export async function checkout(folder: string): Promise<string> {
  mkdirSync(dirname(folder), { recursive: true });
  // As over a network: copying the files of a repository fails while another git packs them.
  const cloned = await runProgram(["git", "clone", "-q", "--no-local", ROOT, folder]);
  if (cloned.code !== 0) throw new Error(cloned.stderr);
  const linked = await runProgram(["cp", "-al", join(ROOT, ".tools"), join(folder, ".tools")]);
  // Another file system: then it is copied.
  if (linked.code !== 0) cpSync(join(ROOT, ".tools"), join(folder, ".tools"), { recursive: true });
  return folder;
}

export async function releaseBuild(folder: string, args: readonly string[]): Promise<Finished> {
  // The cache of packages that the lock pins is the one thing that it takes from the machine.
  const env = { HOME: process.env["HOME"] ?? "/", TZ: "Pacific/Auckland" };
  const child = Bun.spawn([join(folder, "release/build"), "--draft", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

const scratch = mkdtempSync(join(tmpdir(), "waybill-test-release-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let making: Promise<Built> | undefined;

/** A release of this machine's target, made once for all tests of this process. */
export async function built(): Promise<Built> {
  making ??= make();
  return making;
}

async function make(): Promise<Built> {
  const key = join(scratch, "release.key");
  const made = JSON.parse((await runWaybill(["key", "new", "--out", key, "--json"])).stdout);
  const clone = await checkout(join(scratch, "one"));
  const folder = join(scratch, "release");
  const args = ["--uncompressed", "--target", HOST, "--key", key, "--out", folder];
  const ended = await releaseBuild(clone, args);
  if (ended.code !== 0) throw new Error(ended.stderr);
  return { folder, checkout: clone, key, minisign: made.minisign, ssh: made.ssh };
}

/** A copy of the release that a test may change, without the package: it is as large as all the rest. */
export async function copyOf(release: Built, into: string): Promise<string> {
  mkdirSync(into);
  for (const name of readdirSync(release.folder))
    if (!name.endsWith(".deb")) cpSync(join(release.folder, name), join(into, name));
  return into;
}

export function sha256(path: string): string {
  return new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");
}
