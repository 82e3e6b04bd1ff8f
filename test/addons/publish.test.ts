import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { Host, type StageRun } from "./host.ts";
import { tar, type TarEntry } from "./tar.ts";

let plane: ControlPlaneProcess;
let writer: string;
let reader: string;

beforeEach(async () => {
  plane = await startControlPlane();
  writer = await plane.token(["addons:write", "addons:read"]);
  reader = await plane.token(["addons:read"]);
});
afterEach(async () => {
  await plane.stop();
});

/** Where nobody answers: what is refused before anything is sent is not refused for that. */
const NOBODY = "http://127.0.0.1:9";

type Publishing = {
  exit: number;
  document: Record<string, unknown> & { error?: { code: string } };
  stderr: string;
};

async function publish(
  host: Host,
  extra: string[],
  token = writer,
  url = plane.address,
): Promise<Publishing> {
  const finished = await runWaybill(
    [
      "addon",
      "publish",
      join(host.home, "program"),
      "--json",
      "--url",
      url,
      "--allow-insecure-http",
      "--token-env",
      "T",
      ...extra,
    ],
    { env: { T: token, KEY: host.privateKey } },
  );
  return {
    exit: finished.code,
    document: jsonOf(finished),
    stderr: finished.stderr,
  };
}

function stageFromPlane(host: Host, extra: string[] = []): Promise<StageRun> {
  return host.stage(
    [
      "--assignments",
      `${plane.address}/v1/addons/assignments`,
      "--token-env",
      "T",

      "--store",
      `${plane.address}/v1/artifacts`,
      "--store-token-env",
      "T",
      "--allow-insecure-http",
      ...extra,
    ],
    { T: reader },
  );
}

test("a published and assigned program arrives on a host", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  const flags = ["--id", "sensor", "--version", "1.0.0+build.5", "--key-env", "KEY", "--assign"];
  const { exit, document } = await publish(host, flags);
  expect(exit).toBe(0);
  expect(document).toMatchObject({ ok: true, checked: 1, outcome: "landed", stored: "new", assigned: true });
  expect(document["object_key"]).toMatch(
    /^native-addons\/sensor\/1\.0\.0-build\.5\/linux\/\w+\/[0-9a-f]{64}\.bin$/u,
  );

  const staged = await stageFromPlane(host);
  expect(staged.exit).toBe(0);
  expect(staged.document.addons).toMatchObject([
    {
      addon_id: "sensor",
      outcome: "staged",
      digest: document["digest"],
      signature: { keyid: document["keyid"] },
    },
  ]);
  expect(readlinkSync(host.path("sensor/current"))).toBe("versions/1.0.0+build.5");
  expect((await publish(host, flags)).document).toMatchObject({ ok: true, stored: "already" });
});

test("other bytes under the same version are refused", async () => {
  using host = new Host();
  const flags = ["--id", "fixed", "--version", "1", "--key-env", "KEY"];
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  expect((await publish(host, flags)).exit).toBe(0);
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho two\n");
  const { exit, document } = await publish(host, flags);
  expect(document.error?.code).toBe("version_conflict");
  expect(exit).toBe(5);
});

test("without a signature it is told, and hosts refuse it", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  const { exit, stderr, document } = await publish(host, ["--id", "plain", "--version", "1", "--assign"]);
  expect(exit).toBe(0);
  expect(document).toMatchObject({ signature: null, keyid: null, assigned: true });
  expect(stderr).toContain("hosts refuse it");
  expect((await stageFromPlane(host)).document.addons).toMatchObject([
    { outcome: "skipped", error: { code: "unsigned" } },
  ]);
});

const refused: [string, string[], string, number][] = [
  ["an unsafe id", ["--id", "../x", "--version", "1"], "unsafe_path", 5],
  ["an unsafe version", ["--id", "x", "--version", ".."], "unsafe_path", 5],
  ["two keys", ["--id", "x", "--version", "1", "--key", "/x", "--key-env", "KEY"], "flags_contradict", 2],
  [
    "another platform's program",
    ["--id", "x", "--version", "1", "--platform", "windows/amd64"],
    "platform_unsupported",
    5,
  ],
];
test.each(refused)("%s", async (_name, flags, code, exitCode) => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\n");
  const { exit, document } = await publish(host, flags);
  expect(document.error?.code).toBe(code);
  expect(exit).toBe(exitCode);
});

