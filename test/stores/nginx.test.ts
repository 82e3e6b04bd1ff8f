import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Host, type StageRun } from "../addons/host.ts";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM as PROGRAM_WORDS, runWaybill } from "../support/binary.ts";
import { CAN_MAKE_CERTIFICATES, makeCertificates, type Certificates } from "../support/certificates.ts";
import { freePort, listens, startDaemon, type Daemon } from "../support/programs.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

const GNU_TIME = "/usr/bin/time";
const HAS_NGINX = Bun.which("nginx") !== null && CAN_MAKE_CERTIFICATES;
const PROGRAM = `#!/bin/sh\necho app\n${"# padding\n".repeat(300_000)}`;

describe.skipIf(!HAS_NGINX)("a real nginx", () => {
  let folder: TemporaryFolder;
  let daemon: Daemon;
  let certificates: Certificates;
  const ports = { plain: 0, slow: 0, tls: 0, mutual: 0, foreign: 0, expired: 0 };
  const host = new Host();

  beforeAll(async () => {
    folder = temporaryFolder();
    certificates = makeCertificates(folder);
    for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
    mkdirSync(folder.at("tmp"));
    writeFileSync(folder.at("nginx.conf"), configOf(folder, host.store, ports));
    daemon = await startDaemon(["nginx", "-e", folder.at("error.log"), "-c", folder.at("nginx.conf")], () =>
      listens(ports.expired),
    );
    // A client certificate of the same authority.
    writeFileSync(folder.at("client.pem"), certificates.server.cert);
    writeFileSync(folder.at("client.key"), certificates.server.key);
    host.assign(host.program("app", "1.0", PROGRAM));
  });
  afterAll(async () => {
    await daemon.stop();
    host[Symbol.dispose]();
    folder[Symbol.dispose]();
  });

  async function staged(store: string, flags: readonly string[] = [], root = "fresh"): Promise<StageRun> {
    const own = join(host.home, root === "fresh" ? `root-${crypto.randomUUID()}` : root);
    const run = host.arguments(["--store", store, "--allow-insecure-http", "--retry-budget", "1s", ...flags]);
    const at = run.indexOf("--root");
    run[at + 1] = own;
    const finished = await runWaybill(run, { cwd: host.home });
    return {
      exit: finished.code,
      stderr: finished.stderr,
      document: jsonOf(finished) as StageRun["document"],
    };
  }

  test("gives the artifact", async () => {
    expect((await staged(`http://127.0.0.1:${ports.plain}`)).exit).toBe(0);
  });

  test("knows its own tag again: a broken transfer goes on in the next run", async () => {
    // It sends 1 MB and then so slowly that the run ends.
    const flags = ["--store-timeout", "800ms"];
    const broken = await staged(`http://127.0.0.1:${ports.slow}`, flags, "resumed");
    expect(broken.document.addons[0]?.error?.code).toBe("deadline_passed");
    const parts = readdirSync(join(host.home, "resumed", "tmp")).filter((name) => name.endsWith(".part"));
    expect(parts).toHaveLength(1);
    const rest = await staged(`http://127.0.0.1:${ports.slow}`, ["--retry-now"], "resumed");
    expect(rest.exit).toBe(0);
    const log = await Bun.file(folder.at("access.log")).text();
    expect(log.split("\n").filter((line) => line.startsWith("206 "))).toHaveLength(1);
  }, 30_000);

  const secured: [string, keyof typeof ports, readonly string[], string | null][] = [
    ["over TLS", "tls", ["--cacert", "ca.pem"], null],
    ["over TLS of an authority that nobody named", "tls", [], "tls_failed"],
    ["under another name", "foreign", ["--cacert", "ca.pem"], "tls_failed"],
    ["with a certificate that is over", "expired", ["--cacert", "ca.pem"], "tls_failed"],
    [
      "that wants a certificate, and gets one",
      "mutual",
      ["--cacert", "ca.pem", "--store-cert", "client.pem", "--store-key", "client.key"],
      null,
    ],
    ["that wants a certificate, and gets none", "mutual", ["--cacert", "ca.pem"], "request_rejected"],
  ];
  test.each(secured)("case 43: %s", async (_name, port, flags, code) => {
    const paths = flags.map((flag) => (flag.startsWith("--") ? flag : folder.at(flag)));
    const run = await staged(`https://127.0.0.1:${ports[port]}`, paths);
    expect(run.document.addons[0]?.error?.code).toBe(code ?? undefined);
  });

  test("half of a client certificate is a usage error", async () => {
    const run = await staged(`https://127.0.0.1:${ports.mutual}`, ["--store-cert", folder.at("client.pem")]);
    expect([run.exit, run.document.error?.code]).toEqual([2, "flags_contradict"]);
    const swapped = ["--store-cert", folder.at("client.key"), "--store-key", folder.at("client.pem")];
    expect((await staged(`https://127.0.0.1:${ports.mutual}`, swapped)).exit).toBe(2);
  });

  test.skipIf(process.env["WAYBILL_FULL"] === undefined || Bun.which(GNU_TIME) === null)(
    "gives more than 4 GiB in constant memory",
    async () => {
      const size = 4_500_000_000;
      writeFileSync(join(host.store, "large"), "#!/bin/sh\nexit 0\n");
      truncateSync(join(host.store, "large"), size);
      const hasher = new Bun.CryptoHasher("sha256");
      for await (const chunk of Bun.file(join(host.store, "large")).stream()) hasher.update(chunk);
      const list = join(host.home, "large.json");
      const addon = {
        addon_id: "large",
        version: "1",
        enabled: true,
        artifact_object_key: "large",
        artifact_sha256: hasher.digest("hex"),
      };
      writeFileSync(list, JSON.stringify({ addons: [addon] }));
      const flags = [
        "--assignments",
        list,
        "--root",
        join(host.home, "large-root"),
        "--no-key",
        "--allow-unsigned",
        "large",
        "--max-artifact-bytes",
        String(size),
      ];
      const words = [
        ...PROGRAM_WORDS,
        ...host.arguments(["--store", `http://127.0.0.1:${ports.plain}`, "--allow-insecure-http", ...flags]),
      ];
      // What a child of ours has used at most counts what we had
      // when it was made; this one was made by a small program.
      const peak = join(host.home, "peak");
      const timed = [GNU_TIME, "-f", "%M", "-o", peak, ...withoutRoot(words, host.root)];
      const child = Bun.spawn(timed, {
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
        env: { ...CLEAN_ENVIRONMENT },
      });
      expect([await child.exited, await child.stderr.text()]).toEqual([0, expect.any(String)]);
      expect(Number(readFileSync(peak, "utf8").trim()) / 1_024).toBeLessThan(120);
    },
    240_000,
  );
});

