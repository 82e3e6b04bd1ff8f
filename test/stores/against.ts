import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { Host, type Entry, type StageRun } from "../addons/host.ts";
import {
  scriptedServer,
  type Answer,
  type Received,
  type ScriptedServer,
  type Step,
} from "../support/scripted-server.ts";

/** Large enough to come in several pieces. */
export const PROGRAM: string = `#!/bin/sh\necho app\n${"# padding\n".repeat(40_000)}`;
export const BYTES: Buffer = Buffer.from(PROGRAM);
export const ETAG: string = '"v1"';

export type Try = {
  readonly run: StageRun;
  readonly host: Host;
  readonly requests: readonly Received[];
  readonly staged: string | null;
};

/** One run against a store that answers as planned, with the program's route filled in. */
export async function against(
  steps: Step | readonly Step[],
  look: (tried: Try) => void | Promise<void>,
  flags: readonly string[] = [],
  env: Record<string, string> = {},
  entry: Entry = {},
): Promise<void> {
  using host = new Host();
  const assignment = host.program("app", "1.0", PROGRAM, entry);
  host.assign(assignment);
  const route = `GET /${String(assignment["artifact_object_key"])}`;
  await using server = await scriptedServer({ [route]: steps });
  const run = await stage(host, server, flags, env);
  await look({ run, host, requests: server.requests, staged: stagedIn(host) });
}

export async function stage(
  host: Host,
  server: ScriptedServer,
  flags: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<StageRun> {
  const store = flags.includes("--store") ? [] : ["--store", server.url];
  const budget = flags.includes("--retry-budget") ? [] : ["--retry-budget", "3s"];
  return host.stage([...store, "--allow-insecure-http", ...budget, ...flags], env);
}

export function stagedIn(host: Host): string | null {
  const path = host.path("app", "current", "app");
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

export const whole: Answer = { body: BYTES, headers: { etag: ETAG } };

/** A server that knows ranges. */
export function ranged(more: Partial<Answer> = {}, etag: string = ETAG): Step {
  return (request) => {
    const first = Number(/^bytes=(\d+)-$/u.exec(request.headers["range"] ?? "")?.[1] ?? 0);
    if (first === 0) return { ...whole, ...more };
    return {
      status: 206,
      body: BYTES.subarray(first),
      headers: { etag, "content-range": `bytes ${first}-${BYTES.length - 1}/${BYTES.length}` },
      ...more,
    };
  };
}

export const cut: Answer = { ...whole, bodyBytes: Math.floor(BYTES.length * 0.99) };

/** Where a request goes on after `cut`. What had come and nobody had read yet is lost with its connection. */
export function goesOn(request: Received | undefined): boolean {
  const first = Number(/^bytes=(\d+)-$/u.exec(request?.headers["range"] ?? "")?.[1] ?? 0);
  return first > 0 && first <= (cut.bodyBytes ?? 0);
}

export function succeeded({ run, staged }: Try): void {
  expect(run.document.addons.map(({ outcome, error }) => [outcome, error?.code])).toEqual([
    ["staged", undefined],
  ]);
  expect(run.exit).toBe(0);
  expect(staged).toBe(PROGRAM);
}

/** Ends with this code and class, and nothing was staged. */
export function failed({ run, staged }: Try, code: string, exit: number): void {
  expect(run.document.addons.map(({ error }) => error?.code)).toEqual([code]);
  expect(run.exit).toBe(exit);
  expect(staged).toBeNull();
}
