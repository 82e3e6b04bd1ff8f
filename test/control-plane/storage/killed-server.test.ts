import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { sha256Of } from "../../../src/base/hashing.ts";
import { BINARY, jsonOf, PROGRAM, runWaybill } from "../../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../../support/control-plane.ts";
import { HAS_STRACE } from "../../support/faults.ts";
import { pointsOf } from "../../support/points.ts";
import { emptyDatabase } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { pinned, promote, withServer } from "../served.ts";

/**
 * The server is killed in a stream of writes: promotions, and artifacts, which are a file and a row. What was
 * acknowledged is there when the next one has started, and the record of events holds, from the head on that was
 * noted before.
 */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const ROUNDS = FULL ? 12 : 1;
const LANES = 20;
const WRITES = 200;
const POINTS = {
  SQLite: pointsOf("SIGKILL of serve in a stream of writes, on SQLite"),
  PostgreSQL: pointsOf("SIGKILL of serve in a stream of writes, on PostgreSQL"),
};

type Write = { readonly name: string; readonly isArtifact: boolean };
type Head = { readonly seq: number; readonly sha256: string };

const bytesOf = ({ name }: Write): string => name.repeat(3_000);

async function send(server: ControlPlaneProcess, token: string, write: Write): Promise<boolean> {
  try {
    if (!write.isArtifact) return (await promote(server, token, write.name)).status === 200;
    const bytes = bytesOf(write);
    const answer = await fetch(`${server.address}/v1/artifacts/${sha256Of(bytes)}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}` },
      body: bytes,
    });
    return answer.status === 201;
  } catch {
    return false;
  }
}

/** Writes until so many are acknowledged, kills the server then, and gives those that were. */
async function killedAfter(server: ControlPlaneProcess, token: string, round: number): Promise<Write[]> {
  const acknowledged: Write[] = [];
  // Another moment in each round: the first write, one of the last, and between.
  const wanted = 1 + ((round * 67) % (WRITES - 2 * LANES));
  let killed: Promise<number> | undefined;
  const lane = async (at: number): Promise<void> => {
    if (at >= WRITES) return;
    const write = { name: `w-${round}-${at}`, isArtifact: at % 4 === 3 };
    if (!(await send(server, token, write))) return;
    acknowledged.push(write);
    if (acknowledged.length === wanted) killed = server.stop("SIGKILL");
    await lane(at + LANES);
  };
  await Promise.all(Array.from({ length: LANES }, (_, at) => lane(at)));
  expect(await killed).toBe(137);
  expect(acknowledged.length).toBeGreaterThanOrEqual(wanted);
  return acknowledged;
}

async function isThere(server: ControlPlaneProcess, token: string, write: Write): Promise<boolean> {
  const bytes = bytesOf(write);
  const answer = await fetch(`${server.address}/v1/artifacts/${sha256Of(bytes)}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return answer.status === 200 && (await answer.text()) === bytes;
}

function keptIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function headOf(server: ControlPlaneProcess, auditor: string, noted: Head | null): Promise<Head> {
  const head = noted === null ? [] : ["--expect-head", `${noted.seq}:${noted.sha256}`];
  const target = ["--target", `it=${server.address}`, "--allow-insecure-http"];
  const ran = await runWaybill(["verify", "audit", "--chain", ...target, ...head, "--json"], {
    env: { WAYBILL_TOKEN_IT: auditor },
  });
  const document = jsonOf(ran) as { ok: boolean; chains: { head: Head; problem: string | null }[] };
  expect([ran.code, document.chains[0]?.problem ?? null]).toEqual([0, null]);
  const [chain] = document.chains;
  if (chain === undefined) throw new Error("no chain");
  return chain.head;
}

describe("kill -9 in a stream of writes", () => {
  for (const engine of ["SQLite", "PostgreSQL"] as const) {
    test(
      `loses none that was acknowledged, and no event, on ${engine}`,
      async () => {
        using folder = temporaryFolder();
        await using empty = engine === "SQLite" ? null : await emptyDatabase();
        const place = { data: folder.at("data"), database: empty?.url };
        let server = await startControlPlane(place);
        const token = await server.token(["admin"]);
        const auditor = await server.token(["audit:read"]);
        let head = await headOf(server, auditor, null);
        for (let round = 0; round < ROUNDS; round++) {
          const acknowledged = await killedAfter(server, token, round);
          server = await startControlPlane(place);
          const pins = new Set(await pinned(server, token));
          for (const write of acknowledged) {
            await POINTS[engine].try(async () => {
              const found = write.isArtifact ? await isThere(server, token, write) : pins.has(write.name);
              expect([write, found]).toEqual([write, true]);
            });
          }
          await POINTS[engine].try(async () => {
            // What was under way has its file and its row, or neither.
            for (const sha256 of keptIn(folder.at("data/artifacts"))) {
              const url = `${server.address}/v1/artifacts/${sha256}`;
              const answer = await fetch(url, {
                method: "HEAD",
                headers: { authorization: `Bearer ${token}` },
              });
              expect([sha256, answer.status]).toEqual([sha256, 200]);
            }
          });
          head = await headOf(server, auditor, head);
        }
        expect(await server.stop()).toBe(0);
      },
      FULL ? 600_000 : 60_000,
    );
  }

  test.skipIf(!HAS_STRACE || BINARY === null)(
    "no answer leaves before its write is on the disk",
    async () => {
      using folder = temporaryFolder();
      const data = folder.at("data");
      const log = folder.at("log");
      await withServer(
        async (first) => {
          const token = await first.token(["admin"]);
          await first.stop();
          const under = [
            "strace",
            "-f",
            "-qq",
            "-y",
            "-o",
            log,
            "-e",
            "trace=fsync,fdatasync,sendto,write,writev,sendmsg",
          ];
          const child = Bun.spawn(
            [...under, ...PROGRAM, "serve", "--json", "--listen", "127.0.0.1:0", "--data", data],
            {
              stdin: "ignore",
              stdout: "pipe",
              stderr: "ignore",
            },
          );
          const { value } = await child.stdout.getReader().read();
          const { listening } = JSON.parse(new TextDecoder().decode(value)) as { listening: string };
          for (let at = 0; at < 20; at++) {
            expect((await promote({ ...first, address: listening }, token, `t-${at}`)).status).toBe(200);
          }
          const [pid] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ");
          process.kill(Number(pid), "SIGTERM");
          await child.exited;
        },
        { data },
      );
      const lines = readFileSync(log, "utf8").split("\n");
      const answers = lines.flatMap((line, at) => (/HTTP\/1\.1 200/u.test(line) ? [at] : []));
      const synced = lines.flatMap((line, at) =>
        /f(?:data)?sync\(\d+<[^>]*-wal>\) = 0/u.test(line) ? [at] : [],
      );
      expect(answers).toHaveLength(20);
      for (const [index, answer] of answers.entries()) {
        const before = answers[index - 1] ?? 0;
        expect([index, synced.some((at) => at > before && at < answer)]).toEqual([index, true]);
      }
    },
  );
});
