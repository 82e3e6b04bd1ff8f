import { describe, expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/base/failure.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { SourceFields } from "../../src/context/capture-document.ts";
import type { Submission } from "../../src/context/build-record.ts";
import { submitBuild, type SubmittedArchive, type SubmittedBuild } from "../../src/context/submit.ts";
import type { Clock } from "../../src/host/clock.ts";
import { scriptedServer, type Answer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();
const HASH = "a".repeat(64);
const FIELDS = { source_commit: "b".repeat(40), source_dirty: false, working_tree_hash: HASH };
const POST = "POST /v5/builds";
const GET = `GET /v5/builds?working_tree_hash=${HASH}&limit=100`;
const NONE: Answer = { body: '{"items":[],"has_more":false}' };
const MADE: Answer = {
  status: 201,
  body: JSON.stringify({ id: "made", build_status: "queued", working_tree_hash: HASH }),
};
const RECORD = {
  id: "old",
  build_status: "success",
  image_name: "app",
  image_tag: "latest",
  agent_name: "app",
  platform: null,
  ...FIELDS,
  source_repo: null,
};
const listing = (...items: readonly object[]): Answer => ({ body: JSON.stringify({ items }) });

/** Time passes only where somebody waits, and then all of it at once. */
class QuickClock implements Clock {
  waited: number[] = [];
  now(): number {
    return this.waited.reduce((sum, ms) => sum + ms, 0);
  }
  async sleep(ms: number): Promise<void> {
    this.waited.push(ms);
  }
}

function archive(isHashed = true): SubmittedArchive {
  const path = join(newFolder(), "context.tar.gz");
  writeFileSync(path, "archive");
  return { path, isHashed };
}

function submissionTo(url: string, more: Partial<Submission> = {}): Submission {
  return {
    url: new URL(url),
    headers: { authorization: "Bearer token" },
    imageName: "app",
    imageTag: undefined,
    agent: { agent_name: "app" },
    platform: undefined,
    buildArgs: {},
    again: false,
    deadlineMs: 10_000,
    ...more,
  };
}

type Ended = {
  build: SubmittedBuild | null;
  failure: Failure | null;
  server: ScriptedServer;
  clock: QuickClock;
};

async function submitted(
  plan: Plan,
  more: Partial<Submission> = {},
  isHashed = true,
  fields: SourceFields = FIELDS,
): Promise<Ended> {
  await using server = await scriptedServer(plan);
  const clock = new QuickClock();
  const never = new AbortController().signal;
  try {
    const build = await submitBuild(submissionTo(server.url, more), fields, archive(isHashed), clock, never);
    return { build, failure: null, server, clock };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { build: null, failure: error, server, clock };
  }
}

describe("a build that is recorded already", () => {
  test("is not sent again", async () => {
    const { build, server } = await submitted({ [GET]: listing(RECORD), [POST]: MADE });
    expect(build).toEqual({ id: "old", build_status: "success", existing: true });
    expect(server.attempts(POST)).toBe(0);
  });

  test("is sent when that is asked for, and then nobody is asked first", async () => {
    const { build, server } = await submitted({ [GET]: listing(RECORD), [POST]: MADE }, { again: true });
    expect([build?.id, server.attempts(GET), server.attempts(POST)]).toEqual(["made", 0, 1]);
  });

  const others: readonly [string, object, Partial<Submission>?][] = [
    ["failed", { ...RECORD, build_status: "failed" }],
    ["cancelled", { ...RECORD, build_status: "cancelled" }],
    ["of another image", { ...RECORD, image_name: "other" }],
    ["of another tag", { ...RECORD, image_tag: "v1" }],
    ["of another agent", { ...RECORD, agent_name: "other" }],
    ["for another platform", { ...RECORD, platform: "linux/arm64" }],
    ["that does not say its platform", RECORD, { platform: "linux/arm64" }],
    ["from another commit", { ...RECORD, source_commit: "c".repeat(40) }],
    ["from a dirty tree", { ...RECORD, source_dirty: true }],
    ["that says less", { ...RECORD, source_commit: null }],
    ["that says more", { ...RECORD, source_ref: "main" }],
    ["with build arguments, which no record shows", RECORD, { buildArgs: { A: "1" } }],
    ["that is no build", { id: 1 }],
  ];
  test.each(others)("%s is another build", async (_name, item, more = {}) => {
    const { build, server } = await submitted({ [GET]: listing(item), [POST]: MADE }, more);
    expect([build, server.attempts(POST)]).toEqual([
      { id: "made", build_status: "queued", existing: false },
      1,
    ]);
  });

  const silent: readonly [string, Answer][] = [
    ["may not read", { status: 403 }],
    ["finds no such route", { status: 404 }],
    ["gets a failure", { status: 500 }],
    ["gets no JSON", { body: "<html>" }],
    ["gets a list of another shape", { body: "[]" }],
    ["gets no answer", { send: "nothing" }],
  ];
  test.each(silent)("is not known to who %s; the build is sent", async (_name, answer) => {
    const { build } = await submitted({ [GET]: answer, [POST]: MADE });
    expect(build?.id).toBe("made");
  });
});

describe("a build whose Dockerfile the tree hash does not cover", () => {
  const sha256 = sha256Of("archive");
  test.each<[string, object, string]>([
    ["is known by its archive", { context_archive: { sha256, bytes: 7 } }, "old"],
    ["is another one with another archive", { context_archive: { sha256: HASH, bytes: 7 } }, "made"],
    ["is another one where records show no archive", {}, "made"],
  ])("%s", async (_what, shown, id) => {
    const plan = { [GET]: listing({ ...RECORD, ...shown }), [POST]: MADE };
    expect((await submitted(plan, {}, false)).build?.id).toBe(id);
  });
});

describe("a refusal for now", () => {
  test("is obeyed, and the upload sent again", async () => {
    const busy: Answer = { status: 503, headers: { "retry-after": "7" } };
    // Dates of long ago: it is the server's own clock that they count by.
    const dated: Answer = {
      status: 429,
      headers: { "retry-after": "Sun, 01 Jan 2006 00:00:10 GMT", date: "Sun, 01 Jan 2006 00:00:05 GMT" },
    };
    const { build, server, clock } = await submitted({ [GET]: NONE, [POST]: [busy, dated, MADE] });
    expect([build?.id, server.attempts(POST), clock.waited]).toEqual(["made", 3, [7_000, 5_000]]);
  });

  const ends: readonly [string, Answer, string][] = [
    ["without a time", { status: 503 }, "server_failed"],
    ["with a time, but not for now", { status: 500, headers: { "retry-after": "1" } }, "server_failed"],
    ["with a time that is none", { status: 429, headers: { "retry-after": "soon" } }, "rate_limited"],
    ["that is longer than anybody waits", { status: 429, headers: { "retry-after": "121" } }, "rate_limited"],
  ];
  test.each(ends)("%s is the answer", async (_name, answer, code) => {
    const { failure, server, clock } = await submitted({ [GET]: NONE, [POST]: answer });
    expect([failure?.code as string, server.attempts(POST), clock.waited]).toEqual([code, 1, []]);
  });

  test.each(["0", "Wed, 31 Dec 2025 23:00:00 GMT"])("of %s is not hammered at", async (time) => {
    const busy: Answer = { status: 429, headers: { "retry-after": time } };
    const { failure, clock } = await submitted({ [GET]: NONE, [POST]: busy });
    expect(failure?.code).toBe("rate_limited");
    expect(clock.waited).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
  });

  test("that never ends is given up", async () => {
    const busy: Answer = { status: 429, headers: { "retry-after": "50" } };
    const { failure, clock } = await submitted({ [GET]: NONE, [POST]: busy });
    expect([failure?.code, clock.waited]).toEqual(["rate_limited", [50_000, 50_000]]);
  });
});

test("a server that is not there is tried for a while, and no more", async () => {
  const server = await scriptedServer({});
  const { url } = server;
  await server[Symbol.asyncDispose]();
  const clock = new QuickClock();
  const stop = new AbortController().signal;
  const sent = submitBuild(submissionTo(url), FIELDS, archive(), clock, stop);
  expect(sent).rejects.toMatchObject({ code: "connection_failed" });
  expect(clock.waited).toEqual([1_000, 2_000, 4_000]);
});

describe("an upload without an answer", () => {
  const lost: Answer = { send: "nothing" };

  test("is proven by the record that is there now and was not before", async () => {
    const { build, server } = await submitted({ [GET]: [NONE, listing(RECORD)], [POST]: lost });
    expect([build, server.attempts(POST)]).toEqual([
      { id: "old", build_status: "success", existing: false },
      1,
    ]);
  });

  const open: readonly [string, Answer | readonly Answer[], Partial<Submission>][] = [
    ["when no record is there", NONE, {}],
    ["when nobody could be asked before", [{ status: 403 }, listing(RECORD)], {}],
    ["when nobody was asked before", listing(RECORD), { again: true }],
  ];
  test.each(open)("%s may have arrived or not, and is not sent twice", async (_name, get, more) => {
    const { failure, server } = await submitted({ [GET]: get, [POST]: lost }, more);
    expect([failure?.code, failure?.exitCode, server.attempts(POST)]).toEqual(["outcome_unknown", 14, 1]);
  });

  test("case 70: from a slow server may have arrived or not, and is not sent twice", async () => {
    const silent: Answer = { send: "nothing", then: "stall" };
    const { failure, server } = await submitted({ [GET]: NONE, [POST]: silent }, { deadlineMs: 300 });
    expect([failure?.code, server.attempts(POST)]).toEqual(["outcome_unknown", 1]);
    expect(failure?.message).toContain("no whole answer within 300 ms");
  });

  test("but with a failure of the server is that failure", async () => {
    const { failure } = await submitted({ [GET]: NONE, [POST]: { status: 502 } });
    expect([failure?.code, failure?.exitCode]).toEqual(["server_failed", 13]);
  });
});

const ANSWERS: readonly [string, Answer, string][] = [
  ["401", { status: 401 }, "unauthorized"],
  ["413", { status: 413 }, "request_rejected"],
  ["a redirect", { status: 307, headers: { location: "http://127.0.0.1:1/" } }, "redirect_refused"],
  ["no JSON", { body: "<html>" }, "answer_not_json"],
  ["another shape", { body: "{}" }, "answer_malformed"],
  ["another hash", { body: '{"id":"x","build_status":"y","working_tree_hash":"z"}' }, "response_mismatch"],
  ["no hash", { body: '{"id":"x","build_status":"y"}' }, "response_mismatch"],
];
test.each(ANSWERS)("case 70: an answer with %s is a failure of its own kind", async (_name, answer, code) => {
  const { failure, server } = await submitted({ [GET]: NONE, [POST]: answer });
  expect([failure?.code as string, server.attempts(POST)]).toEqual([code, 1]);
});

test("case 63: an archive over the server's limit is refused before anything is sent", async () => {
  await using server = await scriptedServer({});
  const large = archive();
  truncateSync(large.path, LIMITS.contextArchiveBytes + 1);
  const sent = submitBuild(
    submissionTo(server.url),
    FIELDS,
    large,
    new QuickClock(),
    new AbortController().signal,
  );
  expect(sent).rejects.toMatchObject({ code: "request_rejected" });
  await sent.catch(() => {});
  expect(server.connections()).toBe(0);
});

test("case 69: the form has the six fields and what the API asks for, and nothing else", async () => {
  const more = { imageTag: "v1", platform: "linux/amd64" };
  const { server } = await submitted({ [GET]: NONE, [POST]: MADE }, more, true, {
    source_repo: "git.example.com/team/app",
    source_ref: "main",
    source_subpath: "app",
    ...FIELDS,
  });
  const [form] = server.requests.filter(({ method }) => method === "POST");
  const names = [...(form?.body ?? "").matchAll(/; name="([^"]*)"/gu)].map(([, name]) => name);
  expect(names).toEqual([
    "image_name",
    "agent_name",
    "image_tag",
    "platform",
    "source_repo",
    "source_ref",
    "source_subpath",
    "source_commit",
    "source_dirty",
    "working_tree_hash",
    "context_archive",
  ]);
  expect(form?.body).toContain('name="source_dirty"\r\n\r\nfalse\r\n');
});

test("a stop while waiting ends it", async () => {
  const stop = new AbortController();
  await using server = await scriptedServer({
    [GET]: NONE,
    [POST]: { status: 503, headers: { "retry-after": "1" } },
  });
  const clock = new QuickClock();
  const stopping = {
    now: () => clock.now(),
    sleep: async () => stop.abort("SIGTERM"),
  };
  const sent = submitBuild(submissionTo(server.url), FIELDS, archive(), stopping, stop.signal);
  expect(sent).rejects.toMatchObject({ code: "terminated" });
  await sent.catch(() => {});
});
