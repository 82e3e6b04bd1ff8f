import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./targets.ts";

/** What is being released. */
export type Source = {
  readonly version: string;
  readonly commit: string;
  /** Seconds since 1970: the time of the commit, and of everything that is built from it. */
  readonly epoch: number;
  readonly builtAt: string;
  /** Paths that differ from the commit. */
  readonly changed: readonly string[];
};

export function run(words: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const ended = Bun.spawnSync([...words], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (ended.exitCode === 0) return ended.stdout.toString();
  throw new Error(`${words.join(" ")} ended with ${ended.exitCode}:\n${ended.stderr.toString().trim()}`);
}

export function readSource(): Source {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const epoch = Number(
    process.env["SOURCE_DATE_EPOCH"] ?? run(["git", "log", "-1", "--no-show-signature", "--format=%ct"]),
  );
  return {
    version,
    commit: run(["git", "rev-parse", "--verify", "HEAD"]).trim(),
    epoch,
    builtAt: new Date(epoch * 1000).toISOString().replace(".000Z", "Z"),
    changed: run(["git", "status", "--porcelain"])
      .split("\n")
      .filter((line) => line !== ""),
  };
}

export function sha256Of(bytes: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}
