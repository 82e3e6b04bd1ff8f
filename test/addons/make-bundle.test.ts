import { expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { unpackBundle } from "../../src/addons/bundle/unpack.ts";
import { zstdFrames } from "../../src/addons/bundle/zstd-frames.ts";
import { makeBundle } from "../../src/addons/bundle/make-bundle.ts";
import { temporaryFolder } from "../support/temporary.ts";

const stop = new AbortController().signal;
const noise = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, index) => (index * index * 2_654_435_761) >>> 21);
const FILES: Readonly<Record<string, Uint8Array>> = {
  app: noise(2_500_000),
  "app.json": new TextEncoder().encode("{}"),
  empty: new Uint8Array(),
  other: noise(700_000),
};

test("a bundle is frames of equal stretches, the same each time, which any zstd reads and hosts unpack", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.at("files"));
  for (const [name, bytes] of Object.entries(FILES)) writeFileSync(folder.at("files", name), bytes);
  for (const name of ["one", "two"]) await makeBundle(folder.at("files"), folder.at(name), "zstd", stop);
  const bytes = readFileSync(folder.at("one"));
  expect(readFileSync(folder.at("two")).equals(bytes)).toBe(true);
  const read = (at: number, length: number): Uint8Array => bytes.subarray(at, at + length);
  const contents = zstdFrames(read, bytes.length, 10_000_000).map(({ content }) => content);
  expect(contents.slice(0, -1)).toEqual([1_048_576, 1_048_576, 1_048_576]);
  await makeBundle(folder.at("files"), folder.at("three"), "gzip", stop);
  expect(Bun.zstdDecompressSync(bytes).equals(gunzipSync(readFileSync(folder.at("three"))))).toBe(true);
  if (Bun.which("zstd") !== null) {
    const { exitCode } = Bun.spawnSync(["zstd", "-q", "-t", "--format=zstd", folder.at("one")]);
    expect(exitCode).toBe(0);
  }
  mkdirSync(folder.at("out"));
  const descriptor = openSync(folder.at("one"), "r");
  const bundle = { descriptor, size: bytes.length, format: "zstd", binaryName: "app" } as const;
  const { files, head } = await unpackBundle(bundle, folder.at("out"), () => {}, stop);
  closeSync(descriptor);
  expect(files.map(({ name }) => name)).toEqual(Object.keys(FILES));
  expect(head).toEqual(noise(65_536));
  for (const [name, wanted] of Object.entries(FILES)) {
    expect(readFileSync(folder.at("out", name)).equals(wanted)).toBe(true);
  }
});

/** A full disk that needs no mount: a process may not make a file larger than this. */
test.each(["zstd", "gzip"] as const)(
  "packed as %s, where there is no room, it ends and leaves nothing",
  (format) => {
    using folder = temporaryFolder();
    mkdirSync(folder.at("files"));
    mkdirSync(folder.at("out"));
    writeFileSync(folder.at("files", "app"), crypto.getRandomValues(new Uint8Array(65_536)));
    for (const index of Array(60).keys()) {
      writeFileSync(folder.at("files", `f${index}`), crypto.getRandomValues(new Uint8Array(65_536)));
    }
    const url = new URL("../../src/addons/bundle/make-bundle.ts", import.meta.url).href;
    const program = `
    import { makeBundle } from ${JSON.stringify(url)};
    const [directory, out] = process.argv.slice(-2);
    const outcome = await makeBundle(directory, out, "${format}", new AbortController().signal).then(
      () => "written",
      (error) => [error.code, error.message].join(" "),
    );
    process.stdout.write(outcome);
  `;
    const line = 'trap "" XFSZ; ulimit -f 512; exec "$@"';
    const { stdout, exitCode } = Bun.spawnSync(
      [
        "sh",
        "-c",
        line,
        "sh",
        process.execPath,
        "-e",
        program,
        folder.at("files"),
        folder.at("out", "bundle"),
      ],
      { stdin: "ignore", stderr: "ignore", timeout: 30_000 },
    );
    expect({ exitCode, said: stdout.toString() }).toMatchObject({
      exitCode: 0,
      said: expect.stringMatching(/^output_not_written ".*" cannot be written: it would be larger than/u),
    });
    expect(readdirSync(folder.at("out"))).toEqual([]);
  },
);
