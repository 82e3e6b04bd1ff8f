/** The unpacking half: a large bundle beside GNU tar, and a whole stage of it beside the usual tools in sequence. */
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measure, report, type Way } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? "7");
const binary = process.env["WAYBILL_BINARY"] ?? "dist/waybill";
// In memory where there is room, so that the disk is not what is measured.
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "waybill-bench-"));
const at = (...names: string[]): string => join(folder, ...names);

function run(words: readonly string[], cwd: string = folder): string {
  const done = Bun.spawnSync([...words], { cwd, stdout: "pipe", stderr: "inherit" });
  if (!done.success) throw new Error(`${words.join(" ")} failed`);
  return done.stdout.toString();
}

/** Programs as they are: about half of it does not get smaller. */
function fill(): string[] {
  mkdirSync(at("files"));
  const noise = new Uint8Array(20_971_520);
  const names = ["app", "helper", "agent", "plugin"];
  for (const name of names) {
    for (let offset = 0; offset < noise.length; offset += 65_536) {
      crypto.getRandomValues(noise.subarray(offset, offset + 65_536));
    }
    run(["cp", process.execPath, at("files", name)]);
    writeFileSync(at("noise"), noise);
    run(["sh", "-c", `cat noise >> files/${name}`]);
  }
  rmSync(at("noise"));
  run(["chmod", "755", ...names.map((name) => `files/${name}`)]);
  return names;
}

const clean = (): void => {
  for (const name of ["out", "root", "got"]) rmSync(at(name), { recursive: true, force: true });
};

let server: ReturnType<typeof Bun.serve> | null = null;
try {
  const names = fill();
  run(["tar", "--format=ustar", "-C", "files", "-cf", "bundle.tar", ...names]);
  run(["gzip", "-k", "-1", "bundle.tar"]);
  run(["zstd", "-q", "-k", "bundle.tar"]);
  // Compiled, as the product is: not the runtime's reading of its source is measured.
  const source = join(import.meta.dir, "unpack-one.ts");
  const compile = ["build", source, "--outfile", at("unpack-one"), "--compile", "--bytecode", "--format=esm"];
  run([process.execPath, ...compile, "--compile-jit-policy=30", "--minify-syntax", "--splitting"]);
  const unpack = (bundle: string): Way => ({
    name: `waybill: ${bundle}`,
    words: [at("unpack-one"), at(bundle), at("out"), "app"],
    before: clean,
  });
  const tar = (bundle: string): Way => ({
    name: `tar -x: ${bundle}`,
    words: ["sh", "-c", `mkdir ${at("out")} && tar -xf ${at(bundle)} -C ${at("out")}`],
    before: clean,
  });
  const bundles = ["bundle.tar.gz", "bundle.tar.zst"];
  const size = (statSync(at("bundle.tar")).size / 1_048_576).toFixed(0);
  const unpacked = await measure(
    bundles.flatMap((bundle) => [unpack(bundle), tar(bundle)]),
    rounds,
  );
  const met = report(
    `unpacking ${size} MiB, ${rounds} rounds`,
    unpacked,
    bundles.map((bundle) => ({ of: `waybill: ${bundle}`, against: `tar -x: ${bundle}`, most: 0.9 })),
  );

  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(at("key.pem"), privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  const bundle = "bundle.tar.zst";
  run([binary, "sign", at(bundle), "--key", at("key.pem"), "--format", "raw", "--out", at("signature")]);
  run(["minisign", "-G", "-W", "-p", at("m.pub"), "-s", at("m.key")]);
  run(["minisign", "-S", "-s", at("m.key"), "-m", at(bundle)]);
  const digest = run(["sha256sum", at(bundle)]).slice(0, 64);
  const assignment = {
    addon_id: "app",
    version: "1",
    enabled: true,
    binary_path: "app",
    artifact_object_key: bundle,
    artifact_sha256: digest,
    artifact_signature: (await Bun.file(at("signature")).text()).trim(),
  };
  writeFileSync(at("list.json"), JSON.stringify({ addons: [assignment] }));
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => new Response(Bun.file(at(new URL(request.url).pathname.slice(1)))),
  });
  const url = `http://127.0.0.1:${server.port}`;
  const stage = [binary, "addon-stage", "--quiet", "--assignments", at("list.json"), "--key", key];
  const sequence = [
    `curl -sf -o ${at("got")} ${url}/${bundle}`,
    `sha256sum ${at("got")}`,
    `minisign -V -q -p ${at("m.pub")} -m ${at("got")} -x ${at(`${bundle}.minisig`)}`,
    `mkdir ${at("out")}`,
    `zstd -dc ${at("got")} | tar -x -C ${at("out")}`,
  ];
  const whole = "waybill addon-stage";
  const tools = "curl, sha256sum, minisign -V, zstd -d | tar -x";
  const staged = await measure(
    [
      {
        name: whole,
        words: [...stage, "--root", at("root"), "--store", url, "--allow-insecure-http"],
        before: clean,
      },
      { name: tools, words: ["sh", "-ec", sequence.join("; ")], before: clean },
    ],
    rounds,
  );
  const alsoMet = report(`a bundle of ${size} MiB over loopback, ${rounds} rounds`, staged, [
    { of: whole, against: tools, most: 1 / 1.3 },
  ]);
  process.exitCode = met && alsoMet ? 0 : 1;
} finally {
  await server?.stop(true);
  rmSync(folder, { recursive: true, force: true });
}
