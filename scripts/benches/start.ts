/** What a start costs: each command, warm and cold, and the quick ones, beside an empty program that Bun compiled. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isGroup } from "../../src/cli/command.ts";
import { describeTree } from "../../src/cli/command-tree.ts";
import { root } from "../../src/commands/root.ts";
import { measure, report, type Way } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? "7");
const binary = process.env["WAYBILL_BINARY"] ?? "dist/waybill";
const folder = mkdtempSync(join(tmpdir(), "waybill-bench-start-"));

const DIGEST = `sha256:${"a".repeat(64)}`;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => Response.json({ pins: [{ template_name: "codex", region: "global", image_digest: DIGEST }] }),
});

/** A program that does nothing, compiled exactly as ours is. */
function emptyProgram(): string {
  const source = join(folder, "empty.ts");
  writeFileSync(source, "export {};\n");
  const out = join(folder, "empty");
  const flags = ["--compile", "--bytecode", "--format=esm", "--minify-syntax", "--minify-whitespace"];
  const hardened = [
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--compile-exec-argv=--disallow-code-generation-from-strings=strict",
  ];
  const built = Bun.spawnSync([process.execPath, "build", source, "--outfile", out, ...flags, ...hardened], {
    cwd: folder,
    stdout: "ignore",
    stderr: "pipe",
  });
  if (!built.success) throw new Error(built.stderr.toString());
  return out;
}

const cold = join(folder, "waybill");
copyFileSync(binary, cold);

/**
 * Tells the kernel to forget the pages of that copy: the next start reads them again. A copy of its own, because pages
 * that were read piece by piece make every later start slower, and the others would be measured with them.
 */
function forget(): void {
  Bun.spawnSync(["dd", `of=${cold}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"], {
    stderr: "ignore",
  });
}

try {
  const empty: Way = { name: "an empty program", words: [emptyProgram()] };
  const pin = ["verify", "pin", "--template", "codex", "--digest", DIGEST, "--allow-insecure-http"];
  const quick: Way[] = [
    { name: "version", words: [binary, "version"] },
    { name: "--help", words: [binary, "--help"] },
    {
      name: "verify pin",
      words: [binary, ...pin, "--target", `prod=http://127.0.0.1:${server.port}`],
      env: { WAYBILL_TOKEN_PROD: "a-token-for-the-bench" },
    },
    { name: "version, cold", words: [cold, "version"], before: forget },
  ];
  const met = report(`starts, ${rounds} rounds`, await measure([empty, ...quick], rounds), [
    { of: "version", against: empty.name, most: 2 },
    { of: "--help", against: empty.name, most: 2 },
    { of: "verify pin", against: empty.name, most: 5 },
  ]);
  const commands = (await describeTree(root)).flatMap(({ path, command }) =>
    isGroup(command) ? [] : [path],
  );
  // What a command's start consists of: its modules are loaded and its flags are known; nothing is opened or sent.
  const helps = commands.flatMap((path): Way[] => {
    const name = `${path.join(" ")} --help`;
    return [
      { name, words: [binary, ...path, "--help"] },
      { name: `${name}, cold`, words: [cold, ...path, "--help"], before: forget },
    ];
  });
  report("the start of each command, warm and cold, 3 rounds", await measure([empty, ...helps], 3), []);
  process.exitCode = met ? 0 : 1;
} finally {
  await server.stop(true);
  rmSync(folder, { recursive: true, force: true });
}
