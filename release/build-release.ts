/** Builds a release into a folder: see release/build. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { baseOf, modulesFor } from "./bases.ts";
import { passes } from "./checks.ts";
import { ARCHITECTURES, debianPackage } from "./deb.ts";
import { licences } from "./licences.ts";
import { innerPackages } from "./packages.ts";
import { provenance } from "./provenance.ts";
import { sbom } from "./sbom.ts";
import { signRelease } from "./sign.ts";
import { readSource, run, sha256Of } from "./source.ts";
import { newestGlibc } from "./symbols.ts";
import { fileName, hostTarget, ROOT, targetOf, TARGETS, type Target } from "./targets.ts";

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
const here = process.env["WAYBILL_CALLED_FROM"] ?? process.cwd();
const source = readSource();
const out = resolve(here, flags.out ?? join(ROOT, "dist/release", source.version));
const targets = flags.target === undefined ? TARGETS : [...new Set(flags.target.map(targetOf))];
const scratch = mkdtempSync(join(tmpdir(), "waybill-release-"));
const step = (what: string): void => console.error(`== ${what}`);

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(join(out, name), content);
}

/** Compiles a target under the one name that Bun embeds, and gives the path. */
function compile(target: Target, modules: string): string {
  const made = join(scratch, target.name, target.name.startsWith("windows") ? "waybill.exe" : "waybill");
  run(["scripts/compile", target.bun, baseOf(target, modules), made], {
    WAYBILL_VERSION: source.version,
    WAYBILL_COMMIT: source.commit,
    WAYBILL_BUILT_AT: source.builtAt,
  });
  return made;
}

/** Copies an executable to the name that it is given out with. */
function giveOut(target: Target, made: string): string {
  const name = fileName(source.version, target);
  copyFileSync(made, join(out, name));
  const isGlibc = target.name.startsWith("linux") && !target.name.endsWith("musl");
  const newest = isGlibc ? newestGlibc(made) : 0;
  if (newest > 17) throw new Error(`${name} wants GLIBC_2.${newest}; at most 2.17 was promised`);
  return name;
}

function compress(name: string): void {
  const bytes = readFileSync(join(out, name));
  write(`${name}.zst`, Bun.zstdCompressSync(bytes, { level: 19 }));
  run(["xz", "--keep", "--threads=1", "-6", join(out, name)]);
}

function sums(): string {
  return readdirSync(out)
    .sort()
    .map((name) => `${sha256Of(readFileSync(join(out, name)))}  ${name}\n`)
    .join("");
}

try {
  step("checks");
  if (!passes(source, flags.draft)) throw new Error("not released: see the checks above");
  if (existsSync(out)) throw new Error(`${out} exists; remove it, or name another folder with --out`);
  mkdirSync(out, { recursive: true });

  const host = hostTarget();
  step(`${host.name}, which captures, signs and attests the rest`);
  const waybill = compile(host, join(ROOT, "node_modules"));
  const modules = modulesFor(targets, join(scratch, "bases"));
  const binaries = targets.map((target) => {
    if (target.name === host.name) return { target, name: giveOut(target, waybill) };
    step(target.name);
    return { target, name: giveOut(target, compile(target, modules)) };
  });

  step("sources, SBOM, licences, provenance");
  const packages = innerPackages();
  const archive = `waybill-${source.version}-source.tar.gz`;
  const capture = `waybill-${source.version}-capture.json`;
  const required = flags.draft ? [] : ["--require-clean", "--require-matches-commit"];
  const env = { SOURCE_DATE_EPOCH: String(source.epoch) };
  const captured = run(
    [waybill, "capture", ROOT, "--archive", join(out, archive), "--json", "--quiet", ...required],
    env,
  );
  write(capture, captured);
  write(`waybill-${source.version}.cdx.json`, sbom(source, packages));
  write("LICENSES.txt", licences(packages));
  for (const name of ["install.sh", "targets.json", "verify"])
    copyFileSync(join(import.meta.dir, name), join(out, name));
  for (const { target, name } of binaries) {
    write(`${name}.provenance.json`, provenance(source, target, flags.draft));
    if (ARCHITECTURES[target.name] !== undefined) {
      step(`${target.name}: Debian package`);
      debianPackage(source, target, join(out, name), waybill, scratch, out, !flags.uncompressed);
    }
    if (!flags.uncompressed) {
      step(`${target.name}: downloads`);
      compress(name);
    }
  }
  write("SHA256SUMS", sums());

  if (flags.key === undefined) step("not signed: no --key");
  else {
    step("signatures");
    const key = ["--key", resolve(here, flags.key)];
    if (flags["passphrase-file"] !== undefined)
      key.push("--passphrase-file", resolve(here, flags["passphrase-file"]));
    const executables = binaries.map(({ name }) => name);
    signRelease({ source, waybill, out, scratch, archive, capture, executables, key });
  }
  for (const name of readdirSync(out).sort()) console.log(join(basename(out), name));
} catch (error) {
  console.error(`release/build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
