import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { run, type Source } from "./source.ts";
import { ROOT, type Target } from "./targets.ts";

/** Debian's names of the targets that have a package. */
export const ARCHITECTURES: Readonly<Record<string, string>> = {
  "linux-x64": "amd64",
  "linux-arm64": "arm64",
};

const MAINTAINER = "the waybill authors <waybill@waybill.invalid>";

const COPYRIGHT = `waybill is under the Apache License 2.0; on Debian its text is in /usr/share/common-licenses/Apache-2.0.
Parts of the runtime are under the GNU LGPL 2; on Debian its text is in /usr/share/common-licenses/LGPL-2.
Everything that is inside, with its licence:
`;

/** What Debian's rules for its own packages would have otherwise, and why it cannot be. */
const OVERRIDES = `# The program lies behind the sections of the runtime; a stripped file is the bare runtime.
waybill: unstripped-binary-or-object [usr/bin/waybill]
# How the runtime was linked.
waybill: hardening-no-pie [usr/bin/waybill]
waybill: hardening-no-relro [usr/bin/waybill]
waybill: embedded-library libjpeg [usr/bin/waybill]
# The texts of all licences stay together in one file.
waybill: copyright-file-contains-full-apache-2-license
`;

/** The changelog in Debian's form. The changes themselves are in the one for people. */
function changelog({ version, epoch }: Source): string {
  const date = new Date(epoch * 1000).toUTCString().replace("GMT", "+0000");
  return `waybill (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz beside this file.\n\n -- ${MAINTAINER}  ${date}\n`;
}

/**
 * A Debian package of one executable, with manual pages and completions that `waybill` (any build of the same
 * source) prints. The executable is not stripped: the program lies behind its sections.
 */
export function debianPackage(
  source: Source,
  target: Target,
  executable: string,
  waybill: string,
  folder: string,
  out: string,
  compressed: boolean,
): string {
  const architecture = ARCHITECTURES[target.name] ?? "";
  const tree = join(folder, `deb-${architecture}`);
  const at = (...names: readonly string[]): string => {
    const path = join(tree, ...names);
    mkdirSync(join(path, ".."), { recursive: true });
    return path;
  };
  const pack = (text: string | Uint8Array): Uint8Array => gzipSync(text, { level: 9 });
  copyFileSync(executable, at("usr/bin/waybill"));
  chmodSync(at("usr/bin/waybill"), 0o755);
  const pages = join(folder, "man1");
  run([waybill, "man", "--out", pages]);
  for (const page of readdirSync(pages)) {
    writeFileSync(at("usr/share/man/man1", `${page}.gz`), pack(readFileSync(join(pages, page))));
  }
  const completions = {
    bash: "usr/share/bash-completion/completions/waybill",
    zsh: "usr/share/zsh/vendor-completions/_waybill",
    fish: "usr/share/fish/vendor_completions.d/waybill.fish",
  };
  for (const [shell, path] of Object.entries(completions))
    writeFileSync(at(path), run([waybill, "completions", shell]));
  writeFileSync(at("usr/share/doc/waybill/CHANGELOG.md.gz"), pack(readFileSync(join(ROOT, "CHANGELOG.md"))));
  writeFileSync(at("usr/share/doc/waybill/changelog.gz"), pack(changelog(source)));
  writeFileSync(
    at("usr/share/doc/waybill/copyright"),
    `${COPYRIGHT}\n${readFileSync(join(out, "LICENSES.txt"), "utf8")}`,
  );
  writeFileSync(at("usr/share/lintian/overrides/waybill"), OVERRIDES);
  writeFileSync(
    at("DEBIAN/control"),
    [
      "Package: waybill",
      `Version: ${source.version}`,
      `Architecture: ${architecture}`,
      `Maintainer: ${MAINTAINER}`,
      "Depends: libc6 (>= 2.17)",
      "Recommends: ca-certificates",
      "Section: devel",
      "Priority: optional",
      `Installed-Size: ${Math.ceil(Number(run(["du", "-sk", "--apparent-size", tree]).split("\t")[0]))}`,
      "Description: carries software from a source tree to a running host, with proof",
      " One binary: it captures what is being built, pins images and proves that the",
      " pins landed, brings hosts to their signed add-ons, and serves the control",
      " plane of all this.",
      "",
    ].join("\n"),
  );
  settle(tree, source.epoch);
  const file = `waybill_${source.version}_${architecture}.deb`;
  const env = { SOURCE_DATE_EPOCH: String(source.epoch) };
  run(
    [
      "dpkg-deb",
      "--root-owner-group",
      ...(compressed ? ["-Zxz", "-z6", "--threads-max=1"] : ["-Znone"]),
      "--build",
      tree,
      join(out, file),
    ],
    env,
  );
  return file;
}

/** The modes and times of a tree that somebody's umask and clock made. */
function settle(tree: string, epoch: number): void {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    chmodSync(path, entry.isDirectory() || entry.parentPath.endsWith("/bin") ? 0o755 : 0o644);
    utimesSync(path, epoch, epoch);
  }
  chmodSync(tree, 0o755);
  utimesSync(tree, epoch, epoch);
}
