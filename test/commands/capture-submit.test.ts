import { expect, test } from "bun:test";
import { chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { BOUND_BY_MODES, CAN_BE_BOUND, captureJson, waybill } from "../context/support/run-capture.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { CAN_MOUNT, scratchFolders } from "../context/support/scratch.ts";
import { succeed } from "../context/support/tar-readers.ts";
import { git, HAS_GIT, makeRepository } from "../source/support/repository.ts";
import { scriptedServer, type Answer } from "../support/scripted-server.ts";

const newFolder = scratchFolders();
const env = { BUILD_TOKEN: "a-long-build-token" };
const FLAGS = [
  "--allow-insecure-http",
  "--image-name",
  "app",
  "--agent-name",
  "app",
  "--token-env",
  "BUILD_TOKEN",
];

function made(hash: string): Answer {
  return {
    status: 201,
    body: JSON.stringify({ id: "made", build_status: "queued", working_tree_hash: hash }),
  };
}

async function treeHash(root: string): Promise<string> {
  return (await captureJson(root)).document.digests["working_tree_hash"] ?? "";
}

test("a build that was recorded is in the document, and its archive nowhere else", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  await using server = await scriptedServer({ "POST /v5/builds": made(await treeHash(root)) });
  const { exit, document } = await captureJson(root, ["--submit", server.url, ...FLAGS], { env });
  expect([exit, document.build]).toEqual([0, { id: "made", build_status: "queued", existing: false }]);
  const [, post] = server.requests;
  expect(post?.headers["authorization"]).toBe("Bearer a-long-build-token");
});

test("what the server calls the build is told in inert words", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const [id, status] = ["x\n::error::y\u001b[2J", "queued\r##vso[z]"];
  const body = JSON.stringify({ id, build_status: status, working_tree_hash: await treeHash(root) });
  await using server = await scriptedServer({ "POST /v5/builds": { status: 201, body } });
  const { exit, stdout } = await waybill(["capture", root, "--submit", server.url, ...FLAGS], { env });
  expect([exit, stdout.split("\n").at(-2)]).toEqual([
    0,
    "build           x : :error::y [2J (queued # #vso[z])",
  ]);
});

const REPEATED = '{"error":"a-long-build-token is wrong"}';
const NOT_RECORDED: readonly (readonly [string, Answer, string])[] = [
  ["refuses the credential", { status: 401, body: REPEATED }, "unauthorized"],
  ["takes nothing of this size", { status: 413, body: REPEATED }, "request_rejected"],
  ["fails", { status: 500, body: REPEATED }, "server_failed"],
  ["redirects", { status: 307, headers: { location: "http://127.0.0.1:1/" } }, "redirect_refused"],
  ["answers nonsense", { body: "<html>" }, "answer_not_json"],
  ["goes away", { send: "nothing" }, "outcome_unknown"],
];
test.each(NOT_RECORDED)(
  "case 70: a server that %s leaves the capture as it is, told and exit 0",
  async (_what, answer, code) => {
    const root = plantFiles(newFolder(), { a: "a" });
    const hash = await treeHash(root);
    await using server = await scriptedServer({ "POST /v5/builds": answer });
    const args = ["--submit", server.url, ...FLAGS];
    const { exit, document, stdout, stderr } = await captureJson(root, [...args, "--submit-again"], { env });
    expect([exit, document.ok, document.digests["working_tree_hash"]]).toEqual([0, true, hash]);
    expect(document.build).toMatchObject({ id: null, existing: false, error: { code } });
    expect(stderr).toContain("the build was not recorded");
    expect(stdout + stderr).not.toContain("a-long-build-token");
  },
);

test.skipIf(!CAN_BE_BOUND)(
  "an archive that cannot be made for the upload is a warning beside the capture",
  async () => {
    const root = plantFiles(newFolder(), { a: "a" });
    const hash = await treeHash(root);
    const closed = plantFiles(newFolder(), { secret: "x" });
    chmodSync(join(closed, "secret"), 0);
    const missing = join(newFolder(), "missing");
    await using server = await scriptedServer({});
    const to = ["--submit", server.url, ...FLAGS];
    const cases = [
      [root, { ...env, TMPDIR: missing }, hash],
      [closed, env, null],
    ] as const;
    for (const [context, env, wanted] of cases) {
      const surroundings = { env, under: BOUND_BY_MODES };
      const { exit, document, stderr } = await captureJson(context, to, surroundings);
      expect([exit, document.digests["working_tree_hash"] ?? null]).toEqual([0, wanted]);
      expect(document.build).toMatchObject({ id: null, error: { code: "output_not_written" } });
      expect(stderr).toContain("the build was not recorded");
      expect((await captureJson(context, [...to, "--require-submit"], surroundings)).exit).toBe(1);
      const asked = await captureJson(context, [...to, "--digest", "tar_sha256"], surroundings);
      expect([asked.exit, asked.document.error?.code]).toEqual([1, "output_not_written"]);
    }
    expect(server.connections()).toBe(0);
  },
);

