/** scripts/start.order, from runs of the quick commands against a server on loopback. Run by scripts/record-start. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BINARY = join(import.meta.dir, "../dist/waybill");
const ORDER = join(import.meta.dir, "start.order");
const DIGEST = `sha256:${"a".repeat(64)}`;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => Response.json({ pins: [{ template_name: "codex", region: "global", image_digest: DIGEST }] }),
});
const scratch = mkdtempSync(join(tmpdir(), "waybill-start-"));
const tree = join(scratch, "tree");

async function run(words: readonly string[], recorded?: string): Promise<void> {
  const child = Bun.spawn([...words], {
    cwd: scratch,
    stdin: "ignore",
    stdout: "pipe",
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: scratch,
      WAYBILL_TOKEN_PROD: "a-token-for-the-record",
      ...(recorded === undefined ? {} : { BUN_BYTECODE_ORDER_OUT: recorded }),
    },
  });
  await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")} ended with ${child.exitCode}`);
}

const place = ["--target", `prod=http://127.0.0.1:${server.port}`, "--allow-insecure-http"];
const pin = ["--template", "codex", "--digest", DIGEST, ...place];
/** What matters most comes first: the layout follows the first run that used a function. */
const runs = [
  ["verify", "pin", ...pin],
  ["promote", ...pin, "--touch", "--git-sha", "0123abc"],
  ["capture", tree],
  ["version"],
];

// Functions, the top of modules, strings and modules. Lines of a fifth kind (K) are four fifths of a record, and a
// start with them takes as long as one without.
const KINDS = ["F", "M", "S", "N"];
const found = new Map(KINDS.map((kind) => [kind, new Set<string>()]));
try {
  await run(["git", "init", "-q", tree]);
  writeFileSync(join(tree, "main.c"), "int main(void) { return 0; }\n");
  await run(["git", "-C", tree, "add", "."]);
  await run(["git", "-C", tree, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "a"]);
  for (const words of runs) {
    const recorded = join(scratch, "order");
    await run([BINARY, ...words], recorded);
    const [version, ...lines] = readFileSync(recorded, "utf8").trim().split("\n");
    if (version !== "v2") throw new Error(`a record in version ${version}; wanted v2`);
    for (const line of lines) found.get(line.charAt(0))?.add(line);
  }
} finally {
  rmSync(scratch, { recursive: true });
  await server.stop(true);
}
const all = [...found.values()].flatMap((lines) => [...lines]);
writeFileSync(ORDER, `${["v2", ...all].join("\n")}\n`);
console.log(`${all.length} lines in scripts/start.order`);
