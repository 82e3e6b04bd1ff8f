/** Archives of a large tree beside the usual tools, all into memory, so that the disk is not what is measured. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure, report, type Way } from "./rounds.ts";
import { hasCommand, inNewFolder, npmPackage, plantTree } from "./workshop.ts";

const rounds = Number(process.argv[2] ?? "5");
const binary = process.env["WAYBILL_BINARY"] ?? "dist/waybill";

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
  await inNewFolder(async (memory) => {
    const at = (name: string): string => join(memory, name);
    const outputs = ["out.tar", "out.tar.gz", "out.tar.zst"];
    const before = (): void => outputs.forEach((name) => rmSync(at(name), { force: true }));
    const ours = (name: string, archive: string, digests: readonly string[]): Way => ({
      name,
      words: [
        ...[binary, "capture", large, "--no-ignore", "--quiet", "--archive", at(archive)],
        ...digests.flatMap((digest) => ["--digest", digest]),
      ],
      before,
    });
    const shell = (name: string, line: string): Way => ({ name, words: ["sh", "-c", line], before });
    const both = ["working_tree_hash", "tar_sha256"];
    const reproducible = "--sort=name --owner=0 --group=0 --numeric-owner --mtime=@0";
    const tar = (to: string): string => `tar ${reproducible} -cf ${to} -C ${large} .`;

    const met = [
      report(
        `archive of 83,700 files, 1.15 GB, ${rounds} rounds`,
        await measure(
          [
            ours(PLAIN, "out.tar", ["working_tree_hash"]),
            ours(HASHED, "out.tar", both),
            shell(TAR, tar(at("out.tar"))),
            shell(TAR_OPENSSL, `${tar(at("out.tar"))} && openssl dgst -sha256 ${at("out.tar")}`),
          ],
          rounds,
        ),
        [
          { of: PLAIN, against: TAR, most: 0.95 },
          { of: HASHED, against: TAR_OPENSSL, most: 0.75 },
          { of: PLAIN, mostMegabytes: 120 },
          { of: HASHED, mostMegabytes: 120 },
        ],
      ),
    ];
    const few = Math.ceil(rounds / 2);
    if (hasCommand("zstd", "zstd")) {
      met.push(
        report(
          `zstd of the same, ${rounds} rounds`,
          await measure(
            [
              ours(ZSTD, "out.tar.zst", both),
              shell(TAR_ZSTD, `${tar("-")} | zstd -q -3 -T2 -o ${at("out.tar.zst")}`),
            ],
            rounds,
          ),
          [
            { of: ZSTD, against: TAR_ZSTD, most: 1 },
            { of: ZSTD, mostMegabytes: 200 },
          ],
        ),
      );
    }
    if (hasCommand("pigz", "pigz")) {
      met.push(
        report(
          `gzip of the same, ${few} rounds`,
          await measure(
            [
              ours(GZIP, "out.tar.gz", both),
              shell(TAR_PIGZ, `${tar("-")} | pigz -6 -p2 >${at("out.tar.gz")}`),
            ],
            few,
            false,
          ),
          [
            { of: GZIP, against: TAR_PIGZ, timesFaster: 2.7 },
            { of: GZIP, mostMegabytes: 200 },
          ],
        ),
      );
    }
    const npm = npmPackage(folder, "tar-fs@3.1.3");
    if (npm !== null) {
      writeFileSync(join(npm, "pack.cjs"), PACK);
      const words = [process.execPath, join(npm, "pack.cjs"), large, at("out.tar")];
      met.push(
        report(
          `the same by a stream of JavaScript, ${few} rounds`,
          await measure([ours(HASHED, "out.tar", both), { name: TAR_FS, words, before }], few, false),
          [{ of: HASHED, against: TAR_FS, timesFaster: 5 }],
        ),
      );
    }
    process.exitCode = met.every(Boolean) ? 0 : 1;
  }, "/dev/shm");
});