test.skipIf(!CAN_MOUNT)("a full disk for temporary files is a warning beside the capture, too", async () => {
  const root = plantFiles(newFolder(), {
    a: "a".repeat(300_000),
    b: crypto.getRandomValues(Buffer.alloc(60_000)).toString("hex").repeat(2),
  });
  const full = newFolder();
  succeed(["mount", "-t", "tmpfs", "-o", "size=32k", "none", full]);
  try {
    await using server = await scriptedServer({});
    const surroundings = { env: { ...env, TMPDIR: full } };
    const { exit, document } = await captureJson(root, ["--submit", server.url, ...FLAGS], surroundings);
    expect([exit, document.digests["working_tree_hash"] ?? ""]).toEqual([0, await treeHash(root)]);
    expect(document.build).toMatchObject({ id: null, error: { code: "output_not_written" } });
    expect(readdirSync(full)).toEqual([]);
  } finally {
    succeed(["umount", full]);
  }
});

/** The parts of a form by name, the archive left out. */
function partsOf(body: string): Record<string, string> {
  const parts = body.matchAll(/; name="(source_[a-z]+|working_tree_hash)"\r\n\r\n(.*?)\r\n--/gsu);
  return Object.fromEntries([...parts].map(([, name = "", value = ""]) => [name, value]));
}

test.skipIf(!HAS_GIT)(
  "case 71: fields are exact, dirty is a word, and what is unknown is absent",
  async () => {
    const folder = 'a "quoted" \\ folder';
    const root = makeRepository(newFolder(), { files: { [`${folder}/a`]: "a\n", other: "x\n" } });
    git(root, "checkout", "-q", "--detach");
    const context = join(root, folder);
    for (const dirty of ["false", "true"]) {
      if (dirty === "true") plantFiles(context, { new: "x" });
      await using server = await scriptedServer({ "POST /v5/builds": made(await treeHash(context)) });
      const { exit } = await captureJson(context, ["--require-submit", "--submit", server.url, ...FLAGS], {
        env,
      });
      expect(exit).toBe(0);
      const post = server.requests.find(({ method }) => method === "POST");
      expect(partsOf(post?.body ?? "")).toEqual({
        source_commit: git(root, "rev-parse", "HEAD"),
        source_subpath: folder,
        source_dirty: dirty,
        working_tree_hash: await treeHash(context),
      });
    }
  },
);

test.skipIf(!HAS_GIT)(
  "case 71: a value with a line break is left out: a form would make it another one",
  async () => {
    const root = makeRepository(newFolder(), { files: { "two\nlines/a": "a\n" } });
    const context = join(root, "two\nlines");
    await using server = await scriptedServer({ "POST /v5/builds": made(await treeHash(context)) });
    const { document } = await captureJson(context, ["--submit", server.url, ...FLAGS], { env });
    expect(document.source_fields["source_subpath"]).toBe("two\nlines");
    const post = server.requests.find(({ method }) => method === "POST");
    const names = ["source_commit", "source_ref", "source_dirty", "working_tree_hash"];
    expect(Object.keys(partsOf(post?.body ?? ""))).toEqual(names);
  },
);

test("case 71: outside of a repository the hash is the only field", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  await using server = await scriptedServer({ "POST /v5/builds": made(await treeHash(root)) });
  await captureJson(root, ["--submit", server.url, ...FLAGS], { env });
  const post = server.requests.find(({ method }) => method === "POST");
  expect(Object.keys(partsOf(post?.body ?? ""))).toEqual(["working_tree_hash"]);
});

for (const flag of ["--require-submit", "--strict"]) {
  test(`${flag} makes the record a part of the run`, async () => {
    const root = plantFiles(newFolder(), { a: "a" });
    await using server = await scriptedServer({ "POST /v5/builds": { status: 422, body: "{}" } });
    const { exit, document } = await captureJson(root, [flag, "--submit", server.url, ...FLAGS], { env });
    expect([exit, document.ok, document.error?.code]).toEqual([9, false, "request_rejected"]);
    expect(document.digests["working_tree_hash"]).toMatch(/^[0-9a-f]{64}$/u);
  });
}

test("a capture that a requirement refuses is not sent", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  await using server = await scriptedServer({});
  const args = ["capture", root, "--require-clean", "--submit", server.url, ...FLAGS];
  const { exit } = await waybill(args, { env });
  expect([exit, server.connections()]).toEqual([7, 0]);
});

for (const flag of ["--require-submit", "--submit-again"]) {
  test(`${flag} without --submit is a usage error`, async () => {
    const { exit, document } = await captureJson(newFolder(), [flag]);
    expect([exit, document.error?.code]).toEqual([2, "flags_contradict"]);
  });
}
