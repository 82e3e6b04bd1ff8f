import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { startControlPlane } from "../../src/control-plane/control-plane.ts";
import { CLEAN_ENVIRONMENT, PROGRAM } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { rejection } from "./plane.ts";

type Starting = {
  readonly pid: number;
  /** The bucket answers from here on, and the server goes on with its start. */
  readonly goOn: () => void;
  /** What it says until the word is in it. */
  readonly told: (word: string) => Promise<string>;
  readonly ended: Promise<[code: number | null, stdout: string]>;
};

/**
 * A server in the middle of its start: it has asked its bucket, which answers when it is told to. The signals of a test
 * come at that moment.
 */
async function starting(work: (server: Starting) => Promise<void>): Promise<void> {
  using folder = temporaryFolder();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  using bucket = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async () => {
      asked.resolve();
      await answer.promise;
      return new Response(null);
    },
  });
  const env = {
    ...CLEAN_ENVIRONMENT,
    AWS_ACCESS_KEY_ID: "AK",
    AWS_SECRET_ACCESS_KEY: "secret-key-1",
    AWS_ENDPOINT_URL: `http://127.0.0.1:${bucket.port}`,
  };
  const place = ["--data", folder.at("data"), "--listen", "127.0.0.1:0", "--artifacts", "s3://b-1"];
  const child = Bun.spawn([...PROGRAM, "serve", "--json", ...place], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const errors = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  const told = async (word: string): Promise<string> => {
    while (!said.includes(word)) {
      const { value, done } = await errors.read();
      if (done) throw new Error(`it ended and said: ${said}`);
      said += value;
    }
    return said;
  };
  const stdout = child.stdout.text();
  const ended = (async (): Promise<[number | null, string]> => {
    await child.exited;
    return [child.exitCode, await stdout];
  })();
  try {
    await Promise.race([asked.promise, ended]);
    await work({ pid: child.pid, goOn: answer.resolve, told, ended });
  } finally {
    answer.resolve();
    child.kill("SIGKILL");
    await child.exited;
  }
}

describe("a server that has not started yet", () => {
  test("keeps a SIGHUP for when it has, and takes what is new by then", async () => {
    await starting(async ({ pid, goOn, told, ended }) => {
      process.kill(pid, "SIGHUP");
      goOn();
      expect(await told("reloaded")).not.toContain("not reloaded");
      process.kill(pid, "SIGTERM");
      const [code, stdout] = await ended;
      expect([code, (JSON.parse(stdout) as { ok: boolean }).ok]).toEqual([0, true]);
    });
  });

  test("ends with 0 at a SIGTERM, and waits for nobody", async () => {
    await starting(async ({ pid, ended }) => {
      process.kill(pid, "SIGTERM");
      const [code, stdout] = await ended;
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, listening: null });
    });
  });

  test("that was stopped meanwhile never listens, and gives everything free", async () => {
    using folder = temporaryFolder();
    const socket = folder.at("socket");
    const options = {
      ...{ dataDirectory: folder.at("data"), postgres: null, bucket: null, quota: null, tls: null },
      ...{ tokenRate: null, trustPolicy: () => null, now: () => new Date() },
      listen: { kind: "unix", path: socket } as const,
      log: { request: null, fault: () => {} },
    };
    const stop = new AbortController();
    const stopped = startControlPlane({ ...options, stop: stop.signal });
    // It has its folder by now, and opens its database.
    stop.abort("SIGTERM");
    expect(await rejection(stopped)).toMatchObject({
      code: "terminated",
      message: expect.stringContaining("starting"),
    });
    expect(existsSync(socket)).toBe(false);
    const plane = await startControlPlane({ ...options, stop: new AbortController().signal });
    expect(existsSync(socket)).toBe(true);
    await plane.stop(0);
  });
});