test("a token that may only read", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\n");
  const { exit, document } = await publish(host, ["--id", "x", "--version", "1", "--key-env", "KEY"], reader);
  expect(document.error?.code).toBe("forbidden");
  expect(exit).toBe(4);
});

test("an answer that does not name what was published is no success", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\n");
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) =>
      request.method === "GET" ? Response.json({ addons: [], packages: [] }) : Response.json({}),
  });
  try {
    const flags = ["--id", "x", "--version", "1", "--key-env", "KEY"];
    for (const assign of [[], ["--assign"]]) {
      const url = `http://127.0.0.1:${server.port}`;
      expect(await publish(host, [...flags, ...assign], writer, url)).toMatchObject({
        exit: 8,
        document: { ok: false, error: { code: "response_mismatch" } },
      });
    }
  } finally {
    await server.stop(true);
  }
});

test("a package is read back from a control plane that has more of them than a page", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  const headers = { authorization: `Bearer ${writer}` };
  for (let at = 0; at < 101; at++) {
    const body = JSON.stringify({ addon_id: "a", version: `${at}`, binary: "a" });
    const answer = await fetch(`${plane.address}/v1/addons/packages`, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
  }
  const published = await publish(host, ["--id", "z", "--version", "1", "--key-env", "KEY"]);
  expect(published).toMatchObject({ exit: 0, document: { stored: "new" } });
});

test("a directory is packed, the same each time, and arrives as a bundle", async () => {
  using host = new Host();
  const folder = join(host.home, "program");
  mkdirSync(folder);
  writeFileSync(join(folder, "tool"), "#!/bin/sh\necho packed\n", { mode: 0o700 });
  writeFileSync(join(folder, "tool.json"), '{"a":1}');
  const flags = ["--id", "packed", "--version", "1", "--binary", "tool", "--key-env", "KEY", "--assign"];
  const first = await publish(host, flags);
  expect(first).toMatchObject({ exit: 0, document: { stored: "new", binary: "tool" } });
  expect(first.document["object_key"]).toEndWith(".tar.zst");
  writeFileSync(join(folder, "tool.json"), '{"a":1}');
  expect(await publish(host, flags)).toMatchObject({
    exit: 0,
    document: { stored: "already", digest: first.document["digest"] },
  });
  const staged = await stageFromPlane(host);
  expect(staged.document.addons.find((one) => one.addon_id === "packed")).toMatchObject({
    outcome: "staged",
  });
  expect(host.read("packed/current/tool")).toBe("#!/bin/sh\necho packed\n");
  expect(host.read("packed/current/tool.json")).toBe('{"a":1}');
});

test("a directory is packed with gzip when it is asked for, and only a directory is packed", async () => {
  using host = new Host();
  const folder = join(host.home, "program");
  mkdirSync(folder);
  writeFileSync(join(folder, "tool"), "#!/bin/sh\necho packed\n");
  const flags = [
    "--id",
    "zipped",
    "--version",
    "1",
    "--binary",
    "tool",
    "--key-env",
    "KEY",
    "--pack",
    "gzip",
  ];
  const { document } = await publish(host, flags);
  expect(document["object_key"]).toEndWith(".tar.gz");
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "#!/bin/sh\n");
  expect(await publish(host, flags)).toMatchObject({
    exit: 2,
    document: { error: { code: "flags_contradict" } },
  });
});

test("a bundle that no host would take is refused before anything is sent", async () => {
  using host = new Host();
  const path = join(host.home, "program");
  const bundle = (entry: TarEntry): Uint8Array => gzipSync(tar({ name: "tool", data: "#!/bin/sh\n" }, entry));
  const flags = ["--id", "refused", "--version", "1", "--binary", "tool", "--key-env", "KEY"];
  const cases: [Uint8Array, string][] = [
    [bundle({ name: "../x" }), "tarball_unsafe"],
    [gzipSync(tar({ name: "other", data: "#!/bin/sh\n" })), "tarball_binary_missing"],
    [gzipSync(tar({ name: "tool", data: "text" })), "platform_unsupported"],
  ];
  for (const [bytes, code] of cases) {
    writeFileSync(path, bytes);
    expect((await publish(host, flags, writer, NOBODY)).document.error?.code).toBe(code as never);
  }
});

test("a directory that holds more than files is refused", async () => {
  using host = new Host();
  const folder = join(host.home, "program");
  mkdirSync(join(folder, "nested"), { recursive: true });
  writeFileSync(join(folder, "tool"), "#!/bin/sh\n");
  const { exit, document } = await publish(host, [
    "--id",
    "x",
    "--version",
    "1",
    "--binary",
    "tool",
    "--key-env",
    "KEY",
  ]);
  expect({ exit, code: document.error?.code }).toEqual({ exit: 5, code: "tarball_unsafe" });
});

