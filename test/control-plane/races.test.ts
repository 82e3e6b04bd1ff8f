import { describe, expect, test } from "bun:test";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runWaybill } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { pointsOf } from "../support/points.ts";
import { emptyDatabase } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { digestOf } from "./plane.ts";
import { pinned, promote, withServer } from "./served.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const SERVERS = pointsOf("four serves that start at once on one data folder");
const TWO = pointsOf("two serves on one PostgreSQL database, one of them killed in a stream of writes");
const PROMOTES = pointsOf("two promotes of one pin at once");

const rounds = (many: number, few: number): number[] => [...Array(FULL ? many : few).keys()];

describe("servers that start at once on one data folder", () => {
  test(
    "are one, and three that say so; and it goes on after a kill",
    async () => {
      using folder = temporaryFolder();
      const data = folder.at("data");
      for (const round of rounds(12, 2)) {
        await SERVERS.try(async () => {
          const children = [0, 1, 2, 3].map(() =>
            Bun.spawn([...PROGRAM, "serve", "--json", "--listen", "127.0.0.1:0", "--data", data], {
              env: { ...CLEAN_ENVIRONMENT },
              stdin: "ignore",
              stdout: "pipe",
              stderr: "ignore",
            }),
          );
          const lines = await Promise.all(
            children.map(async ({ stdout }) => {
              const { value } = await stdout.getReader().read();
              return JSON.parse(new TextDecoder().decode(value)) as { ok: boolean; error?: { code: string } };
            }),
          );
          for (const child of children) child.kill("SIGKILL");
          await Promise.all(children.map(({ exited }) => exited));
          const codes = lines.map(({ ok, error }) => (ok ? "listens" : String(error?.code))).toSorted();
          expect([round, codes]).toEqual([round, ["listens", "lock_held", "lock_held", "lock_held"]]);
        });
      }
    },
    FULL ? 300_000 : 60_000,
  );
});

async function chainOf(server: ControlPlaneProcess, auditor: string): Promise<unknown> {
  const words = ["verify", "audit", "--chain", "--target", `it=${server.address}`, "--allow-insecure-http"];
  const ran = await runWaybill([...words, "--json"], { env: { WAYBILL_TOKEN_IT: auditor } });
  return { code: ran.code, chains: jsonOf(ran)["chains"] };
}

test(
  "two servers on one database, one of them killed: the other goes on, nothing is lost, one chain holds",
  async () => {
    for (const round of rounds(6, 1)) {
      await using empty = await emptyDatabase();
      const servers = await Promise.all([0, 1].map(() => startControlPlane({ database: empty.url })));
      const [first, second] = servers;
      if (first === undefined || second === undefined) throw new Error("no servers");
      const token = await first.token(["pins:read", "pins:write"]);
      const auditor = await first.token(["audit:read"]);
      const acknowledged: string[] = [];
      let killed: Promise<number> | undefined;
      const lane = async (server: ControlPlaneProcess, at: number): Promise<void> => {
        if (at >= 120) return;
        const answer = await promote(server, token, `t-${at}`).catch(() => null);
        if (answer?.status === 200) acknowledged.push(`t-${at}`);
        if (acknowledged.length === 30 + round * 10) killed ??= first.stop("SIGKILL");
        if (answer !== null) await lane(server, at + 20);
      };
      await Promise.all(Array.from({ length: 20 }, (_, at) => lane(at % 2 === 0 ? first : second, at)));
      expect(await killed).toBe(137);
      const there = new Set(await pinned(second, token));
      for (const name of acknowledged)
        await TWO.try(async () => expect([name, there.has(name)]).toEqual([name, true]));
      expect(await chainOf(second, auditor)).toMatchObject({ code: 0, chains: [{ problem: null }] });
      expect(await second.stop()).toBe(0);
    }
  },
  FULL ? 300_000 : 60_000,
);

type Ended = { readonly code: number; readonly outcome: string | undefined };

async function promoted(
  server: ControlPlaneProcess,
  token: string,
  image: string,
  more: readonly string[],
): Promise<Ended> {
  const pin = ["--template", "it", "--digest", digestOf(image), "--target", `it=${server.address}`];
  const ran = await runWaybill(["promote", ...pin, ...more, "--allow-insecure-http", "--json"], {
    env: { WAYBILL_TOKEN_IT: token },
  });
  const { legs } = jsonOf(ran) as { legs: { outcome: string }[] };
  return { code: ran.code, outcome: legs[0]?.outcome };
}

async function pinOf(server: ControlPlaneProcess, token: string): Promise<string> {
  const answer = await fetch(`${server.address}/cp/admin/runtime-image`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { pins } = (await answer.json()) as { pins: { image_digest: string }[] };
  expect(pins).toHaveLength(1);
  return pins[0]?.image_digest ?? "";
}

test(
  "two promotes at once: the pin is one of them, and with --expect-previous one alone says 0",
  async () => {
    await withServer(async (server) => {
      const token = await server.token(["pins:read", "pins:write"]);
      const auditor = await server.token(["audit:read"]);
      expect((await promoted(server, token, "start", [])).code).toBe(0);
      let now = digestOf("start");
      for (const round of rounds(40, 3)) {
        const isConditional = round % 2 === 0;
        const images = ["left", "right"].map((side) => `${side}-${round}`);
        const more = isConditional ? ["--expect-previous", now] : [];
        await PROMOTES.try(async () => {
          const ended = await Promise.all(images.map((image) => promoted(server, token, image, more)));
          now = await pinOf(server, token);
          const winner = images.findIndex((image) => digestOf(image) === now);
          const told = { round, ended, winner };
          expect({ ...told, wins: ended[winner]?.code }).toEqual({ ...told, wins: 0 });
          const other = ended[1 - winner]?.code ?? -1;
          // 0: it landed, was read back, and was replaced after that;
          // 8: it was another's when it was read back; 11: before.
          const allowed = isConditional ? [11] : [0, 8, 11];
          expect({ ...told, isHonest: allowed.includes(other) }).toEqual({ ...told, isHonest: true });
        });
      }
      expect(await chainOf(server, auditor)).toMatchObject({ code: 0 });
    });
  },
  FULL ? 300_000 : 60_000,
);
