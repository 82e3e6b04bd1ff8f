import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson, type Captured } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { git, HAS_GIT, makeRepository } from "../source/support/repository.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";

const newFolder = scratchFolders();
let plane: ControlPlaneProcess;
let tokens: Readonly<Record<"all" | "write" | "read", string>>;

beforeAll(async () => {
  plane = await startControlPlane();
  tokens = {
    all: await plane.token(["builds:read", "builds:write"]),
    write: await plane.token(["builds:write"]),
    read: await plane.token(["builds:read"]),
  };
});
afterAll(async () => {
  await plane.stop();
});

async function submitted(
  root: string,
  args: readonly string[] = [],
  token: keyof typeof tokens = "all",
): Promise<Captured> {
  const record = ["--image-name", "app", "--agent-name", root, "--token-env", "BUILD_TOKEN"];
  const to = ["--submit", plane.address, "--allow-insecure-http"];
  return captureJson(root, [...to, ...record, ...args], { env: { BUILD_TOKEN: tokens[token] } });
}

async function recorded(id: unknown): Promise<Readonly<Record<string, unknown>>> {
  const headers = { authorization: `Bearer ${tokens.all}` };
  const answer = await fetch(`${plane.address}/v5/builds/${String(id)}`, { headers });
  return (await answer.json()) as Readonly<Record<string, unknown>>;
}

test.skipIf(!HAS_GIT)("the record has the six fields and the archive, and is not made twice", async () => {
  const root = makeRepository(newFolder(), { remote: "https://git.example.com/team/app.git" });
  const { exit, document } = await submitted(join(root, "app"));
  expect([exit, document.build]).toMatchObject([0, { existing: false }]);
  expect(await recorded(document.build?.["id"])).toMatchObject({
    source_repo: "git.example.com/team/app",
    source_commit: git(root, "rev-parse", "HEAD"),
    source_ref: "main",
    source_subpath: "app",
    source_dirty: false,
    working_tree_hash: document.digests["working_tree_hash"],
    image_name: "app",
  });
  const again = await submitted(join(root, "app"));
  expect(again.document.build).toMatchObject({ id: document.build?.["id"], existing: true });
  const anew = await submitted(join(root, "app"), ["--submit-again"]);
  expect(anew.document.build).toMatchObject({ existing: false });
  expect(anew.document.build?.["id"]).not.toBe(document.build?.["id"]);
});

test("a Dockerfile that the tree hash does not cover makes another build", async () => {
  const base = plantFiles(newFolder(), { Dockerfile: "FROM one\n", "context/a": "a" });
  const dockerfile = ["--dockerfile", join(base, "Dockerfile")];
  const send = async (): Promise<unknown> =>
    (await submitted(join(base, "context"), dockerfile)).document.build?.["existing"];
  expect([await send(), await send()]).toEqual([false, true]);
  writeFileSync(join(base, "Dockerfile"), "FROM two\n");
  expect([await send(), await send()]).toEqual([false, true]);
});

test("a token that may not read submits, one that may not write does not, and the capture stands", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  expect((await submitted(root, [], "write")).document.build).toMatchObject({ existing: false });
  const refused = await submitted(root, ["--image-tag", "v1"], "read");
  expect([refused.exit, refused.document.build?.["error"]]).toMatchObject([0, { code: "forbidden" }]);
  const required = await submitted(root, ["--image-tag", "v1", "--require-submit"], "read");
  expect([required.exit, required.document.error?.code]).toEqual([4, "forbidden"]);
});
