/** Archives of a large tree beside the usual tools, all into memory, so that the disk is not what is measured. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, record, roundsOr } from "./harness/record.ts";
import type { Way } from "./harness/rounds.ts";
import { bytesOf, compilePeer, hasCommand, inNewFolder, npmPackage, plantTree } from "./harness/workshop.ts";

const rounds = roundsOr(5);
const few = Math.ceil(rounds / 2);

const PLAIN = "waybill .tar";
const HASHED = "waybill .tar, tree hash, archive hash";
const GZIP = "waybill .tar.gz, both hashes";
const ZSTD = "waybill .tar.zst (level 3), both hashes";
const TAR = "GNU tar";
const TAR_OPENSSL = "GNU tar && openssl dgst -sha256";
const TAR_FS = "tar-fs";
const TAR_PIGZ = "GNU tar | pigz -6 -p2";
const TAR_ZSTD = "GNU tar | zstd -3 -T2";

/** A stream as most programs write it. */
const PACK = `require("tar-fs").pack(process.argv[2]).pipe(require("node:fs").createWriteStream(process.argv[3]));\n`;

await inNewFolder(async (folder) => {
  const large = plantTree(folder, "large");
  const treeHash = compilePeer("tree-hash", folder);
  const limits = compilePeer("limits", folder);
  const least: Way[] = [
    { name: "at the least: every file read, 1 thread", role: "limit", words: [treeHash, large, "1", "read"] },
    {
      name: "at the least: as many bytes hashed in memory, once",
      role: "limit",
      words: [limits, "sha256", String(bytesOf(large)), "1"],
    },
  ];
  const work = { amount: bytesOf(large) / 1e6, unit: "MB" };
  await inNewFolder(
    (memory) =>
      record("archive", async (book) => {
        const at = (name: string): string => join(memory, name);
        const outputs = ["out.tar", "out.tar.gz", "out.tar.zst"];
        const before = (): void => outputs.forEach((name) => rmSync(at(name), { force: true }));
        const ours = (name: string, archive: string, digests: readonly string[]): Way => ({
          name,
          role: "ours",
          words: [
            ...[BINARY, "capture", large, "--no-ignore", "--quiet", "--archive", at(archive)],
            ...digests.flatMap((digest) => ["--digest", digest]),
          ],
          before,
        });
        const shell = (name: string, line: string): Way => ({ name, words: ["sh", "-c", line], before });
        const both = ["working_tree_hash", "tar_sha256"];
        const reproducible = "--sort=name --owner=0 --group=0 --numeric-owner --mtime=@0";
        const tar = (to: string): string => `tar ${reproducible} -cf ${to} -C ${large} .`;

        await book.compare({
          title: "Archive of 83,700 files, 1.15 GB",
          rounds,
          work,
          ways: [
            ours(PLAIN, "out.tar", ["working_tree_hash"]),
            ours(HASHED, "out.tar", both),
            shell(TAR, tar(at("out.tar"))),
            shell(TAR_OPENSSL, `${tar(at("out.tar"))} && openssl dgst -sha256 ${at("out.tar")}`),
            ...least,
          ],
          goals: [
            { of: PLAIN, against: TAR, most: 0.95 },
            { of: HASHED, against: TAR_OPENSSL, most: 0.75 },
            { of: PLAIN, mostMegabytes: 120 },
            { of: HASHED, mostMegabytes: 120 },
          ],
        });
        if (hasCommand("zstd", "zstd")) {
          await book.compare({
            title: "The same with zstd",
            rounds,
            work,
            ways: [
              ours(ZSTD, "out.tar.zst", both),
              shell(TAR_ZSTD, `${tar("-")} | zstd -q -3 -T2 -o ${at("out.tar.zst")}`),
            ],
            goals: [
              { of: ZSTD, against: TAR_ZSTD, most: 1 },
              { of: ZSTD, mostMegabytes: 200 },
            ],
          });
        }
        if (hasCommand("pigz", "pigz")) {
          await book.compare({
            title: "The same with gzip",
            rounds: few,
            work,
            ways: [
              ours(GZIP, "out.tar.gz", both),
              shell(TAR_PIGZ, `${tar("-")} | pigz -6 -p2 >${at("out.tar.gz")}`),
            ],
            goals: [
              { of: GZIP, against: TAR_PIGZ, timesFaster: 2.7 },
              { of: GZIP, mostMegabytes: 200 },
            ],
            warm: false,
          });
        }
        const npm = npmPackage(folder, "tar-fs@3.1.3");
        if (npm === null) return;
        writeFileSync(join(npm, "pack.cjs"), PACK);
        const words = [process.execPath, join(npm, "pack.cjs"), large, at("out.tar")];
        await book.compare({
          title: "Beside a stream of JavaScript",
          rounds: few,
          work,
          ways: [ours(HASHED, "out.tar", both), { name: TAR_FS, words, before }],
          goals: [{ of: HASHED, against: TAR_FS, timesFaster: 5 }],
          warm: false,
        });
      }),
    "/dev/shm",
  );
});
