import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { jsonOf, runProgram, runWaybill } from "../support/binary.ts";
import type { TemporaryFolder } from "../support/temporary.ts";
import { PREDICATE, prepared, runIn, sha256, SPDX } from "./attested.ts";

function payloadOf(path: string): Record<string, unknown> {
  const document = JSON.parse(readFileSync(path, "utf8").trim().split("\n").at(-1) ?? "") as {
    payload?: string;
    dsseEnvelope?: { payload: string };
  };
  const payload = document.dsseEnvelope?.payload ?? document.payload ?? "";
  return JSON.parse(Buffer.from(payload, "base64").toString("utf8")) as Record<string, unknown>;
}

describe("attest", () => {
  test("writes a bundle beside the artifact, and verify attestation takes it", async () => {
    using folder = prepared();
    const run = runIn(folder);
    const made = jsonOf(await run("attest", "app", ...PREDICATE, "--key", "alice.key", "--json"));
    expect(made).toMatchObject({
      schema: "waybill.attest/v1",
      ok: true,
      out: "app.sigstore.json",
      format: "bundle",
      predicate_type: SPDX,
      subjects: [{ name: "app", digest: { sha256: sha256("the program") } }],
    });
    expect(statSync(folder.at("app.sigstore.json")).mode & 0o777).toBe(0o644);
    expect(payloadOf(folder.at("app.sigstore.json"))).toEqual({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "app", digest: { sha256: sha256("the program") } }],
      predicateType: SPDX,
      predicate: { a: { y: true, z: null }, b: [1, 2.5, "ü"] },
    });
    const verify = [
      "verify",
      "attestation",
      "app.sigstore.json",
      "--key",
      "alice.key.pub",
      "--predicate-type",
      SPDX,
    ];
    for (const subject of ["app", `sha256:${sha256("the program")}`]) {
      const seen = jsonOf(await run(...verify, "--subject", subject, "--json"));
      expect(seen).toMatchObject({ ok: true, checked: 1, refusals: [] });
      expect(seen["accepted"]).toMatchObject([{ predicate_type: SPDX, keyids: [made["keyid"]] }]);
    }
  });

  test("writes the same bytes for the same statement, whatever the order of its members is", async () => {
    using folder = prepared();
    const run = runIn(folder);
    await run("attest", "app", ...PREDICATE, "--key", "alice.key", "--out", "one");
    writeFileSync(folder.at("predicate.json"), '{ "a": {"y": true, "z": null},\n "b": [1, 2.5, "\\u00fc"] }');
    await run("attest", "app", ...PREDICATE, "--key", "alice.key", "--out", "two");
    expect(readFileSync(folder.at("one"), "utf8")).toBe(readFileSync(folder.at("two"), "utf8"));
  });

  test("says an image by its digest, and names the file after it", async () => {
    using folder = prepared();
    const digest = sha256("an image");
    const ran = await runIn(folder)(
      "attest",
      `sha256:${digest}`,
      ...PREDICATE,
      "--key",
      "alice.key",
      "--format",
      "dsse",
    );
    expect(ran).toMatchObject({ code: 0, stdout: `sha256-${digest}.intoto.json\n` });
    expect(payloadOf(folder.at(`sha256-${digest}.intoto.json`))["subject"]).toEqual([
      { digest: { sha256: digest } },
    ]);
  });

  test("appends a line, after one without its line break too, and keeps the mode", async () => {
    using folder = prepared();
    const run = runIn(folder);
    writeFileSync(folder.at("all.jsonl"), '{"foreign":1}', { mode: 0o640 });
    for (const name of ["alice", "bob"])
      await run(
        "attest",
        "app",
        ...PREDICATE,
        "--key",
        `${name}.key`,
        "--format",
        "jsonl",
        "--out",
        "all.jsonl",
      );
    const lines = readFileSync(folder.at("all.jsonl"), "utf8").split("\n");
    expect([lines.length, lines[0], lines[3]]).toEqual([4, '{"foreign":1}', ""]);
    expect(statSync(folder.at("all.jsonl")).mode & 0o777).toBe(0o640);
    const verify = ["verify", "attestation", "all.jsonl", "--subject", "app", "--predicate-type", SPDX];
    const keys = ["--key", "alice.key.pub", "--key", "bob.key.pub"];
    const seen = jsonOf(await run(...verify, ...keys, "--threshold", "2", "--json"));
    // One statement, signed by each of them on a line of their own.
    expect(seen).toMatchObject({ ok: true, checked: 1, skipped_lines: 1 });
  });

  test("appended by many at once loses no line", async () => {
    using folder = prepared();
    const run = runIn(folder);
    const runs = Array.from({ length: 6 }, () =>
      run("attest", "app", ...PREDICATE, "--key", "alice.key", "--format", "jsonl"),
    );
    expect((await Promise.all(runs)).map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(readFileSync(folder.at("app.intoto.jsonl"), "utf8").trim().split("\n")).toHaveLength(6);
    expect(readdirSync(folder.path).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  const wrong: [string, string[], number, string][] = [
    ["nothing to say", ["app", "--key", "alice.key"], 2, "nothing_named"],
    [
      "a predicate without its type",
      ["app", "--predicate", "predicate.json", "--key", "alice.key"],
      2,
      "flag_missing",
    ],
    [
      "a type that is no URI",
      ["app", "--predicate", "predicate.json", "--predicate-type", "x", "--key", "alice.key"],
      2,
      "invalid_value",
    ],
    [
      "two things to say",
      ["app", ...PREDICATE, "--capture", "predicate.json", "--key", "alice.key"],
      2,
      "flags_contradict",
    ],
    [
      "a type for what has its own",
      ["app", "--capture", "predicate.json", "--predicate-type", SPDX, "--key", "alice.key"],
      2,
      "flags_contradict",
    ],
    ["no key", ["app", ...PREDICATE], 2, "flag_missing"],
    ["a public key", ["app", ...PREDICATE, "--key", "alice.key.pub"], 2, "key_invalid"],
    ["nothing to say it about", [...PREDICATE, "--key", "alice.key"], 2, "missing_argument"],
    ["an artifact that is missing", ["none", ...PREDICATE, "--key", "alice.key"], 7, "path_not_found"],
    ["half a digest", ["sha256:abc", ...PREDICATE, "--key", "alice.key"], 2, "invalid_value"],
    [
      "a capture that is none",
      ["app", "--capture", "predicate.json", "--key", "alice.key"],
      2,
      "input_invalid",
    ],
    [
      "an output that is the artifact",
      ["app", ...PREDICATE, "--key", "alice.key", "--out", "app"],
      2,
      "flags_contradict",
    ],
    [
      "an output that is the key",
      ["app", ...PREDICATE, "--key", "alice.key", "--out", "alice.key"],
      2,
      "flags_contradict",
    ],
    [
      "an output that is what is said",
      ["app", ...PREDICATE, "--key", "alice.key", "--out", "predicate.json"],
      2,
      "flags_contradict",
    ],
    [
      "an output in no folder",
      ["app", ...PREDICATE, "--key", "alice.key", "--out", "no/where"],
      1,
      "output_not_written",
    ],
  ];
  test.each(wrong)("is refused with %s, and writes nothing", async (_what, args, code, failure) => {
    using folder = prepared();
    const before = readdirSync(folder.path);
    const ran = await runIn(folder)("attest", ...args, "--json");
    expect([ran.code, (jsonOf(ran)["error"] as { code: string }).code]).toEqual([code, failure]);
    expect(readdirSync(folder.path)).toEqual(before);
  });

  test.each([
    ["a list", "[1]"],
    ["a number that readers disagree about", '{"n":9007199254740993}'],
    ["a member twice", '{"a":1,"a":2}'],
  ])("refuses a predicate that is or has %s", async (_what, text) => {
    using folder = prepared();
    writeFileSync(folder.at("predicate.json"), text);
    const ran = await runIn(folder)("attest", "app", ...PREDICATE, "--key", "alice.key", "--json");
    expect([ran.code, (jsonOf(ran)["error"] as { code: string }).code]).toEqual([2, "input_invalid"]);
    expect(existsSync(folder.at("app.sigstore.json"))).toBe(false);
  });

  test("takes the key from a variable, and shows it nowhere", async () => {
    using folder = prepared();
    const key = readFileSync(folder.at("alice.key"), "utf8");
    const ran = await runWaybill(["attest", "app", ...PREDICATE, "--key-env", "K", "--json", "--verbose"], {
      cwd: folder.path,
      env: { K: key },
    });
    expect(ran.code).toBe(0);
    expect(ran.stdout + ran.stderr).not.toContain(key.split("\n")[1] ?? "?");
  });
});

async function captured(): Promise<TemporaryFolder> {
  const folder = prepared();
  mkdirSync(folder.at("repo"));
  writeFileSync(folder.at("repo", "main.ts"), "export {};\n");
  const git = (...args: string[]): ReturnType<typeof runProgram> =>
    runProgram(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      cwd: folder.at("repo"),
    });
  await git("init", "-q", "-b", "main");
  await git("remote", "add", "origin", "git@github.com:acme/app.git");
  await git("add", ".");
  await git("commit", "-q", "-m", "first");
  const ran = await runIn(folder)(
    "capture",
    "repo",
    "--archive",
    "context.tar.gz",
    "--json",
    "--out",
    "capture.json",
  );
  expect(ran.code).toBe(0);
  return folder;
}

describe.skipIf(Bun.which("git") === null)("a capture", () => {
  test("is stated about its archive, the tar in it, and the context", async () => {
    using folder = await captured();
    const run = runIn(folder);
    const ran = await run("attest", "context.tar.gz", "--capture", "capture.json", "--key", "alice.key");
    expect(ran).toMatchObject({ code: 0, stdout: "context.tar.gz.sigstore.json\n" });
    const capture = JSON.parse(readFileSync(folder.at("capture.json"), "utf8")) as {
      digests: Record<string, string>;
    };
    const said = payloadOf(folder.at("context.tar.gz.sigstore.json"));
    expect(said["predicateType"]).toBe(CAPTURE_TYPE);
    expect(said["subject"]).toEqual([
      { name: "context.tar.gz", digest: { sha256: sha256(readFileSync(folder.at("context.tar.gz"))) } },
      { name: "context.tar", digest: { sha256: capture.digests["tar_sha256"] } },
      {
        name: "context",
        digest: {
          working_tree_hash: capture.digests["working_tree_hash"],
          gitTree: capture.digests["git_tree"],
          dirHash: capture.digests["dir_hash"],
        },
      },
    ]);
    const predicate = said["predicate"] as Record<string, unknown>;
    expect(predicate["schema"]).toBeUndefined();
    expect(predicate["source_fields"]).toMatchObject({
      source_repo: "github.com/acme/app",
      source_dirty: false,
    });
    expect(predicate["attested_at"]).toMatch(/^\d{4}-\d\d-\d\dT/u);
    const verify = ["verify", "attestation", "context.tar.gz.sigstore.json", "--key", "alice.key.pub"];
    expect((await run(...verify, "--subject", "context.tar.gz")).code).toBe(0);
    expect((await run(...verify, "--subject", "capture.json")).code).toBe(6);
  });

  test("is stated alone, or about an image", async () => {
    using folder = await captured();
    const run = runIn(folder);
    expect((await run("attest", "--capture", "capture.json", "--key", "alice.key")).stdout).toBe(
      "capture.json.sigstore.json\n",
    );
    const image = `sha256:${sha256("image")}`;
    const args = ["--capture", "capture.json", "--key", "alice.key", "--out", "image.json"];
    expect((await run("attest", image, ...args)).code).toBe(0);
    const verify = ["verify", "attestation", "image.json", "--subject", image, "--key", "alice.key.pub"];
    expect((await run(...verify)).code).toBe(0);
  });

  test("that failed is not stated", async () => {
    using folder = await captured();
    const document = JSON.parse(readFileSync(folder.at("capture.json"), "utf8")) as object;
    const words = [
      "attest",
      "--capture",
      "capture.json",
      "--key",
      "alice.key",
      "--out",
      "said.json",
      "--json",
    ];
    writeFileSync(folder.at("capture.json"), JSON.stringify({ ...document, ok: false }));
    const ran = await runIn(folder)(...words);
    expect([ran.code, jsonOf(ran)["error"]]).toMatchObject([
      2,
      { code: "input_invalid", hint: "look at its error, and capture again" },
    ]);
    expect(existsSync(folder.at("said.json"))).toBe(false);
  });
});
