import { expect, test } from "bun:test";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../src/base/limits.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { captureJson, startWaybill } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";
import { HAS_GNU_TAR, HAS_ZSTD, succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();
const FULL = process.env["WAYBILL_FULL"] !== undefined;

test.skipIf(!FULL || !HAS_ZSTD || !HAS_GNU_TAR)(
  "case 55: a file of more than 8 GiB is whole in the archive (only with WAYBILL_FULL)",
  async () => {
    const root = newFolder();
    const size = 9 * 2 ** 30;
    writeFileSync(join(root, "large"), "begin");
    truncateSync(join(root, "large"), size);
    const archive = join(newFolder(), "context.tar.zst");
    const child = startWaybill(["capture", root, "--archive", archive, "--json"], { hangingMs: 250_000 });
    const document = JSON.parse(await child.stdout.text());
    expect(await child.exited).toBe(0);
    expect(document.context.bytes).toBe(size);
    expect(child.resourceUsage()?.maxRSS ?? 0).toBeLessThan(300 * 2 ** 20);
    const listing = succeed(["sh", "-c", 'zstd -dcq "$1" | tar -tvf -', "sh", archive]).toString();
    expect(listing).toContain(` ${size} `);
  },
  300_000,
);

test.skipIf(!FULL)(
  "case 63: 100 000 files take little memory and no descriptors (only with WAYBILL_FULL)",
  async () => {
    const root = newFolder();
    for (let folder = 0; folder < 100; folder++) {
      mkdirSync(join(root, `f${folder}`));
      for (let file = 0; file < 1000; file++)
        writeFileSync(join(root, `f${folder}/${file}`), `${folder} ${file}`);
    }
    const limited = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"];
    const archive = join(newFolder(), "context.tar.gz");
    const { exit, document } = await captureJson(root, ["--archive", archive], { under: limited });
    expect([exit, document.context.files]).toEqual([0, 100_000]);
    const child = startWaybill(["capture", root, "--json"]);
    await child.stdout.text();
    expect(await child.exited).toBe(0);
    expect(child.resourceUsage()?.maxRSS ?? 0).toBeLessThan(400 * 2 ** 20);
  },
  300_000,
);

test.skipIf(!FULL)(
  "case 63: an archive over the server's limit is written, and not sent (only with WAYBILL_FULL)",
  async () => {
    const root = newFolder();
    const size = LIMITS.contextArchiveBytes + 2 ** 20;
    succeed(["sh", "-c", `head -c ${size} /dev/urandom > "$1"`, "sh", join(root, "large")]);
    await using server = await scriptedServer({});
    const archive = join(newFolder(), "context.tar.gz");
    const record = ["--image-name", "app", "--agent-name", "app", "--token-env", "BUILD_TOKEN"];
    const submit = ["--submit", server.url, "--allow-insecure-http", "--require-submit", ...record];
    const { exit, document } = await captureJson(root, ["--archive", archive, ...submit], {
      env: { BUILD_TOKEN: "a-long-build-token" },
      hangingMs: 250_000,
    });
    expect([exit, document.error?.code, server.connections()]).toEqual([9, "request_rejected", 0]);
    expect(document.digests["tar_sha256"]).toMatch(/^[0-9a-f]{64}$/u);
  },
  300_000,
);
