/** The unpacking half: a large bundle beside GNU tar, and a whole stage of it beside the usual tools in sequence. */
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBundle } from "../../src/addons/bundle/make-bundle.ts";
import { assignmentOf, fillNoise, newKey } from "./harness/artifacts.ts";
import { BINARY, record, roundsOr } from "./harness/record.ts";
import type { Way } from "./harness/rounds.ts";
import { compileAsOurs, compilePeer, hasCommand, inNewFolder, run } from "./harness/workshop.ts";

const rounds = roundsOr(5);
const NOISE = 20_971_520;
const NAMES = ["app", "helper", "agent", "plugin"];
/** As `gzip` makes one, as `zstd` does (one frame), and as `addon publish` does (frames of a mebibyte). */
const BUNDLES = ["bundle.tar.gz", "one-frame.tar.zst", "bundle.tar.zst"];
const WHOLE = "waybill addon-stage";
const TOOLS = "curl, sha256sum, minisign -V, zstd -d | tar -x";

// In memory where there is room, so that the disk is not what is measured.
await inNewFolder(async (folder) => {
  const at = (...names: string[]): string => join(folder, ...names);
  const inside = (...words: string[]): string => run(words, folder);
  for (const tool of ["zstd", "minisign"]) {
    if (!hasCommand(tool, tool)) throw new Error(`${tool} is wanted, which makes what is unpacked`);
  }
  fill(at);
  inside("tar", "--format=ustar", "-C", "files", "-cf", "bundle.tar", ...NAMES);
  inside("gzip", "-k", "-1", "bundle.tar");
  inside("zstd", "-q", "-k", "bundle.tar", "-o", "one-frame.tar.zst");
  await makeBundle(at("files"), at("bundle.tar.zst"), "zstd", new AbortController().signal);
  // Compiled, as the product is: not the runtime's reading of its source is measured.
  const unpackOne = compileAsOurs(join(import.meta.dir, "unpack-one.ts"), folder);
  const before = (): void => {
    for (const name of ["out", "root", "got"]) rmSync(at(name), { recursive: true, force: true });
  };
  const bytes = statSync(at("bundle.tar")).size;
  const size = `${(bytes / 1_048_576).toFixed(0)} MiB`;
  const work = { amount: bytes / 1e6, unit: "MB" };
  const limits = compilePeer("limits", folder);
  const bundle = "bundle.tar.zst";
  const key = newKey(folder);
  const digest = inside("sha256sum", bundle).slice(0, 64);
  const addon = { ...assignmentOf(at(bundle), bundle, digest, key), binary_path: "app" };
  writeFileSync(at("list.json"), JSON.stringify({ addons: [addon] }));
  inside("minisign", "-G", "-W", "-p", "m.pub", "-s", "m.key");
  inside("minisign", "-S", "-s", "m.key", "-m", bundle);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => new Response(Bun.file(at(new URL(request.url).pathname.slice(1)))),
  });
  try {
    await record("stage-bundle", async (book) => {
      for (const packed of BUNDLES) {
        const [ours, theirs] = [`waybill: ${packed}`, `GNU tar -x: ${packed}`];
        await book.compare({
          title: `Unpacking ${size}: ${packed}`,
          rounds,
          work,
          ways: [
            { name: ours, role: "ours", words: [unpackOne, at(packed), at("out"), "app"], before },
            {
              name: theirs,
              words: ["sh", "-c", `mkdir ${at("out")} && tar -xf ${at(packed)} -C ${at("out")}`],
              before,
            },
            decoderAlone(packed, at(packed)),
          ],
          goals: [{ of: ours, against: theirs, most: 0.9 }],
        });
      }
      const url = `http://127.0.0.1:${server.port}`;
      const sequence = [
        `curl -sf -o ${at("got")} ${url}/${bundle}`,
        `sha256sum ${at("got")}`,
        `minisign -V -q -p ${at("m.pub")} -m ${at("got")} -x ${at(`${bundle}.minisig`)}`,
        `mkdir ${at("out")}`,
        `zstd -dc ${at("got")} | tar -x -C ${at("out")}`,
      ];
      await book.compare({
        title: `A bundle of ${size} over loopback`,
        rounds,
        work,
        ways: [
          {
            name: WHOLE,
            role: "ours",
            words: [
              ...[BINARY, "addon-stage", "--quiet", "--assignments", at("list.json"), "--key", key.base64],
              ...["--root", at("root"), "--store", url, "--allow-insecure-http"],
            ],
            before,
          },
          { name: TOOLS, words: ["sh", "-ec", sequence.join("; ")], before },
          decoderAlone(bundle, at(bundle)),
          {
            name: "at the least: as many bytes hashed in memory, once",
            role: "limit",
            words: [limits, "sha256", String(statSync(at(bundle)).size), "1"],
          },
        ],
        goals: [{ of: WHOLE, against: TOOLS, timesFaster: 1.3 }],
      });
    });
  } finally {
    await server.stop(true);
  }
}, "/dev/shm");

/** One stream is decoded from its beginning to its end by one thread, whoever does it. */
function decoderAlone(packed: string, path: string): Way {
  const tool = packed.endsWith(".gz") ? "gzip" : "zstd";
  return {
    name: `${tool} -dc alone, to nowhere`,
    words: ["sh", "-c", `${tool} -dc ${path} >/dev/null`],
  };
}

/** Programs as they are: about half of it does not get smaller. */
function fill(at: (...names: string[]) => string): void {
  mkdirSync(at("files"));
  for (const name of NAMES) {
    fillNoise(at("noise"), NOISE);
    run(["sh", "-c", `cat "$0" "$1" >"$2"`, process.execPath, at("noise"), at("files", name)]);
  }
  rmSync(at("noise"));
  run(["chmod", "755", ...NAMES.map((name) => at("files", name))]);
}
