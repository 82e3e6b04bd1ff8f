import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIST, listing, NEW, OLD, row } from "../pins/rows.ts";
import { jsonOf, runProgram, runWaybill, type Finished } from "../support/binary.ts";
import { CAN_MAKE_CERTIFICATES, makeCertificates, type Certificates } from "../support/certificates.ts";
import { closedPort } from "../support/raw-server.ts";
import { scriptedServer, type Answer } from "../support/scripted-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

/** What the usual script of bash, curl and python3 does: its exit code, or that it never ends. */
type Script = 0 | 1 | 6 | 7 | "hangs";
type Decision = {
  readonly what: string;
  readonly answer: Answer;
  readonly script: Script;
  /** Ours: the exit code, and the code of the failure, or null. */
  readonly ours: readonly [number, string | null];
  /** What our standard error holds. */
  readonly says?: string;
};

const PAIR = (first: string, second: string): Answer => listing(row(first), row(second));
const TWICE = `{"pins":[{"template_name":"codex","region":"global","image_digest":"${OLD}","image_digest":"${NEW}"}]}`;
const EVIL = '{"error":"x"}\n::stop-commands::x\n::set-output name=digest::evil\n';

const DECISIONS: readonly Decision[] = [
  { what: "the right row", answer: listing(row(NEW)), script: 0, ours: [0, null] },
  {
    what: "another digest",
    answer: listing(row(OLD)),
    script: 1,
    ours: [8, "pin_mismatch"],
    says: "PIN MISMATCH",
  },
  { what: "no row", answer: listing(), script: 1, ours: [7, "row_missing"], says: "0 rows" },
  {
    what: "a login page with 200",
    answer: { body: "<html><form>", headers: { "content-type": "text/html" } },
    script: 1,
    ours: [10, "answer_not_json"],
    says: "text/html",
  },
  { what: "an empty 200", answer: { body: "" }, script: 1, ours: [10, "answer_empty"], says: "empty body" },
  { what: "a row that is null", answer: listing(null, row(NEW)), script: 1, ours: [10, "answer_malformed"] },
  {
    what: "pins that are an object",
    answer: { body: JSON.stringify({ pins: { codex: row(NEW) } }) },
    script: 1,
    ours: [10, "answer_malformed"],
  },
  // Red where it should be green: the API's own description promises this form.
  { what: "a bare list", answer: { body: JSON.stringify([row(NEW)]) }, script: 1, ours: [0, null] },
  // Green where it should be red.
  {
    what: "two rows, the right one first",
    answer: PAIR(NEW, OLD),
    script: 0,
    ours: [10, "answer_ambiguous"],
  },
  {
    what: "two rows, the stale one first",
    answer: PAIR(OLD, NEW),
    script: 1,
    ours: [10, "answer_ambiguous"],
  },
  {
    what: "a digest with a line break after it",
    answer: listing(row(`${NEW}\n`)),
    script: 0,
    ours: [10, "answer_malformed"],
  },
  {
    what: "a row after it that is null",
    answer: listing(row(NEW), null),
    script: 0,
    ours: [10, "answer_malformed"],
  },
  {
    what: "a reference of another digest",
    answer: listing(row(NEW, { image_ref: `r.example/codex@${OLD}` })),
    script: 0,
    ours: [8, "row_inconsistent"],
  },
  {
    what: "a number that JSON has not",
    answer: { body: JSON.stringify({ pins: [row(NEW)], took: 0 }).replace(/0\}$/u, "NaN}") },
    script: 0,
    ours: [10, "answer_not_json"],
  },
  {
    what: "a listing that is said to be compressed",
    answer: { ...listing(row(NEW)), headers: { "content-encoding": "gzip" } },
    script: 0,
    ours: [10, "answer_malformed"],
  },
  {
    what: "a listing that a cache remembers",
    answer: { ...listing(row(NEW)), headers: { age: "5" } },
    script: 0,
    ours: [10, "answer_cached"],
  },
  { what: "two digests in one row", answer: { body: TWICE }, script: 0, ours: [10, "answer_not_json"] },
  // Red where it should be green: early servers write no region.
  {
    what: "a row without a region",
    answer: listing(row(NEW, { region: undefined })),
    script: 1,
    ours: [0, null],
  },
  {
    what: "a digest that is null",
    answer: listing(row(null)),
    script: 1,
    ours: [10, "answer_malformed"],
    says: "null",
  },
  {
    what: "a server that fails",
    answer: { status: 500, body: EVIL },
    script: 1,
    ours: [13, "server_failed"],
  },
  {
    what: "a server that never answers",
    answer: { send: "nothing", then: "stall" },
    script: "hangs",
    ours: [12, "deadline_passed"],
  },
];

