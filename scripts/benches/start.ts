/** What a start costs: each command's help and the quick commands, beside an empty program that Bun compiled. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { isGroup } from "../../src/cli/command.ts";
import { describeTree } from "../../src/cli/command-tree.ts";
import { root } from "../../src/commands/root.ts";
import { BINARY, record, roundsOr } from "./harness/record.ts";
import type { Way } from "./harness/rounds.ts";
import { emptyProgram, hasCommand, inNewFolder, python } from "./harness/workshop.ts";

const rounds = roundsOr(25);

const DIGEST = `sha256:${"a".repeat(64)}`;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => Response.json({ pins: [{ template_name: "codex", region: "global", image_digest: DIGEST }] }),
});
const EMPTY = "an empty program of the same runtime";

/**
 * Tells the kernel to forget the pages of a file: the next start reads them again. Of a copy, because pages that were
 * read piece by piece make every later start slower, and the others would be measured with them.
 */
function forget(file: string): void {
  Bun.spawnSync(["dd", `of=${file}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"], {
    stderr: "ignore",
  });
}

/** What else starts where this starts: in shells and under CI. */
function others(): Way[] {
  const ways: Way[] = [
    { name: "git --version", words: ["git", "--version"] },
    { name: "curl --version", words: ["curl", "--version"] },
    { name: "python3 -c ''", words: [python(), "-c", ""] },
  ];
  if (hasCommand("node", "nodejs")) ways.push({ name: "node -e ''", words: ["node", "-e", ""] });
  return ways;
}

try {
  await inNewFolder((folder) =>
    record("start", async (book) => {
      const empty: Way = { name: EMPTY, role: "limit", words: [emptyProgram(folder)] };
      // As new as the empty program: the kernel maps pages that were just written in larger pieces.
      const [binary, cold] = [join(folder, "waybill"), join(folder, "cold")];
      for (const copy of [binary, cold]) copyFileSync(BINARY, copy);
      const pin = ["verify", "pin", "--template", "codex", "--digest", DIGEST, "--allow-insecure-http"];
      const ours = (name: string, words: readonly string[], env = {}): Way => ({
        name,
        role: "ours",
        words,
        env,
      });
      await book.compare({
        title: "Starts",
        rounds,
        ways: [
          empty,
          ours("version", [binary, "version"]),
          ours("--help", [binary, "--help"]),
          ours("verify pin", [binary, ...pin, "--target", `prod=http://127.0.0.1:${server.port}`], {
            WAYBILL_TOKEN_PROD: "a-token-for-the-bench",
          }),
          { ...ours("version, cold", [cold, "version"]), before: () => forget(cold) },
          ...others(),
        ],
        goals: [
          { of: "version", against: EMPTY, most: 2 },
          { of: "--help", against: EMPTY, most: 2 },
          { of: "verify pin", against: EMPTY, most: 5 },
        ],
      });
      const commands = (await describeTree(root)).flatMap(({ path, command }) =>
        isGroup(command) ? [] : [path],
      );
      const helps = (program: string): Way[] =>
        commands.map((path) => ours(`${path.join(" ")} --help`, [program, ...path, "--help"]));
      await book.compare({
        title: "The help of each command",
        rounds: Math.ceil(rounds / 5),
        ways: [empty, ...helps(binary)],
      });
      await book.compare({
        title: "The help of each command, cold",
        rounds: Math.ceil(rounds / 10),
        ways: [empty, ...helps(cold).map((way) => ({ ...way, before: () => forget(cold) }))],
        warm: false,
      });
    }),
  );
} finally {
  await server.stop(true);
}
