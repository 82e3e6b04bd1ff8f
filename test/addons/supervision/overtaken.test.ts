import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostReport } from "../../../src/addons/staging/stage-host.ts";
import { WatchedRounds } from "../../../src/addons/supervision/watched-rounds.ts";
import { AgentHost, STAYS } from "./agent-process.ts";
import type { Entry } from "../host.ts";

/** A store that sends the beginning of what is asked for and then nothing, but to whoever goes on from there. */
function stallingStore(host: AgentHost): {
  url: string;
  ranges: (string | null)[];
  left: () => number;
  stop: () => void;
} {
  const ranges: (string | null)[] = [];
  let left = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: (request) => {
      const bytes = readFileSync(
        join(host.store, decodeURIComponent(new URL(request.url).pathname).slice(1)),
      );
      const headers = { etag: '"one"', "content-length": String(bytes.length) };
      if (bytes.length < 500_000) return new Response(bytes, { headers });
      const range = request.headers.get("range");
      ranges.push(range);
      const from = Number(/^bytes=(\d+)-$/u.exec(range ?? "")?.[1] ?? 0);
      if (from > 0) {
        const answer = {
          etag: '"one"',
          "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
        };
        return new Response(bytes.subarray(from), { status: 206, headers: answer });
      }
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(bytes.subarray(0, 400_000)),
        cancel: () => void left++,
      });
      return new Response(body, { headers });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    ranges,
    left: () => left,
    stop: () => void server.stop(true),
  };
}

const LARGE = `${STAYS}${"# padding\n".repeat(60_000)}`;

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 800) throw new Error("it did not come to pass within 20 s");
    await Bun.sleep(25);
  }
}

/** While `large` comes, and does not come to an end, `change` makes another list of the two. */
async function changedMeanwhile(
  change: (small: Entry, large: Entry) => Entry[],
  look: (host: AgentHost, store: ReturnType<typeof stallingStore>, both: [Entry, Entry]) => Promise<void>,
): Promise<void> {
  using host = new AgentHost();
  const store = stallingStore(host);
  try {
    const both: [Entry, Entry] = [host.program("small", "1", STAYS), host.program("large", "1", LARGE)];
    host.assign(...both);
    host.start("--store", store.url, "--allow-insecure-http");
    await host.until(({ state }) => state === "running", "small");
    await until(() => store.ranges.length === 1);
    host.assign(...change(...both));
    await look(host, store, both);
    await host.stop();
  } finally {
    store.stop();
  }
}

describe("case 59: a list that changes while an artifact comes", () => {
  test("takes away at once what is not to run any more, and goes on with what came", () =>
    changedMeanwhile(
      (_small, large) => [large],
      async (host, store) => {
        await until(() => host.report("small")?.state === "stopped" || host.report("small") === undefined);
        await host.until(({ state }) => state === "running", "large");
        expect(store.ranges).toEqual([null, expect.stringMatching(/^bytes=[1-9]\d*-$/u)]);
      },
    ));

  test("ends a transfer that nobody wants any more, and goes on with it when it is wanted again", () =>
    changedMeanwhile(
      (small, large) => [small, { ...large, enabled: false }],
      async (host, store, [small, large]) => {
        await until(() => store.left() === 1);
        await host.until(({ state }) => state === "disabled", "large");
        expect(store.ranges).toHaveLength(1);
        const { pid } = host.report("small") ?? {};
        host.assign(small, large);
        await host.until(({ state }) => state === "running", "large");
        expect(store.ranges).toHaveLength(2);
        expect(host.report("small")).toMatchObject({ pid, starts: 1 });
      },
    ));
});

test.each([
  ["before", 0],
  ["while", 1],
])("a server that asks for time %s an artifact comes is left alone meanwhile", async (_when, answers) => {
  using host = new AgentHost();
  const store = stallingStore(host);
  const entries = [host.program("small", "1", STAYS), host.program("large", "1", LARGE)];
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      const isPatient = asked.push("") > answers;
      if (isPatient) return new Response("", { status: 429, headers: { "retry-after": "3600" } });
      return Response.json({ addons: entries });
    },
  });
  const list = `http://127.0.0.1:${server.port}/list`;
  try {
    // Without an answer it obeys what it remembers.
    if (answers === 0) {
      mkdirSync(host.root);
      writeFileSync(join(host.root, "assignments.json"), JSON.stringify({ addons: entries }));
    }
    host.start("--assignments", list, "--store", store.url, "--allow-insecure-http");
    await until(() => store.ranges.length === 1 && asked.length > answers);
    const until5Looks = Date.now() + 1_000;
    await until(() => Date.now() > until5Looks);
    expect(asked).toHaveLength(answers + 1);
    await host.stop();
  } finally {
    store.stop();
    await server.stop(true);
  }
});

test("a list that changes at every look does not keep an artifact away for ever", async () => {
  const stop = new AbortController().signal;
  let [rounds, looks] = [0, 0];
  const agent = {
    // Lasts until somebody gives it up; the fourth one is let go on to its end.
    round: (overtaken: AbortSignal): Promise<null> => {
      const { promise, resolve } = Promise.withResolvers<null>();
      if (++rounds === 4) resolve(null);
      overtaken.addEventListener("abort", () => resolve(null));
      return promise;
    },
    hasOtherList: (): Promise<boolean> => {
      looks++;
      return Promise.resolve(true);
    },
  };
  const watched = new WatchedRounds(agent, { now: () => 0, sleep: () => Promise.resolve() }, 1_000, stop);
  for (const outcome of ["overtaken", "overtaken", "overtaken", null, "overtaken"]) {
    expect(await watched.next()).toBe(outcome as never);
  }
  expect(looks).toBe(4);
});

test("a list that changed is obeyed at once also when the round came to its end all the same", async () => {
  const report: HostReport = {
    ...{ assignments: "source", configVersion: null, results: [], warnings: [], assigned: [] },
    askedMs: null,
  };
  let rounds = 0;
  const agent = {
    round: (overtaken: AbortSignal): Promise<HostReport | null> => {
      const { promise, resolve } = Promise.withResolvers<HostReport | null>();
      if (++rounds === 6) resolve(report);
      overtaken.addEventListener("abort", () => resolve(report));
      return promise;
    },
    hasOtherList: (): Promise<boolean> => Promise.resolve(rounds < 6),
  };
  const clock = { now: () => 0, sleep: () => Bun.sleep(0) };
  const watched = new WatchedRounds(agent, clock, 1_000, new AbortController().signal);
  // More than may be given up: none of these was.
  for (let round = 0; round < 5; round++) expect(await watched.next()).toBe("overtaken");
  expect(await watched.next()).toBe(report);
});
