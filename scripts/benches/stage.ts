/** The download half: 1 GiB over loopback from nginx, beside curl and the usual tools. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assignmentOf, fillNoise, newKey } from "./harness/artifacts.ts";
import { BINARY, record, roundsOr } from "./harness/record.ts";
import type { Way } from "./harness/rounds.ts";
import { compilePeer, hasCommand, inNewFolder, run, startBeside } from "./harness/workshop.ts";

const rounds = roundsOr(5);
const SIZE = Number(process.env["BENCH_BYTES"] ?? 1_073_741_824);

const STAGE = "waybill addon-stage: sha256, signature, staged and on the disk";
const FETCH = "waybill fetch, sha256, write";
const CURL = "curl -o";
const CURL_SHA256SUM = "curl -o && sha256sum";
const CURL_OPENSSL = "curl -o && openssl dgst -sha256";

await inNewFolder(async (folder) => {
  const at = (name: string): string => join(folder, name);
  for (const name of ["www", "tmp"]) mkdirSync(at(name));
  const artifact = at("www/artifact");
  const digest = fillNoise(artifact, SIZE);
  const key = newKey(folder);
  const addons = [assignmentOf(artifact, "artifact", digest, key)];
  writeFileSync(at("signed.json"), JSON.stringify({ addons }));
  if (!hasCommand("nginx", "nginx-light")) throw new Error("nginx is wanted, which sends the artifact");
  const port = 20_000 + (process.pid % 20_000);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${at("tmp")};`)
    .join(" ");
  writeFileSync(
    at("nginx.conf"),
    `daemon off; master_process off; pid ${at("pid")}; events {} http { access_log off; sendfile on; ${temporary} server { listen 127.0.0.1:${port}; root ${at("www")}; } }`,
  );
  const nginx = startBeside(["nginx", "-e", at("error.log"), "-c", at("nginx.conf")]);
  try {
    const url = `http://127.0.0.1:${port}`;
    const patiently = ["--retry", "20", "--retry-connrefused", "--retry-delay", "1"];
    run(["curl", "-sf", ...patiently, "-r", "0-9", "-o", at("probe"), `${url}/artifact`]);
    const before = (): void => {
      rmSync(at("root"), { recursive: true, force: true });
      rmSync(at("out"), { force: true });
    };
    const curl = (name: string, then = ""): Way => ({
      name,
      words: ["sh", "-c", `curl -sf -o ${at("out")} ${url}/artifact ${then}`],
      before,
    });
    const limits = compilePeer("limits", folder);
    const source = join(import.meta.dir, "stage-fetch.ts");
    await record("stage", async (book) => {
      await book.compare({
        title: `Download of ${(SIZE / 1_048_576).toFixed(0)} MiB over loopback`,
        rounds,
        work: { amount: SIZE / 1e6, unit: "MB" },
        ways: [
          {
            name: STAGE,
            role: "ours",
            words: [
              ...[BINARY, "addon-stage", "--quiet", "--root", at("root"), "--store", url],
              ...["--allow-insecure-http", "--assignments", at("signed.json"), "--key", key.base64],
            ],
            before,
          },
          {
            name: FETCH,
            role: "ours",
            words: [process.execPath, source, `${url}/artifact`, at("out"), digest],
            before,
          },
          curl(CURL_SHA256SUM, `&& sha256sum ${at("out")}`),
          curl(CURL_OPENSSL, `&& openssl dgst -sha256 ${at("out")}`),
          curl(CURL),
          { name: "at the least: the bytes read", role: "limit", words: [limits, "read", artifact] },
          {
            name: "at the least: as many bytes hashed in memory, once",
            role: "limit",
            words: [limits, "sha256", String(SIZE), "1"],
          },
        ],
        goals: [
          { of: STAGE, against: CURL_SHA256SUM, most: 0.8 },
          { of: FETCH, against: CURL_OPENSSL, most: 0.8 },
          { of: STAGE, mostMegabytes: 120 },
        ],
      });
    });
  } finally {
    nginx.kill();
    await nginx.exited;
  }
});
