/**
 * What the control plane takes: durable promotions beside one transaction for each and beside an echo, and the polls
 * of hosts beside a bare 304. The server has one processor, the load the other.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measure, report, type Way } from "./rounds.ts";

const waybill = process.env["WAYBILL_BINARY"] ?? "waybill";
const rounds = Number(Bun.argv[2] ?? 7);
const peers = join(import.meta.dir, "peers");
const folder = mkdtempSync(join(tmpdir(), "waybill-bench-serve-"));
const ON_ONE = Bun.which("taskset") === null ? [] : ["taskset", "-c", "0"];
const ON_OTHER = Bun.which("taskset") === null ? [] : ["taskset", "-c", "1"];
const LANES = 64;
const WRITES = 20_000;
const POLLS = 40_000;
const servers: { kill: () => void }[] = [];

async function start(words: readonly string[]): Promise<string> {
  const child = Bun.spawn([...ON_ONE, ...words], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  servers.push(child);
  const { value } = await child.stdout.getReader().read();
  return new URL(JSON.parse(new TextDecoder().decode(value)).listening).port;
}

function token(data: string): string {
  const made = Bun.spawnSync([waybill, "token", "new", "--data", data, "--scope", "admin", "--quiet"]);
  return made.stdout.toString().trim();
}

function load(name: string, port: string, count: number, status: number, request: string): Way {
  const file = join(folder, name.replaceAll(/\W+/gu, "-"));
  writeFileSync(file, request);
  const words = [
    process.execPath,
    join(peers, "serve-load.ts"),
    port,
    String(count),
    String(LANES),
    String(status),
  ];
  const awake = status === 304 ? ["awake"] : [];
  return { name, words: [...ON_OTHER, ...words, file, ...awake] };
}

function promotion(bearer: string): string {
  const body = JSON.stringify({
    template_name: "bench-%n",
    image_digest: `sha256:${"ab".repeat(32)}`,
    git_sha: "0123abc",
  });
  const length = body.length - 2 + 7;
  return `POST /cp/admin/runtime-image/promote HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

async function poll(port: string, bearer: string): Promise<string> {
  const path = "/v1/addons/assignments?platform=linux/amd64&host=";
  const headers = { authorization: `Bearer ${bearer}` };
  const { headers: found } = await fetch(`http://127.0.0.1:${port}${path}host-0000000`, { headers });
  return `GET ${path}host-%n HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer}\r\nIf-None-Match: ${found.get("etag")}\r\n\r\n`;
}

/** Ten packages on every host. */
async function publish(port: string, bearer: string): Promise<void> {
  const send = async (method: string, path: string, body: object | string): Promise<void> => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { authorization: `Bearer ${bearer}` };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body: text });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const sha256 = new Bun.CryptoHasher("sha256").update("x").digest("hex");
  await send("PUT", `/v1/artifacts/${sha256}`, "x");
  for (let at = 0; at < 10; at++) {
    const artifacts = { "linux/amd64": { object_key: `a/${sha256}`, sha256 } };
    await send("POST", "/v1/addons/packages", {
      addon_id: `addon-${at}`,
      version: "1.0.0",
      binary: "a",
      artifacts,
    });
    await send("PUT", `/v1/addons/assignments/addon-${at}`, { version: "1.0.0" });
  }
}

try {
  const [data, other] = [join(folder, "waybill"), join(folder, "each")];
  const grouped = await start([waybill, "serve", "--listen", "127.0.0.1:0", "--data", data, "--json"]);
  const each = await start([process.execPath, join(peers, "serve-each.ts"), other]);
  const bare = await start([process.execPath, join(peers, "serve-bare.ts")]);
  const [bearer, otherBearer] = [token(data), token(other)];
  const writes = [
    load("durable promotions", grouped, WRITES, 200, promotion(bearer)),
    load("an fsync for each", each, WRITES, 200, promotion(otherBearer)),
    load("an echo", bare, WRITES, 200, promotion(bearer)),
  ];
  const durable = report(`${WRITES} promotions over ${LANES} connections`, await measure(writes, rounds), [
    { of: "durable promotions", against: "an fsync for each", most: 1 / 9 },
    { of: "durable promotions", against: "an echo", most: 2.5 },
  ]);
  await publish(grouped, bearer);
  const polls = [
    load("polls of hosts", grouped, POLLS, 304, await poll(grouped, bearer)),
    load("a bare 304", bare, POLLS, 304, await poll(grouped, bearer)),
  ];
  const quick = report(`${POLLS} conditional polls over ${LANES} connections`, await measure(polls, rounds), [
    { of: "polls of hosts", against: "a bare 304", most: 1 / 0.6 },
  ]);
  process.exitCode = durable && quick ? 0 : 1;
} finally {
  for (const server of servers) server.kill();
  rmSync(folder, { recursive: true, force: true });
}
