/** Builds a release into a folder: see release/build. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { modulesFor, provenBase } from "./bases.ts";
import { passes } from "./checks.ts";
import { ARCHITECTURES, debianPackage } from "./deb.ts";
import { licences } from "./licences.ts";
import { innerPackages } from "./packages.ts";
import { provenance } from "./provenance.ts";
import { sbom } from "./sbom.ts";
import { signRelease } from "./sign.ts";
import { readSource, run, sha256Of, type Source } from "./source.ts";
import { newestGlibc } from "./symbols.ts";
import { fileName, hostTarget, ROOT, targetOf, TARGETS, type Target } from "./targets.ts";

type Plan = {
  readonly source: Source;
  readonly targets: readonly Target[];
  readonly isDraft: boolean;
  readonly isCompressed: boolean;
  /** `--key FILE`, with what opens it; null for a release without signatures. */
  readonly key: readonly string[] | null;
  /** Where the release goes when it is whole. */
  readonly out: string;
};

function readPlan(): Plan {
  const { values: flags } = parseArgs({
    options: {
      out: { type: "string" },
      target: { type: "string", multiple: true },
      key: { type: "string" },
      "passphrase-file": { type: "string" },
      draft: { type: "boolean", default: false },
      uncompressed: { type: "boolean", default: false },
    },
  });
  const from = (path: string): string => resolve(process.env["WAYBILL_CALLED_FROM"] ?? process.cwd(), path);
  const source = readSource();
  const passphrase = flags["passphrase-file"];
  return {
    source,
    targets: flags.target === undefined ? TARGETS : [...new Set(flags.target.map(targetOf))],
    isDraft: flags.draft,
    isCompressed: !flags.uncompressed,
    key:
      flags.key === undefined
        ? null
        : [
            "--key",
            from(flags.key),
            ...(passphrase === undefined ? [] : ["--passphrase-file", from(passphrase)]),
          ],
    out: from(flags.out ?? join(ROOT, "dist/release", source.version)),
  };
}

function tell(what: string): void {
  console.error(`== ${what}`);
}

/** Compiles a target under the one name that Bun embeds, and gives the path. */
function compile(source: Source, target: Target, modules: string, scratch: string): string {
  const made = join(scratch, target.name, target.name.startsWith("windows") ? "waybill.exe" : "waybill");
  run(["scripts/compile", target.bun, provenBase(target, modules), made], {
    WAYBILL_VERSION: source.version,
    WAYBILL_COMMIT: source.commit,
    WAYBILL_BUILT_AT: source.builtAt,
  });
  const isGlibc = target.name.startsWith("linux") && !target.name.endsWith("musl");
  const newest = isGlibc ? newestGlibc(made) : 0;
  if (newest > 17) throw new Error(`${target.name} wants GLIBC_2.${newest}; at most 2.17 was promised`);
  return made;
}

function compress(file: string): void {
  writeFileSync(`${file}.zst`, Bun.zstdCompressSync(readFileSync(file), { level: 19 }));
  run(["xz", "--keep", "--threads=1", "-6", file]);
}

function sumsOf(folder: string): string {
  return readdirSync(folder)
    .sort()
    .map((name) => `${sha256Of(readFileSync(join(folder, name)))}  ${name}\n`)
    .join("");
}

/** Puts everything that is given out into `folder`. */
function fill(folder: string, scratch: string, plan: Plan): void {
  const { source, targets, isDraft, isCompressed, key } = plan;
  const at = (name: string): string => join(folder, name);

  const host = hostTarget();
  tell(`${host.name}, which captures, signs and attests the rest`);
  const waybill = compile(source, host, join(ROOT, "node_modules"), scratch);
  // A key that cannot be opened is told now, and not after all the work.
  if (key !== null)
    run([waybill, "sign", join(ROOT, "LICENSE"), ...key, "--format", "raw", "--out", join(scratch, "try")]);
  const modules = modulesFor(targets, join(scratch, "bases"));
  const executables = targets.map((target) => {
    if (target.name !== host.name) tell(target.name);
    const made = target.name === host.name ? waybill : compile(source, target, modules, scratch);
    const name = fileName(source.version, target);
    copyFileSync(made, at(name));
    return { target, name };
  });

  tell("sources, SBOM, licences, provenance");
  const archive = `waybill-${source.version}-source.tar.gz`;
  const capture = `waybill-${source.version}-capture.json`;
  const packages = innerPackages();
  const required = isDraft ? [] : ["--require-clean", "--require-matches-commit"];
  const words = [waybill, "capture", ROOT, "--archive", at(archive), "--json", "--quiet", ...required];
  writeFileSync(at(capture), run(words, { SOURCE_DATE_EPOCH: String(source.epoch) }));
  writeFileSync(at(`waybill-${source.version}.cdx.json`), sbom(source, packages));
  writeFileSync(at("LICENSES.txt"), licences(packages));
  for (const name of ["install.sh", "targets.json", "verify"])
    copyFileSync(join(import.meta.dir, name), at(name));
  for (const { target, name } of executables) {
    writeFileSync(at(`${name}.provenance.json`), provenance(source, target, isDraft));
    if (ARCHITECTURES[target.name] !== undefined) {
      tell(`${target.name}: Debian package`);
      debianPackage(source, target, at(name), waybill, scratch, folder, isCompressed);
    }
    if (isCompressed) {
      tell(`${target.name}: downloads`);
      compress(at(name));
    }
  }
  writeFileSync(at("SHA256SUMS"), sumsOf(folder));
  if (key === null) tell("not signed: no --key");
  else {
    tell("signatures");
    const names = executables.map(({ name }) => name);
    signRelease({ source, waybill, out: folder, scratch, archive, capture, executables: names, key });
  }
}

function build(plan: Plan): void {
  const { out } = plan;
  tell("checks");
  if (!passes(plan.source, plan.isDraft)) throw new Error("not released: see the checks above");
  if (existsSync(out)) throw new Error(`${out} exists; remove it, or name another folder with --out`);
  mkdirSync(dirname(out), { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "waybill-release-"));
  // Beside its place, and renamed: half a release never has the name of one.
  const partial = mkdtempSync(join(dirname(out), ".waybill-release-"));
  try {
    fill(partial, scratch, plan);
    // A temporary folder is for its owner alone; what serves a release is often somebody else.
    chmodSync(partial, 0o755);
    renameSync(partial, out);
  } finally {
    for (const folder of [scratch, partial]) rmSync(folder, { recursive: true, force: true });
  }
  for (const name of readdirSync(out).sort()) console.log(join(basename(out), name));
}

try {
  build(readPlan());
} catch (error) {
  console.error(`release/build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
