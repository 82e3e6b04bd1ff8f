import { describe, expect, test } from "bun:test";
import { createHash, generateKeyPairSync } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { BINARY, CLEAN_ENVIRONMENT } from "../support/binary.ts";
import { Host } from "./host.ts";

const everything = (process.env["WAYBILL_FULL"] ?? "") !== "";
const GNU_TIME = "/usr/bin/time";
const CEILING_KIB = 120 * 1024;

/** Stages an artifact of `bytes` (mostly a hole) from a file store; returns the peak of its memory in KiB. */
async function stageLarge(
  bytes: number,
  more: readonly string[],
): Promise<{ exit: number; peak: number; output: string }> {
  using host = new Host();
  const path = join(host.store, "large");
  writeFileSync(path, "#!/bin/sh\nexit 0\n");
  truncateSync(path, bytes);
  // Not everything is the same: a reader that loses its place is seen.
  const end = openSync(path, "r+");
  writeSync(end, "end", bytes - 3);
  closeSync(end);
  const digest = createHash("sha256");
  for await (const chunk of Bun.file(path).stream()) digest.update(chunk);
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = join(host.home, "key.pem");
  writeFileSync(key, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  const publicKey = privateKey.export({ format: "jwk" }).x ?? "";
  const signature = join(host.home, "signature");
  // Gibibytes take as long as the disk takes: no ceiling but that of the test.
  const words = ["sign", path, "--key", key, "--format", "raw", "--out", signature];
  const signing = Bun.spawn([BINARY ?? "", ...words], { env: { ...CLEAN_ENVIRONMENT }, stdout: "ignore" });
  expect(await signing.exited).toBe(0);
  host.assign({
    addon_id: "large",
    version: "1",
    enabled: true,
    artifact_object_key: "large",
    artifact_sha256: digest.digest("hex"),
    artifact_signature: readFileSync(signature, "utf8").trim(),
  });
  mkdirSync(host.root, { mode: 0o755 });
  const peak = join(host.home, "peak");
  const staging = host.arguments(["--key", publicKey, ...more]);
  const child = Bun.spawn([GNU_TIME, "-f", "%M", "-o", peak, BINARY ?? "", ...staging], {
    env: { ...CLEAN_ENVIRONMENT },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = await child.stdout.text();
  const exit = await child.exited;
  if (exit === 0) expect(statSync(host.path("large/current/large")).size).toBe(bytes);
  const lines = readFileSync(peak, "utf8").trim().split("\n");
  return { exit, peak: Number(lines.at(-1)), output };
}

const canMeasure = BINARY !== null && Bun.which(GNU_TIME) !== null;

describe.skipIf(!canMeasure || !everything)("memory stays flat", () => {
  const sizes: [string, number, string[]][] = [
    ["1 GiB", 1_073_741_824, []],
    ["more than 4 GiB", 4_294_967_296 + 12_345, ["--max-artifact-bytes", "5000000000"]],
  ];
  test.each(sizes)(
    "for an artifact of %s",
    async (_name, bytes, more) => {
      const { exit, peak, output } = await stageLarge(bytes, more);
      expect({ exit, output: exit === 0 ? "" : output }).toEqual({ exit: 0, output: "" });
      expect(peak).toBeLessThanOrEqual(CEILING_KIB);
    },
    600_000,
  );

  test("and one byte more than the ceiling is refused", async () => {
    const { output } = await stageLarge(1_073_741_825, []);
    expect(output).toContain("artifact_too_large");
  }, 600_000);
});

test("the ceiling of an artifact is a flag", async () => {
  using host = new Host();
  const entry = host.program("sample", "1");
  host.assign(entry);
  const size = String("#!/bin/sh\necho sample 1\n".length);
  const refused = await host.stage(["--max-artifact-bytes", String(Number(size) - 1)]);
  expect(refused.document.addons[0]?.error?.code).toBe("artifact_too_large");
  expect((await host.stage(["--max-artifact-bytes", size])).exit).toBe(0);
  expect((await host.stage(["--max-artifact-bytes", "1k"])).document.error?.code).toBe("invalid_value");
});
