import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { HAS_REGISTRY, Pusher, startRegistry, type RegistryServer } from "../stores/docker-registry.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer, type ScriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const LOGIN = { user: "reader", password: "pass-word-of-reader" };
const TOKEN = { WAYBILL_TOKEN_PROD: "token-of-prod" };

function promote(server: ScriptedServer, ...more: readonly string[]): string[] {
  return [
    ...["promote", "--template", "codex", "--target", `prod=${server.url}`, "--allow-insecure-http"],
    ...["--retry-interval", "5ms", "--json", ...more],
  ];
}

function verify(server: ScriptedServer, ...more: readonly string[]): string[] {
  return ["verify", "pin", ...promote(server, ...more).slice(1)];
}

function plane(board: Board): Promise<ScriptedServer> {
  return scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
}

const CONTRADICTIONS: readonly (readonly string[])[] = [
  ["--image", "reg.example/app:1", "--digest", NEW],
  ["--image", "reg.example/app:1", "--pin", `codex=${NEW}`],
  ["--image", "app:1"],
  ["--image", "reg.example/app"],
  ["--image", "reg.example/app:1", "--image-repo", "reg.example/app"],
  ["--digest", NEW, "--image-repo", "reg.example/app"],
  ["--digest", NEW, "--platform", "linux/amd64"],
  ["--digest", NEW, "--trust-bytes"],
  ["--digest", NEW, "--docker-config", "x"],
  ["--digest", NEW, "--check-artifact"],
  ["--digest", NEW, "--check-artifact", "--image-repo", "other=reg.example/app"],
  [
    "--digest",
    NEW,
    "--check-artifact",
    "--image-repo",
    "reg.example/a",
    "--image-repo",
    "codex=reg.example/b",
  ],
  ["--digest", NEW, "--check-artifact", "--image-repo", "reg.example/app:1"],
  ["--digest", NEW, "--check-artifact", "--image-repo", "reg.example/app", "--platform", "amd64"],
  ["--digest", NEW, "--check-artifact", "--image-repo", "reg.example/app", "--docker-config", "/nonexistent"],
];

describe("what contradicts itself is 2 before anything is asked", () => {
  test.each(CONTRADICTIONS.map((words) => [words.join(" "), words] as const))("%s", async (_shown, words) => {
    await using server = await plane(new Board(OLD));
    const run = await runWaybill(promote(server, ...words), { env: TOKEN });
    expect(run.code).toBe(2);
    expect(jsonOf(run)).toMatchObject({ ok: false, checked: 0, legs: [] });
    expect(server.connections()).toBe(0);
  });
});

