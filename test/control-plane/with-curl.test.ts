import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "../support/certificates.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { runProgram, type Finished } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { digestOf } from "./plane.ts";

/** The scripts that this server must satisfy are shell, curl and python3; so are these. */
const READY = ["curl", "python3", "tar", "openssl"].every((program) => Bun.which(program) !== null);

/** Hundreds of megabytes through a pipe take their time. */
const FULL = process.env["WAYBILL_FULL"] !== undefined;

describe.skipIf(!READY)("with curl", () => {
  let folder: TemporaryFolder;
  let server: ControlPlaneProcess;
  let token: string;
  beforeEach(async () => {
    folder = temporaryFolder();
    server = await startControlPlane({ data: folder.at("data") });
    token = await server.token(["admin"]);
  });
  afterEach(async () => {
    expect(await server.stop()).toBe(0);
    expect(server.stderr()).toBe("");
    folder[Symbol.dispose]();
  });

  const shell = (script: string): Promise<Finished> =>
    runProgram(["sh", "-c", `set -eu\n${script}`], {
      cwd: folder.path,
      env: { CP: server.address, TOKEN: token, DIGEST: digestOf("image") },
    });

  test("a pin is promoted with -d and read back through python3", async () => {
    const ran = await shell(`
      curl -fsS -X POST -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
        -d "$(printf '{"template_name":"%s","image_digest":"%s","git_sha":"%s","notes":"%s"}' codex "$DIGEST" 0123abc 'auto-promote')" \\
        "$CP/cp/admin/runtime-image/promote" > promoted
      curl -fsS -H "Authorization: Bearer $TOKEN" "$CP/cp/admin/runtime-image" > listed
      live=$(python3 -c '
import json, sys
pins = json.load(sys.stdin)["pins"]
row = next((p for p in pins if p["template_name"] == "codex" and p["region"] == "global"), None)
print(row["image_digest"] if row else "")' < listed)
      [ "$live" = "$DIGEST" ] && echo "OK"
    `);
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, "OK\n", ""]);
  });

  test("a build is uploaded with -F and found by its hash", async () => {
    const ran = await shell(`
      mkdir -p context && echo FROM scratch > context/Dockerfile
      tar -czf context.tar.gz -C context .
      curl -fsS -H "x-api-key: $TOKEN" -F context_archive=@context.tar.gz -F image_name=app -F agent_name=bot \\
        -F 'build_args={"A":"1"}' -F source_dirty=false -F source_ref='feat/ü "x"' -F working_tree_hash=abc "$CP/v5/builds" > build
      curl -fsS -G -H "x-api-key: $TOKEN" -d working_tree_hash=abc -d limit=1 "$CP/v5/builds" |
        python3 -c 'import json,sys; i=json.load(sys.stdin)["items"]; print(len(i), i[0]["source_ref"], i[0]["source_dirty"])'
    `);
    expect([ran.code, ran.stdout]).toEqual([0, '1 feat/ü "x" False\n']);
    const build = JSON.parse(await Bun.file(folder.at("build")).text());
    const { sha256, bytes } = build.context_archive;
    expect(statSync(folder.at("context.tar.gz")).size).toBe(bytes);
    const stored = folder.at("data", "contexts", sha256.slice(0, 2), sha256);
    expect((await runProgram(["cmp", stored, folder.at("context.tar.gz")])).code).toBe(0);
  });

  test("an artifact is uploaded with -T, downloaded in two parts, and a context archive is none", async () => {
    const ran = await shell(`
      head -c 3000000 /dev/urandom > tool
      sha=$(sha256sum tool | cut -d' ' -f1)
      curl -sS -o /dev/null -w '%{http_code} ' -H "Authorization: Bearer $TOKEN" -T tool "$CP/v1/artifacts/$sha"
      curl -sS -o /dev/null -w '%{http_code} ' -H "Authorization: Bearer $TOKEN" -T tool "$CP/v1/artifacts/$sha"
      curl -sS -r 0-999999 -o part -H "Authorization: Bearer $TOKEN" "$CP/v1/artifacts/a/b/$sha.bin"
      curl -sS -C - -o part -w '%{http_code} ' -H "Authorization: Bearer $TOKEN" "$CP/v1/artifacts/a/b/$sha.bin"
      cmp part tool
      curl -sS -I -H "Authorization: Bearer $TOKEN" "$CP/v1/artifacts/$sha" | tr -d '\\r' | grep -i '^content-length'
      context=$(sha256sum context.tar.gz | cut -d' ' -f1)
      curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $TOKEN" "$CP/v1/artifacts/$context"
    `);
    expect([ran.code, ran.stdout]).toEqual([0, "201 200 206 content-length: 3000000\n404"]);
  });

  test("refusals reach the caller, also before a big upload is sent whole", async () => {
    const ran = await shell(`
      curl -sS -w ' %{http_code}\\n' -H "Authorization: Bearer $TOKEN" -d '{"template_name":"codex","image_digest":"latest"}' "$CP/cp/admin/runtime-image/promote"
      curl -sS -w ' %{http_code}\\n' -H "Authorization: Bearer nope" "$CP/cp/admin/runtime-image"
      curl -sS -o /dev/null -w '%{http_code}\\n' --path-as-is -H "Authorization: Bearer $TOKEN" "$CP//v5/builds"
      truncate -s 600M big.tar.gz
      curl -sS -w ' %{http_code}\\n' -H "x-api-key: $TOKEN" -F context_archive=@big.tar.gz -F image_name=a -F agent_name=b "$CP/v5/builds"
      curl -sS -w ' %{http_code}\\n' -H "x-api-key: nope" -F context_archive=@big.tar.gz "$CP/v5/builds"
      rm big.tar.gz
    `);
    expect(ran.stdout.split("\n")).toEqual([
      '{"error":"image_digest must be sha256:<64 hex>","code":"invalid_field"}',
      " 400",
      '{"error":"unauthorized: token malformed","code":"unauthorized"}',
      " 401",
      "404",
      '{"error":"the form must be <= 525336576 bytes","code":"too_large"}',
      " 413",
      '{"error":"unauthorized: token malformed","code":"unauthorized"}',
      " 401",
      "",
    ]);
  });

  test.skipIf(!FULL)("an archive over the ceiling is cut off while it comes", async () => {
    const ran = await shell(`
      { printf '\\037\\213'; head -c 525000000 /dev/zero; } |
        curl -sS -w ' %{http_code}' -H "x-api-key: $TOKEN" -F image_name=a -F agent_name=b -F 'context_archive=@-' "$CP/v5/builds"
    `);
    expect(ran.stdout).toBe(
      '{"error":"context_archive must be <= 524288000 bytes","code":"too_large"}\n 413',
    );
  });

  test.skipIf(!FULL)("a large archive is never whole in memory", async () => {
    const ran = await shell(`
      { printf '\\037\\213'; head -c 400000000 /dev/zero; } > large.tar.gz
      curl -sS -o /dev/null -w '%{http_code}' -H "x-api-key: $TOKEN" -F context_archive=@large.tar.gz -F image_name=a -F agent_name=b "$CP/v5/builds"
      rm large.tar.gz
    `);
    expect(ran.stdout).toBe("200");
    const status = await Bun.file(join("/proc", String(server.pid), "status")).text();
    const peak = Number(/VmHWM:\s+(\d+) kB/u.exec(status)?.[1] ?? Number.NaN);
    expect(peak).toBeLessThan(250_000);
  });

  test("over TLS with a certificate of our own", async () => {
    const { server: pair, ca } = makeCertificates(folder);
    for (const [name, text] of Object.entries({ ...pair, ca })) writeFileSync(folder.at(`${name}.pem`), text);
    const secure = await startControlPlane({
      args: ["--tls-cert", folder.at("cert.pem"), "--tls-key", folder.at("key.pem")],
    });
    try {
      expect(secure.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/u);
      const get = (...flags: readonly string[]): Promise<Finished> =>
        runProgram(["curl", "-sS", ...flags, `${secure.address}/readyz`], { cwd: folder.path });
      expect(await get("--cacert", "ca.pem")).toMatchObject({ code: 0, stdout: '{"ok":true}\n' });
      expect((await get()).code).toBe(60);
    } finally {
      expect(await secure.stop()).toBe(0);
    }
  });

  test("over a unix socket", async () => {
    const local = await startControlPlane({ listen: `unix:${folder.at("cp.sock")}` });
    try {
      const ran = await runProgram([
        "curl",
        "-sS",
        "--unix-socket",
        folder.at("cp.sock"),
        "http://x/healthz",
      ]);
      expect(ran).toMatchObject({ code: 0, stdout: '{"ok":true}\n' });
    } finally {
      expect(await local.stop()).toBe(0);
    }
  });

  test("the record has every change and every denial with its actor, in order", async () => {
    await shell(`
      curl -fsS -H "Authorization: Bearer $TOKEN" -d '{"template_name":"codex","image_digest":"'$DIGEST'"}' "$CP/cp/admin/runtime-image/promote"
      printf x > tool
      curl -fsS -T tool -H "Authorization: Bearer $TOKEN" "$CP/v1/artifacts/$(sha256sum tool | cut -d' ' -f1)"
      curl -sS -H "Authorization: Bearer nope" "$CP/cp/admin/runtime-image"
    `);
    const ran = await runProgram([
      "python3",
      "-c",
      `import sqlite3,sys
for r in sqlite3.connect(sys.argv[1]).execute("SELECT action, decision, actor FROM events ORDER BY seq"): print(*r)`,
      folder.at("data", "control-plane.sqlite"),
    ]);
    const actor = "api-token-[0-9a-f]{8}";
    expect(ran.stdout).toMatch(
      new RegExp(
        `^token.new allowed cli\\npin.promote allowed ${actor}\\nartifact.store allowed ${actor}\\npin.list denied anonymous\\n$`,
        "u",
      ),
    );
  });
});
