import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { archive, digestOf } from "../control-plane/plane.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { temporaryFolder } from "../support/temporary.ts";

const COMMIT = "a".repeat(40);
const TREE = digestOf("tree").slice("sha256:".length);
const folder = temporaryFolder();
let plane: ControlPlaneProcess;
let token: string;

beforeAll(async () => {
  plane = await startControlPlane();
  token = await plane.token(["pins:read", "pins:write", "builds:read", "builds:write"], "prod");
  for (const name of ["ci", "other"]) createKeyFile(folder.at(`${name}.key`));
});
afterAll(async () => {
  await plane.stop();
  folder[Symbol.dispose]();
});

function run(words: readonly string[], as = token): Promise<Finished> {
  return runWaybill(words, { cwd: folder.path, env: { WAYBILL_TOKEN_PROD: as } });
}

async function promote(template: string, digest: string, ...more: readonly string[]): Promise<Finished> {
  const place = ["--target", `prod=${plane.address}`, "--allow-insecure-http"];
  return run(["promote", "--template", template, "--digest", digest, ...place, ...more]);
}

async function record(fields: Record<string, string>): Promise<void> {
  const form = new FormData();
  for (const [name, value] of Object.entries({ image_name: "app", agent_name: "app", ...fields }))
    form.set(name, value);
  form.set("context_archive", archive("the context"), "context.tar.gz");
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${plane.address}/v5/builds`, { method: "POST", headers, body: form });
  expect(answer.status).toBe(200);
}

type Link = { readonly name: string; readonly state: string; readonly what: string };
type Audit = {
  readonly code: number;
  readonly checked: number;
  readonly complete: number;
  readonly counts: Record<string, number>;
  readonly states: string;
  readonly what: (name: string) => string;
};

async function follow(template: string, more: readonly string[] = [], as = token): Promise<Audit> {
  const ran = await run(
    [
      ...["verify", "audit", "--lineage", "--template", template, "--target", `prod=${plane.address}`],
      ...["--allow-insecure-http", "--timeout", "5s", "--json", "--key", "ci.key.pub", ...more],
    ],
    as,
  );
  const document = jsonOf(ran) as Record<string, never>;
  const [lineage] = document["lineages"] as unknown as { links: Link[] }[];
  const links = lineage?.links ?? [];
  return {
    code: ran.code,
    checked: document["checked"] as unknown as number,
    complete: document["complete"] as unknown as number,
    counts: document["links"] as unknown as Record<string, number>,
    states: links.map(({ name, state }) => `${name} ${state}`).join(", "),
    what: (name) => links.find((link) => link.name === name)?.what ?? "",
  };
}

const BY_CI = ["--receipt-key", "ci.key", "--git-sha", COMMIT];
const SOURCE = { source_repo: "github.com/acme/app", source_commit: COMMIT, working_tree_hash: TREE };
const ALL = "pin found, receipt found, build found, commit found, capture found";

describe("from a pin back to the commit", () => {
  test("every link is found, counted, and named", async () => {
    const digest = digestOf("whole");
    await record({ ...SOURCE, image_digest: digest });
    await promote("whole", digest, ...BY_CI);
    const audit = await follow("whole");
    expect(audit).toMatchObject({ code: 0, checked: 1, complete: 1, states: ALL });
    expect(audit.counts).toEqual({ found: 5, missing: 0, wrong: 0, unread: 0 });
    expect(audit.what("commit")).toBe(`${COMMIT} of github.com/acme/app`);
    expect(audit.what("build")).toContain("by its digest");
  });

  test("a pin that was moved by hand misses its receipt", async () => {
    const digest = digestOf("hand");
    await record({ ...SOURCE, image_digest: digest });
    await promote("hand", digest, "--git-sha", COMMIT);
    const audit = await follow("hand");
    expect(audit).toMatchObject({
      code: 7,
      complete: 0,
      states: ALL.replace("receipt found", "receipt missing"),
    });
  });

  test("an image that nobody recorded leads nowhere, whatever the receipt claims", async () => {
    await promote("nowhere", digestOf("nowhere"), "--receipt-key", "ci.key", "--git-sha", "b".repeat(40));
    const audit = await follow("nowhere");
    expect(audit.code).toBe(7);
    expect(audit.states).toBe("pin found, receipt found, build missing, commit missing, capture missing");
  });

  test("a receipt that names another commit than the build is a contradiction", async () => {
    const digest = digestOf("contradicted");
    await record({ ...SOURCE, image_digest: digest });
    await promote("contradicted", digest, "--receipt-key", "ci.key", "--git-sha", "c".repeat(40));
    expect(await follow("contradicted")).toMatchObject({
      code: 6,
      states: ALL.replace("commit found", "commit wrong"),
    });
  });

  test("a signed capture is followed to the record of its tree, and must be the signer's", async () => {
    const digest = digestOf("captured");
    const tree = digestOf("another tree").slice("sha256:".length);
    const commit = "d".repeat(40);
    await record({ ...SOURCE, source_commit: commit, working_tree_hash: tree });
    const said = { schema: "waybill.capture/v1", ok: true, digests: { working_tree_hash: tree } };
    const fields = { source_commit: { value: commit, source: "git", reason: null } };
    writeFileSync(folder.at("capture.json"), JSON.stringify({ ...said, fields }));
    const attest = ["attest", digest, "--capture", "capture.json", "--out", "captured.json"];
    expect((await run([...attest, "--key", "ci.key"])).code).toBe(0);
    await promote(
      "captured",
      digest,
      "--receipt-key",
      "ci.key",
      "--attestation",
      "captured.json",
      "--key",
      "ci.key.pub",
    );
    const audit = await follow("captured", ["--attestation", "captured.json"]);
    expect([audit.code, audit.states]).toEqual([0, ALL]);
    expect(audit.what("build")).toContain("by its signed capture");
    // The same statement by somebody else is none that the receipt names, and nobody trusts it.
    expect((await run([...attest, "--key", "other.key"])).code).toBe(0);
    const stranger = await follow("captured", ["--attestation", "captured.json"]);
    expect(stranger.code).toBe(6);
    expect(stranger.states).toContain("capture wrong");
  });

  test("without the right to read builds says which link could not be read", async () => {
    await promote("unread", digestOf("unread"), "--receipt-key", "ci.key");
    const reader = await plane.token(["pins:read"], "prod");
    const audit = await follow("unread", [], reader);
    expect(audit.states).toContain("build unread");
    expect(audit.what("build")).toContain("403");
  });

  test("no pin is no lineage", async () => {
    expect(await follow("absent")).toMatchObject({ code: 7, checked: 0 });
  });

  const usage: [string, string[]][] = [
    ["without a key", ["--lineage"]],
    ["with an expectation", ["--lineage", "--key", "ci.key.pub", "--expect", "x.json"]],
    ["without --lineage, with a key", ["--key", "ci.key.pub"]],
    ["without --lineage, with a template", ["--template", "x"]],
  ];
  test.each(usage)("%s is a usage error", async (_what, flags) => {
    const place = ["--target", `prod=${plane.address}`, "--allow-insecure-http"];
    expect((await run(["verify", "audit", ...place, ...flags])).code).toBe(2);
  });
});