describe.skipIf(!HAS_REGISTRY)("with a registry (needs docker-registry)", () => {
  let folder: TemporaryFolder;
  let open: RegistryServer;
  let closed: RegistryServer;
  let index: string;
  let image: string;
  let config: string;

  beforeAll(async () => {
    folder = temporaryFolder();
    [open, closed] = await Promise.all([startRegistry(folder), startRegistry(folder, LOGIN)]);
    for (const [host, login] of [
      [open.host, undefined],
      [closed.host, LOGIN],
    ] as const) {
      const pusher = new Pusher(host, "org/app", login);
      const described = await pusher.blob(
        Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", rootfs: {} })),
        "application/vnd.oci.image.config.v1+json",
      );
      const layer = await pusher.blob(Buffer.from("layer"));
      const manifest = { schemaVersion: 2, mediaType: IMAGE, config: described, layers: [layer] };
      const single = await pusher.manifest(manifest, IMAGE, "single");
      const entries = [{ ...single, platform: { os: "linux", architecture: "amd64" } }];
      const listed = await pusher.manifest(
        { schemaVersion: 2, mediaType: INDEX, manifests: entries },
        INDEX,
        "1.0",
      );
      [index, image, config] = [listed.digest, single.digest, described.digest];
    }
    mkdirSync(folder.at("docker"));
    const auths = { [closed.host]: { auth: btoa(`${LOGIN.user}:${LOGIN.password}`) } };
    writeFileSync(folder.at("docker", "config.json"), JSON.stringify({ auths }));
  });
  afterAll(async () => {
    await Promise.all([open?.daemon.stop(), closed?.daemon.stop()]);
    folder?.[Symbol.dispose]();
  });

  function quiet(run: Finished): Record<string, unknown> {
    expect(run.stdout + run.stderr).not.toContain(LOGIN.password);
    expect(run.stdout + run.stderr).not.toContain(TOKEN.WAYBILL_TOKEN_PROD);
    return jsonOf(run);
  }

  test("a tag is promoted as the digest that it has", async () => {
    await using server = await plane(new Board(OLD));
    const name = `${open.host}/org/app:1.0`;
    const run = await runWaybill(promote(server, "--image", name, "--platform", "linux/amd64"), {
      env: TOKEN,
    });
    expect(quiet(run)).toMatchObject({
      ok: true,
      checked: 1,
      request: { digest: index },
      legs: [{ outcome: "landed", after: { digest: index } }],
      artifacts: [
        {
          template: "codex",
          image: name,
          digest: index,
          kind: "index",
          media_type: INDEX,
          platforms: ["linux/amd64"],
          digest_header: "equal",
        },
      ],
    });
    expect(run.stderr).toBe(`${name} is ${index}, an index for linux/amd64\n`);
  });

  test("an image without an index is known by its configuration", async () => {
    await using server = await plane(new Board(OLD));
    const args = promote(server, "--image", `${open.host}/org/app:single`);
    expect(quiet(await runWaybill(args, { env: TOKEN }))).toMatchObject({
      request: { digest: image },
      artifacts: [{ kind: "image", platforms: [] }],
    });
    const run = await runWaybill([...args, "--platform", "linux/arm64"], { env: TOKEN });
    expect(quiet(run)).toMatchObject({ exit_code: 5, error: { code: "platform_missing" } });
  });

  test.each([
    ["a tag that is not there", ["--image", "org/app:none"], 7, "artifact_absent"],
    ["a repository that is not there", ["--image", "org/none:1"], 7, "artifact_absent"],
    [
      "a platform that is not there",
      ["--image", "org/app:1.0", "--platform", "linux/s390x"],
      5,
      "platform_missing",
    ],
    [
      "a digest that is not there",
      ["--digest", NEW, "--check-artifact", "--image-repo", "org/app"],
      7,
      "artifact_absent",
    ],
  ] as const)("%s is known before any write", async (_what, more, code, error) => {
    await using server = await plane(new Board(OLD));
    const words = more.map((word) => (word.startsWith("org/") ? `${open.host}/${word}` : word));
    const run = await runWaybill(promote(server, ...words), { env: TOKEN });
    expect(run.code).toBe(code);
    expect(quiet(run)).toMatchObject({ legs: [], error: { code: error } });
    expect(server.attempts(PROMOTE)).toBe(0);
  });

  test("an image ID is told apart", async () => {
    await using server = await plane(new Board(OLD));
    const args = promote(
      server,
      "--digest",
      config,
      "--check-artifact",
      "--image-repo",
      `${open.host}/org/app`,
    );
    const run = await runWaybill(args, { env: TOKEN });
    // This registry fails over it, others say 404.
    expect([7, 13]).toContain(run.code);
    expect(quiet(run)).toMatchObject({ error: { hint: expect.stringContaining("looks like an image ID") } });
  });

  test("a registry that is not there is no absent image", async () => {
    await using gone = await scriptedServer({});
    const host = `127.0.0.1:${gone.port}`;
    await gone[Symbol.asyncDispose]();
    await using server = await plane(new Board(OLD));
    const run = await runWaybill(promote(server, "--image", `${host}/org/app:1`), { env: TOKEN });
    expect(quiet(run)).toMatchObject({ exit_code: 12, error: { code: "connection_failed" } });
    expect(server.attempts(PROMOTE)).toBe(0);
  });

  test("a login comes from the Docker configuration that is named", async () => {
    await using server = await plane(new Board(OLD));
    const args = promote(server, "--image", `${closed.host}/org/app:1.0`);
    const without = await runWaybill(args, { env: TOKEN });
    expect(quiet(without)).toMatchObject({ exit_code: 4, error: { code: "unauthorized" } });
    expect(server.attempts(PROMOTE)).toBe(0);
    for (const [more, env] of [
      [["--docker-config", folder.at("docker", "config.json")], {}],
      [[], { DOCKER_CONFIG: folder.at("docker") }],
    ] as const) {
      const run = await runWaybill([...args, ...more, "--verbose"], { env: { ...TOKEN, ...env } });
      expect(quiet(run)).toMatchObject({ ok: true });
    }
    const wrong = { auths: { [closed.host]: { auth: btoa("reader:other-password") } } };
    writeFileSync(folder.at("wrong.json"), JSON.stringify(wrong));
    const run = await runWaybill([...args, "--docker-config", folder.at("wrong.json")], { env: TOKEN });
    expect(run.code).toBe(4);
    expect(run.stderr).not.toContain("other-password");
  });

  describe("a pin is verified together with its image", () => {
    const at = (reference: string, digest: string): Promise<ScriptedServer> =>
      scriptedServer({ [LIST]: listing(row(digest, { image_ref: reference })) });

    test("where the row says that it is, or where a flag says", async () => {
      await using server = await at(`${open.host}/org/app@${index}`, index);
      const own = await runWaybill(verify(server, "--digest", index, "--check-artifact"), { env: TOKEN });
      expect(quiet(own)).toMatchObject({ ok: true, artifacts: [{ digest: index }] });
      await using bare = await scriptedServer({ [LIST]: listing(row(index)) });
      const args = verify(
        bare,
        "--digest",
        index,
        "--check-artifact",
        "--image-repo",
        `${open.host}/org/app`,
      );
      expect(quiet(await runWaybill(args, { env: TOKEN }))).toMatchObject({
        ok: true,
        artifacts: [{ digest: index }],
      });
    });

    test.each([
      ["no image_ref", undefined, 7, "artifact_incomplete"],
      ["an image that is not there", `HOST/org/app@${NEW}`, 7, "artifact_absent"],
      ["a tag", "HOST/org/app:1", 10, "answer_malformed"],
      ["a way out", `https://HOST/org/app@${NEW}`, 10, "answer_malformed"],
      ["words for a runner", `::stop-commands::x/a@${NEW}`, 10, "answer_malformed"],
    ])("a row with %s is no success", async (_what, reference, code, error) => {
      const named = reference?.replace("HOST", open.host);
      await using server = await scriptedServer({ [LIST]: listing(row(NEW, { image_ref: named })) });
      const run = await runWaybill(verify(server, "--digest", NEW, "--check-artifact"), { env: TOKEN });
      expect(run.code).toBe(code);
      expect(quiet(run)).toMatchObject({
        ok: false,
        legs: [{ ok: false, outcome: "failed", error: { code: error } }],
        artifacts: [],
      });
    });

    test("a pin that is wrong stays that, whatever the image is", async () => {
      await using server = await at(`${open.host}/org/app@${OLD}`, OLD);
      const run = await runWaybill(verify(server, "--digest", NEW, "--check-artifact"), { env: TOKEN });
      expect(quiet(run)).toMatchObject({ exit_code: 8, legs: [{ outcome: "mismatch" }], artifacts: [] });
    });
  });

  test("a tag that moves meanwhile is told, and changes nothing", async () => {
    const board = new Board(OLD);
    await using server = await scriptedServer({
      [LIST]: board.list,
      [PROMOTE]: board.promote,
      "GET /v2/org/app/manifests/1.0": ["one", "two"].map((annotation) => {
        const document = {
          schemaVersion: 2,
          mediaType: IMAGE,
          config: { digest: OLD, size: 2 },
          layers: [],
          annotation,
        };
        const body = JSON.stringify(document);
        const digest = `sha256:${new Bun.CryptoHasher("sha256").update(body).digest("hex")}`;
        return { body, headers: { "content-type": IMAGE, "docker-content-digest": digest } };
      }),
    });
    const name = `127.0.0.1:${server.port}/org/app:1.0`;
    const run = await runWaybill(promote(server, "--image", name), { env: TOKEN });
    expect(quiet(run)).toMatchObject({ ok: true });
    expect(run.stderr).toMatch(
      new RegExp(
        `warning: ${name} has moved to sha256:[0-9a-f]{64} since; promoted is ${board.digest}\n$`,
        "u",
      ),
    );
  });
});