test("what is published says until when, from which version on, and for which add-on", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  const flags = ["--id", "sensor", "--key-env", "KEY", "--assign"];
  const dated = ["--expires", "1h", "--minimum-version", "1.0"];
  expect(await publish(host, [...flags, "--version", "1.0.0", ...dated])).toMatchObject({ exit: 0 });
  expect((await stageFromPlane(host)).document.addons).toMatchObject([
    { outcome: "staged", version: "1.0.0" },
  ]);
  const { active, minimum_version } = JSON.parse(host.read("sensor/.waybill-specs.json"));
  expect(minimum_version).toBe("1.0");
  expect(Date.parse(active.stated.expires)).toBeGreaterThan(Date.now());
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho nought\n");
  const older = await publish(host, [...flags, "--version", "0.9"]);
  expect(older.exit).toBe(0);
  writeFileSync(host.override, JSON.stringify({ addons: [{ addon_id: "sensor", allow_downgrade: "0.9" }] }));
  expect((await stageFromPlane(host, ["--override", host.override])).document.addons).toMatchObject([
    { outcome: "kept_last_known_good", version: "1.0.0", error: { code: "downgrade_refused" } },
  ]);
});

test("a floor above the version itself, and an end without a key, are refused before anything is sent", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  const flags = ["--id", "sensor", "--version", "1.0.0"];
  const raised = [...flags, "--key-env", "KEY", "--minimum-version", "1.1"];
  const above = await publish(host, raised, writer, NOBODY);
  expect(above).toMatchObject({ exit: 2, document: { error: { code: "invalid_value" } } });
  const unsigned = await publish(host, [...flags, "--expires", "1h"], writer, NOBODY);
  expect(unsigned).toMatchObject({ exit: 2, document: { error: { code: "flags_contradict" } } });
});

test("one step puts it into stores as well, from which hosts fetch it without the control plane's copy", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  const [first, second] = [join(host.home, "first"), join(host.home, "second")];
  for (const folder of [first, second]) mkdirSync(folder);
  const flags = ["--id", "sensor", "--version", "1.0.0", "--key-env", "KEY", "--assign"];
  const stores = ["--store", `file:${first}`, "--store", `file:${second}`];
  const published = await publish(host, [...flags, ...stores]);
  expect(published).toMatchObject({
    exit: 0,
    document: {
      stores: [
        { store: `file:${first}`, outcome: "new" },
        { store: `file:${second}`, outcome: "new" },
      ],
    },
  });
  const again = await publish(host, [...flags, ...stores]);
  expect(again.document).toMatchObject({
    stored: "already",
    stores: [{ outcome: "already" }, { outcome: "already" }],
  });
  const staged = await host.stage(
    [
      ...["--assignments", `${plane.address}/v1/addons/assignments`, "--token-env", "T"],
      ...["--store", `file:${second}`, "--allow-insecure-http"],
    ],
    { T: reader },
  );
  expect(staged.document.addons).toMatchObject([{ outcome: "staged", version: "1.0.0" }]);
  const readOnly = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ method }) => new Response("", { status: method === "PUT" ? 405 : 404 }),
  });
  const web = await publish(host, [...flags, "--store", `http://127.0.0.1:${readOnly.port}`]);
  await readOnly.stop(true);
  expect(web).toMatchObject({ exit: 9, document: { error: { code: "request_rejected" } } });
});

test("the key may be behind a passphrase", async () => {
  using host = new Host();
  writeFileSync(join(host.home, "program"), "#!/bin/sh\necho one\n");
  writeFileSync(join(host.home, "passphrase"), "correct horse\n", { mode: 0o600 });
  const [key, passphrase] = [join(host.home, "release.key"), join(host.home, "passphrase")];
  await runWaybill(["key", "new", "--out", key, "--passphrase-file", passphrase]);
  const flags = ["--id", "sensor", "--version", "1.0.0", "--key", key];
  const opened = await publish(host, [...flags, "--passphrase-file", passphrase]);
  expect(opened).toMatchObject({ exit: 0, document: { outcome: "landed" } });
  expect(opened.document["signature"]).not.toBeNull();
  expect(await publish(host, flags)).toMatchObject({ exit: 2, document: { error: { code: "key_invalid" } } });
});
