/** The download half: 1 GiB over loopback from nginx, beside curl and the usual tools. */
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync, closeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measure, report } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? "7");
const binary = process.env["WAYBILL_BINARY"] ?? "dist/waybill";
const folder = mkdtempSync(join(tmpdir(), "waybill-bench-"));
const at = (name: string): string => join(folder, name);
const SIZE = Number(process.env["BENCH_BYTES"] ?? 1_073_741_824);

function fill(path: string): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const file = openSync(path, "w");
  const piece = new Uint8Array(4_194_304);
  const head = Buffer.from("#!/bin/sh\nexit 0\n");
  for (let written = 0; written < SIZE; written += piece.length) {
    for (let offset = 0; offset < piece.length; offset += 65_536) {
      crypto.getRandomValues(piece.subarray(offset, offset + 65_536));
    }
    if (written === 0) piece.set(head);
    const part = piece.subarray(0, Math.min(piece.length, SIZE - written));
    hasher.update(part);
    writeSync(file, part);
  }
  closeSync(file);
  return hasher.digest("hex");
}

function run(words: readonly string[]): string {
  const done = Bun.spawnSync([...words], { stdout: "pipe", stderr: "inherit" });
  if (!done.success) throw new Error(`${words[0]} failed`);
  return done.stdout.toString();
}

let nginx: Bun.Subprocess | null = null;
try {
  for (const name of ["www", "tmp"]) mkdirSync(at(name));
  const digest = fill(at("www/artifact"));
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(at("key.pem"), privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  run([
    binary,
    "sign",
    at("www/artifact"),
    "--key",
    at("key.pem"),
    "--format",
    "raw",
    "--out",
    at("artifact.sig"),
  ]);
  const signature = (await Bun.file(at("artifact.sig")).text()).trim();
  const addon = {
    addon_id: "app",
    version: "1",
    enabled: true,
    artifact_object_key: "artifact",
    artifact_sha256: digest,
  };
  writeFileSync(at("signed.json"), JSON.stringify({ addons: [{ ...addon, artifact_signature: signature }] }));
  writeFileSync(at("unsigned.json"), JSON.stringify({ addons: [addon] }));
  const port = 20_000 + (process.pid % 20_000);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${at("tmp")};`)
    .join(" ");
  writeFileSync(
    at("nginx.conf"),
    `daemon off; master_process off; pid ${at("pid")}; events {} http { access_log off; sendfile on; ${temporary} server { listen 127.0.0.1:${port}; root ${at("www")}; } }`,
  );
  nginx = Bun.spawn(["nginx", "-e", at("error.log"), "-c", at("nginx.conf")], {
    stdout: "ignore",
    stderr: "inherit",
  });
  const url = `http://127.0.0.1:${port}`;
  run([
    "curl",
    "-sf",
    "--retry",
    "20",
    "--retry-connrefused",
    "--retry-delay",
    "1",
    "-r",
    "0-9",
    "-o",
    at("probe"),
    `${url}/artifact`,
  ]);
  const clean = (): void => rmSync(at("root"), { recursive: true, force: true });
  const stage = [
    binary,
    "addon-stage",
    "--quiet",
    "--root",
    at("root"),
    "--store",
    url,
    "--allow-insecure-http",
  ];
  const fetched = (tool: string): string[] => [
    "sh",
    "-c",
    `curl -sf -o ${at("out")} ${url}/artifact && ${tool} ${at("out")}`,
  ];
  const before = (): void => {
    clean();
    rmSync(at("out"), { force: true });
  };
  const signed = "waybill addon-stage: sha256, signature, staged and on the disk";
  const only = "waybill fetch, sha256, write";
  const measured = await measure(
    [
      { name: signed, words: [...stage, "--assignments", at("signed.json"), "--key", key], before },
      { name: "curl -o && sha256sum", words: fetched("sha256sum"), before },
      {
        name: only,
        words: [
          process.execPath,
          join(import.meta.dir, "stage-fetch.ts"),
          `${url}/artifact`,
          at("out"),
          digest,
        ],
        before,
      },
      { name: "curl -o && openssl dgst -sha256", words: fetched("openssl dgst -sha256"), before },
    ],
    rounds,
  );
  const met = report(
    `download of ${(SIZE / 1_048_576).toFixed(0)} MiB over loopback, ${rounds} rounds`,
    measured,
    [
      { of: signed, against: "curl -o && sha256sum", most: 0.8 },
      { of: only, against: "curl -o && openssl dgst -sha256", most: 0.8 },
    ],
  );
  const memory = measured.find(({ name }) => name === signed)?.memory ?? Number.NaN;
  console.log(
    `- memory of ${signed}: ${memory.toFixed(0)} MB (wanted ≤ 120 MB): ${memory <= 120 ? "met" : "MISSED"}`,
  );
  process.exitCode = met && memory <= 120 ? 0 : 1;
} finally {
  nginx?.kill();
  await nginx?.exited;
  rmSync(folder, { recursive: true, force: true });
}