function configOf(folder: TemporaryFolder, root: string, ports: Record<string, number>): string {
  const server = (port: number | undefined, more: string): string =>
    `server { listen 127.0.0.1:${port}${more.includes("ssl_") ? " ssl" : ""}; root ${root}; ${more} }`;
  const tls = (name: string): string =>
    `ssl_certificate ${folder.at(`${name}.pem`)}; ssl_certificate_key ${folder.at(`${name}.key`)};`;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder.at("tmp")};`,
  );
  return `daemon off; ${process.geteuid?.() === 0 ? "user root;" : ""} master_process off;
pid ${folder.at("nginx.pid")}; error_log ${folder.at("error.log")};
events {}
http {
  log_format status "$status $http_range";
  access_log off;
  ${temporary.join(" ")}
  ${server(ports["plain"], "")}
  ${server(ports["slow"], `limit_rate_after 1m; limit_rate 1m; access_log ${folder.at("access.log")} status;`)}
  ${server(ports["tls"], tls("server"))}
  ${server(ports["mutual"], `${tls("server")} ssl_client_certificate ${folder.at("ca.pem")}; ssl_verify_client on;`)}
  ${server(ports["foreign"], tls("foreign"))}
  ${server(ports["expired"], tls("expired"))}
}
`;
}

/** The words without the root that the host would take. */
function withoutRoot(words: readonly string[], root: string): string[] {
  const at = words.indexOf(root);
  return words.filter((_, index) => index !== at && index !== at - 1);
}
