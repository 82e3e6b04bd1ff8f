/** How costs grow: over files, bytes, hosts and rows. One more of them must not cost more than the one before. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assignmentOf, fillNoise, newKey } from "./harness/artifacts.ts";
import { ControlPlane, Load, promotion } from "./harness/control-plane.ts";
import { Lines } from "./harness/lines.ts";
import { BINARY, record, roundsOr, type Book } from "./harness/record.ts";
import { measure } from "./harness/rounds.ts";
import { compilePeer, inNewFolder, plantTree, run } from "./harness/workshop.ts";

const rounds = roundsOr(3);
const FILES = [1_000, 2_500, 5_000, 10_000, 20_000, 40_000, 80_000];
const MEGABYTES = [1, 4, 16, 64, 256, 1_024];
// A third point between the last two, for a fit over the last decade that is more than a line through its ends.
const HOSTS = [10, 100, 1_000, 3_000, 10_000];
const ROWS = [10, 100, 1_000, 10_000, 30_000, 100_000];
const POLLS = 10_000;
/** Of one kind, on one connection. */
const REQUESTS = 40;

await record("growth", async (book) => {
  await inNewFolder((folder) => overFiles(book, folder), "/dev/shm");
  await inNewFolder((folder) => overBytes(book, folder), "/dev/shm");
  await inNewFolder((folder) => overHosts(book, folder));
  await inNewFolder((folder) => overRows(book, folder));
});

async function overFiles(book: Book, folder: string): Promise<void> {
  const [lines, memory] = [new Lines(), new Lines()];
  const treeHash = compilePeer("tree-hash", folder);
  const archive = join(folder, "out.tar");
  for (const files of FILES) {
    const tree = plantTree(folder, files);
    const capture = [BINARY, "capture", tree, "--no-ignore", "--quiet", "--digest", "working_tree_hash"];
    await lines.addWays(
      [
        { name: "capture, hash alone", role: "ours", words: capture },
        {
          name: "capture --archive .tar",
          role: "ours",
          words: [...capture, "--archive", archive],
          before: () => rmSync(archive, { force: true }),
        },
        { name: "C, OpenSSL, 2 threads: hash alone", words: [treeHash, tree, "2"] },
      ],
      rounds,
      files,
      memory,
    );
    rmSync(tree, { recursive: true });
  }
  book.curve({ title: "Over files", over: "files", lines: lines.all });
  book.curve({ title: "Memory, over files", over: "files", unit: "MB", lines: memory.all });
}

async function overBytes(book: Book, folder: string): Promise<void> {
  const [lines, memory] = [new Lines(), new Lines()];
  const limits = compilePeer("limits", folder);
  const key = newKey(folder);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => new Response(Bun.file(join(folder, new URL(request.url).pathname.slice(1)))),
  });
  const [root, list] = [join(folder, "root"), join(folder, "list.json")];
  try {
    for (const megabytes of MEGABYTES) {
      const bytes = megabytes * 2 ** 20;
      const place = join(folder, String(megabytes));
      mkdirSync(place);
      const file = join(place, "artifact");
      const sha256 = fillNoise(file, bytes);
      const addons = [assignmentOf(file, `${megabytes}/artifact`, sha256, key)];
      writeFileSync(list, JSON.stringify({ addons }));
      await lines.addWays(
        [
          {
            name: "capture, hash of one file",
            role: "ours",
            words: [BINARY, "capture", place, "--no-ignore", "--quiet", "--digest", "working_tree_hash"],
          },
          {
            name: "verify artifact, raw Ed25519",
            role: "ours",
            words: [
              ...[BINARY, "verify", "artifact", file, "--signature", `${file}.raw`, "--quiet"],
              ...["--signature-format", "raw", "--key", key.publicPem],
            ],
          },
          {
            name: "addon-stage over loopback",
            role: "ours",
            words: [
              ...[BINARY, "addon-stage", "--quiet", "--root", root, "--assignments", list],
              ...["--key", key.base64, "--store", server.url.origin, "--allow-insecure-http"],
            ],
            before: () => rmSync(root, { recursive: true, force: true }),
          },
          {
            name: "at the least: hashed in memory, once",
            role: "limit",
            words: [limits, "sha256", String(bytes), "1"],
          },
        ],
        rounds,
        megabytes,
        memory,
        0,
      );
      rmSync(place, { recursive: true });
    }
  } finally {
    await server.stop(true);
  }
  book.curve({ title: "Over bytes", over: "MiB", lines: lines.all });
  book.curve({ title: "Memory, over bytes", over: "MiB", unit: "MB", lines: memory.all });
}