const PEER = join(import.meta.dir, "../../scripts/benches/peers/pin.sh");
const HAS_PEER = ["bash", "curl", "python3"].every((name) => Bun.which(name) !== null);
const SEED = { CP_ADMIN_API_TOKEN: "admin-token-1234", TEMPLATE_NAME: "codex", ENV_NAME: "staging" };

describe.skipIf(!HAS_PEER)("the usual script (needs bash, curl, python3)", () => {
  const ends = DECISIONS.filter(({ script }) => script !== "hangs");
  test.each(ends.map((decision) => [decision.what, decision] as const))(
    "%s",
    async (_what, { answer, script }) => {
      await using server = await scriptedServer({ [LIST]: answer });
      const run = await runProgram([PEER, "verify"], {
        env: { ...SEED, CP_URL: server.url, IMAGE_DIGEST: NEW },
      });
      expect(run.code).toBe(script as number);
    },
  );

  test("a server that never answers has it wait for longer than anybody would", async () => {
    await using server = await scriptedServer({ [LIST]: { send: "nothing", then: "stall" } });
    const child = Bun.spawn([PEER, "verify"], {
      env: { PATH: process.env["PATH"] ?? "", ...SEED, CP_URL: server.url, IMAGE_DIGEST: NEW },
      stdout: "ignore",
      stderr: "ignore",
      // Five times what our own run is given below.
      timeout: 1_500,
      killSignal: "SIGTERM",
    });
    await child.exited;
    expect(child.signalCode).toBe("SIGTERM");
  });
});

// The variables say https without a word, so the server needs a certificate.
describe.skipIf(!CAN_MAKE_CERTIFICATES)("waybill verify in its place (needs openssl)", () => {
  let folder: TemporaryFolder;
  let certificates: Certificates;
  beforeAll(() => {
    folder = temporaryFolder();
    certificates = makeCertificates(folder);
    writeFileSync(folder.at("authority.pem"), certificates.ca);
  });
  afterAll(() => folder?.[Symbol.dispose]());

  function verify(host: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    const words = ["verify", "--json", "--cacert", folder.at("authority.pem"), "--attempt-timeout", "300ms"];
    return runWaybill(words, { env: { ...SEED, CP_HOST: host, EXPECTED_DIGEST: NEW, ...env } });
  }

  function decided(run: Finished): [number, string | null] {
    const { error, legs } = jsonOf(run) as {
      error?: { code: string };
      legs: readonly { error: { code: string } | null }[];
    };
    return [run.code, error?.code ?? legs[0]?.error?.code ?? null];
  }

  test.each(DECISIONS.map((decision) => [decision.what, decision] as const))(
    "%s",
    async (_what, { answer, ours, says = "" }) => {
      await using server = await scriptedServer({ [LIST]: answer }, certificates.server);
      const run = await verify(`127.0.0.1:${server.port}`);
      expect(decided(run)).toEqual([...ours]);
      // Never a traceback, never the server's own lines.
      if (run.code !== 0) expect(run.stderr).toStartWith("error: staging: ");
      expect(run.stderr).toContain(says);
      expect(run.stderr).not.toMatch(/Traceback|^::|\n\s+at /mu);
      expect(run.stdout + run.stderr).not.toContain(SEED.CP_ADMIN_API_TOKEN);
    },
  );

  test("a refused connection is told as one: curl's 7 is our missing row", async () => {
    const run = await verify(`127.0.0.1:${await closedPort()}`);
    expect(decided(run)).toEqual([12, "connection_failed"]);
    expect(run.stderr).toStartWith("error: staging: no connection to 127.0.0.1:");
  });

  test("a CP_HOST with a scheme means the same host, with a warning, and no host called https", async () => {
    await using server = await scriptedServer({ [LIST]: listing(row(NEW)) }, certificates.server);
    const run = await verify(`https://127.0.0.1:${server.port}`);
    expect(decided(run)).toEqual([0, null]);
    expect(run.stderr).toContain("warning: CP_HOST is a URL");
  });

  test.each(["sha256:", "", "sha256:abc", NEW.toUpperCase(), `${NEW}\n`])(
    "an EXPECTED_DIGEST of %j is 2 before anything is sent",
    async (digest) => {
      await using server = await scriptedServer({ [LIST]: listing(row(NEW)) }, certificates.server);
      const run = await verify(`127.0.0.1:${server.port}`, { EXPECTED_DIGEST: digest });
      expect(decided(run)).toEqual([2, "invalid_value"]);
      expect(server.connections()).toBe(0);
    },
  );
});
