import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Board, LIST, NEW, OLD, PROMOTE } from "../pins/rows.ts";
import { PROMOTE_WORDS, runOn, type CaseRun } from "../pins/case-run.ts";
import { jsonOf } from "../support/binary.ts";
import { scriptedServer, type Answer, type ScriptedServer, type Step } from "../support/scripted-server.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

function manifest(
  document: object,
  header: "equal" | "absent" | "different" = "equal",
): Answer & { digest: string } {
  const body = JSON.stringify(document);
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(body).digest("hex")}`;
  const said = header === "different" ? OLD : digest;
  const headers = { "content-type": "mediaType" in document ? String(document.mediaType) : IMAGE };
  return {
    body,
    headers: header === "absent" ? headers : { ...headers, "docker-content-digest": said },
    digest,
  };
}

const config = { digest: OLD, size: 2, mediaType: "application/vnd.oci.image.config.v1+json" };
const single = { schemaVersion: 2, mediaType: IMAGE, config, layers: [] };
const index = {
  schemaVersion: 2,
  mediaType: INDEX,
  manifests: [{ mediaType: IMAGE, digest: OLD, size: 2, platform: { os: "linux", architecture: "amd64" } }],
};

type Ran = Omit<CaseRun, "server"> & { readonly server: ScriptedServer; readonly promoted: string | null };

/** A promotion whose image lies in a registry that answers so for the manifest of `reference`. */
async function promoteFrom(
  reference: string,
  answers: Step | readonly Step[],
  more: readonly string[] = [],
): Promise<Ran> {
  const board = new Board(OLD);
  await using server = await scriptedServer({
    [LIST]: board.list,
    [PROMOTE]: board.promote,
    [`GET /v2/org/app/manifests/${reference}`]: answers,
  });
  const repository = `127.0.0.1:${server.port}/org/app`;
  const digest = reference.startsWith("sha256:") ? reference : NEW;
  const flags = reference.startsWith("sha256:")
    ? ["--check-artifact", "--image-repo", repository]
    : ["--image", `${repository}:${reference}`];
  const run = await runOn(PROMOTE_WORDS, server.url, [...flags, ...more], { digest });
  return { ...run, server, promoted: board.digest };
}

function errorOf(run: Ran): { code: string; message: string; hint?: string } {
  return jsonOf(run)["error"] as { code: string; message: string; hint?: string };
}

describe("the image of a pin", () => {
  test("case 75: a digest that its registry does not have is 7, and is not promoted", async () => {
    const run = await promoteFrom(NEW, { status: 404, body: "{}" });
    expect([run.code, errorOf(run).code]).toEqual([7, "artifact_absent"]);
    expect(run.promoted).toBe(OLD);
    expect(run.server.attempts(PROMOTE)).toBe(0);
  });

  test.each([
    [401, 4, "unauthorized"],
    [403, 4, "forbidden"],
    [500, 13, "server_failed"],
    [503, 13, "server_failed"],
  ])(
    "case 76: a registry that answers %i is unread, which is not an absent image",
    async (status, code, error) => {
      const run = await promoteFrom(NEW, { status, body: "{}" });
      expect([run.code, errorOf(run).code]).toEqual([code, error]);
      // Whose answer it was: the token of the environment is not what was refused.
      expect(errorOf(run).message).toContain(`127.0.0.1:${run.server.port}/v2/org/app/`);
      expect(run.server.attempts(PROMOTE)).toBe(0);
    },
  );

  test.each(["absent", "different"] as const)(
    "case 77: a digest header that is %s is 6, unless the bytes are trusted",
    async (header) => {
      const answer = manifest(single, header);
      const strict = await promoteFrom(answer.digest, answer);
      expect([strict.code, errorOf(strict).code]).toEqual([6, "digest_header_mismatch"]);
      expect(strict.server.attempts(PROMOTE)).toBe(0);
      const trusting = await promoteFrom(answer.digest, answer, ["--trust-bytes"]);
      expect([trusting.code, trusting.promoted]).toEqual([0, answer.digest]);
      expect(jsonOf(trusting)).toMatchObject({ artifacts: [{ digest_header: header }] });
    },
  );

  test("case 77: bytes of another digest are 6 whatever the header says, also when bytes are trusted", async () => {
    const lie: Answer = {
      ...manifest(single),
      headers: { "content-type": IMAGE, "docker-content-digest": NEW },
    };
    for (const more of [[], ["--trust-bytes"]]) {
      const run = await promoteFrom(NEW, lie, more);
      expect(run.code).toBe(6);
      expect(run.server.attempts(PROMOTE)).toBe(0);
    }
  });

  test("case 78: an index without the platform is 5, and lists what it has", async () => {
    const answer = manifest(index);
    const run = await promoteFrom(answer.digest, answer, ["--platform", "linux/arm64"]);
    expect([run.code, errorOf(run).code]).toEqual([5, "platform_missing"]);
    expect(errorOf(run).message).toContain("linux/amd64");
    expect(run.server.attempts(PROMOTE)).toBe(0);
  });

  test("case 79: the digest of a configuration is not there as a manifest, and the hint says what it looks like", async () => {
    const board = new Board(OLD);
    await using server = await scriptedServer({
      [LIST]: board.list,
      [PROMOTE]: board.promote,
      [`GET /v2/org/app/manifests/${NEW}`]: { status: 404, body: "{}" },
      [`HEAD /v2/org/app/blobs/${NEW}`]: { status: 200, body: "" },
      [`GET /v2/org/app/blobs/${NEW}`]: { status: 200, body: "{}" },
    });
    const flags = ["--check-artifact", "--image-repo", `127.0.0.1:${server.port}/org/app`];
    const run = await runOn(PROMOTE_WORDS, server.url, flags);
    expect(run.code).toBe(7);
    expect(jsonOf(run)["error"]).toMatchObject({
      code: "artifact_absent",
      hint: expect.stringContaining("looks like an image ID"),
    });
    expect(server.attempts(PROMOTE)).toBe(0);
  });

  test("case 80: a tag that moves after it was read changes nothing but a warning", async () => {
    const [first, then] = [manifest(single), manifest({ ...single, annotations: { a: "b" } })];
    const run = await promoteFrom("1.0", [first, then]);
    expect([run.code, run.promoted]).toEqual([0, first.digest]);
    expect(run.stderr).toContain(`has moved to ${then.digest} since; promoted is ${first.digest}`);
  });
});