async function overHosts(book: Book, folder: string): Promise<void> {
  const [lines, memory] = [new Lines(), new Lines()];
  await using plane = await ControlPlane.start(join(folder, "plane"));
  await plane.assignTenAddons();
  const load = new Load(folder);
  const request = await plane.poll();
  for (const hosts of HOSTS) {
    const count = Math.max(POLLS, hosts);
    const words = load.words({ server: plane, count, status: 304, request, distinct: hosts, awake: true });
    const [measured] = await measure([{ name: "polls", words, server: plane.pid }], rounds);
    const runs = measured?.runs ?? [];
    const each = (costs: number[]): number[] => costs.map((cost) => (cost / count) * 1000);
    lines.add("a poll", 0, hosts, each(runs.map(({ wall }) => wall)));
    lines.add("processor time of the server for a poll", 0, hosts, each(runs.map(({ cpu }) => cpu)));
    const most = Math.max(...runs.map((run) => run.memory));
    memory.add("memory of the server", null, hosts, [most]);
  }
  book.curve({ title: "A conditional poll, over hosts", over: "hosts", unit: "µs", lines: lines.all });
  book.curve({ title: "Memory, over hosts", over: "hosts", unit: "MB", lines: memory.all });
}

/** What answers with one row, or with a page of them, has one price; what reads all has one for each row. */
async function overRows(book: Book, folder: string): Promise<void> {
  await overPins(book, folder);
  await overVersions(book, folder);
}

async function overPins(book: Book, folder: string): Promise<void> {
  const lines = new Lines();
  const load = new Load(folder);
  const data = join(folder, "pins");
  let there = 0;
  for (const rows of ROWS) {
    {
      await using plane = await ControlPlane.start(data);
      const [count, status, request] = [rows - there, 200, promotion(plane.token)];
      run(load.words({ server: plane, count, status, request, distinct: count, from: there }));
      await askOfPins(plane, rows, lines);
    }
    there = rows;
    lines.add("start of serve", 0, rows, await startsOf(data));
  }
  book.curve({ title: "Over pins, each with its event", over: "rows", lines: lines.all });
}

async function askOfPins(plane: ControlPlane, rows: number, lines: Lines): Promise<void> {
  const newest = `bench-${String(rows - 1).padStart(7, "0")}`;
  const read = reader(plane);
  lines.add("one pin", 0, rows, await timed(() => read(`/v1/pins/${newest}/global`)));
  lines.add("a promotion", 0, rows, await timed((index) => promote(plane, newest, index)));
  lines.add("a page of events, the oldest", 0, rows, await timed(() => read("/v1/events?limit=10")));
  // The server's share alone: the least of curl is more than that of a thousand pins.
  const bearer = `Authorization: Bearer ${plane.token}`;
  const curl = ["curl", "-sf", "-o", "/dev/null", "-H", bearer, `${plane.url}/cp/admin/runtime-image`];
  const [all] = await measure([{ name: "all pins", words: curl, server: plane.pid }], rounds);
  const costs = all?.runs.map(({ cpu }) => cpu) ?? [];
  lines.add("all pins, processor time of the server", 1, rows, costs);
  const audit = ["verify", "audit", "--chain", "--target", `bench=${plane.url}`, "--allow-insecure-http"];
  const words = [BINARY, ...audit, "--token-env", "bench=BENCH_TOKEN", "--quiet"];
  const env = { BENCH_TOKEN: plane.token };
  await lines.addWays([{ name: "verify audit --chain", role: "ours", words, env }], rounds, rows);
}

/** How long a server takes until it answers, with what an earlier one left in its database. */
async function startsOf(data: string): Promise<number[]> {
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await using plane = await ControlPlane.start(data);
    await fetch(`${plane.url}/readyz`);
    costs.push(performance.now() - started);
  }
  return costs;
}

async function overVersions(book: Book, folder: string): Promise<void> {
  const lines = new Lines();
  const load = new Load(folder);
  await using plane = await ControlPlane.start(join(folder, "versions"));
  const name = "bench-0000000";
  const request = promotion(plane.token, name, `${"a".repeat(57)}%n`);
  let there = 0;
  for (const rows of ROWS) {
    const [count, status] = [rows - there, 200];
    run(load.words({ server: plane, count, status, request, distinct: count, from: there }));
    there = rows;
    const read = reader(plane);
    const history = `/v1/pins/${name}/global/history?limit=10`;
    lines.add("one pin", 0, rows, await timed(() => read(`/v1/pins/${name}/global`)));
    lines.add("a page of its history, the newest", 0, rows, await timed(() => read(history)));
    lines.add("a page from its middle", 0, rows, await timed(() => read(`${history}&before=${rows / 2}`)));
    lines.add("a promotion", 0, rows, await timed((index) => promote(plane, name, index)));
  }
  book.curve({ title: "Over versions of one pin", over: "versions", lines: lines.all });
}

function reader(plane: ControlPlane): (path: string) => Promise<void> {
  return async (path) => void (await (await plane.send("GET", path)).text());
}

async function promote(plane: ControlPlane, name: string, index: number): Promise<void> {
  const digest = `sha256:${String(index).padStart(64, "b")}`;
  const body = { template_name: name, image_digest: digest, git_sha: "0123abc" };
  await (await plane.send("POST", "/cp/admin/runtime-image/promote", body)).text();
}

/** Milliseconds of each of some requests, after a few that fill the caches. */
async function timed(request: (index: number) => Promise<void>, count: number = REQUESTS): Promise<number[]> {
  const costs: number[] = [];
  for (let index = -3; index < count; index++) {
    const started = performance.now();
    await request(index + 3);
    if (index >= 0) costs.push(performance.now() - started);
  }
  return costs;
}
