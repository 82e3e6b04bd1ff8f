import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runProgram, type Finished } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { BINARY_NAME, built, CAN_BUILD, copyOf, ROOT, sha256, VERSION } from "./built.ts";

setDefaultTimeout(240_000);

const SCRIPT = join(ROOT, "release/install.sh");

test.skipIf(Bun.which("shellcheck") === null)(
  "every shell script is clean for shellcheck (needs shellcheck)",
  async () => {
    const scripts = ["release", "scripts", "scripts/benches/peers"]
      .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name)))
      .filter((path) => statSync(path).isFile() && readFileSync(path, "utf8").startsWith("#!/bin/"));
    expect(scripts.length).toBeGreaterThan(12);
    expect(await runProgram(["shellcheck", ...scripts])).toMatchObject({ code: 0, stdout: "" });
  },
);

async function install(home: TemporaryFolder, args: readonly string[], env = {}): Promise<Finished> {
  return runProgram(["sh", SCRIPT, "--dir", home.at("bin"), ...args], { env: { HOME: home.path, ...env } });
}

/** An earlier version, which must stay when anything fails. */
function earlier(home: TemporaryFolder): void {
  mkdirSync(home.at("bin"));
  writeFileSync(home.at("bin/waybill"), "#!/bin/sh\necho earlier\n", { mode: 0o755 });
}

describe.skipIf(!CAN_BUILD)("release/install.sh", () => {
  test("installs from a folder, under the key in either form or in a file", async () => {
    const release = await built();
    for (const given of ["minisign", "ssh", "file"] as const) {
      using home = temporaryFolder();
      earlier(home);
      // A file as minisign writes it.
      writeFileSync(home.at("release.pub"), `untrusted comment: release\n${release.minisign}\n`);
      const key = given === "file" ? home.at("release.pub") : release[given];
      const finished = await install(home, ["--from", release.folder, "--key", key]);
      expect(finished).toMatchObject({ code: 0, stderr: "" });
      expect(finished.stdout).toContain(`installed ${home.at("bin/waybill")}`);
      expect(sha256(home.at("bin/waybill"))).toBe(sha256(join(release.folder, BINARY_NAME)));
      expect(statSync(home.at("bin/waybill")).mode & 0o777).toBe(0o755);
      expect(readdirSync(home.at("bin"))).toEqual(["waybill"]);
    }
  });

  test("installs from a server, under a digest, and into $HOME/.local/bin without root's folder", async () => {
    const release = await built();
    using home = temporaryFolder();
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => {
        const file = Bun.file(join(release.folder, new URL(request.url).pathname));
        return existsSync(file.name ?? "") ? new Response(file) : new Response(null, { status: 404 });
      },
    });
    try {
      const digest = sha256(join(release.folder, BINARY_NAME));
      const finished = await install(home, [
        "--from",
        `http://127.0.0.1:${server.port}/`,
        "--sha256",
        digest,
      ]);
      expect(finished).toMatchObject({ code: 0 });
      expect(sha256(home.at("bin/waybill"))).toBe(digest);
    } finally {
      await server.stop(true);
    }
  });

  const refused: [string, string, (folder: string) => void, string[]][] = [
    [
      "a changed executable",
      "nothing was installed",
      (folder) => appendFileSync(join(folder, BINARY_NAME), "x"),
      [],
    ],
    [
      "a changed list",
      "not signed by this key",
      (folder) => appendFileSync(join(folder, "SHA256SUMS"), "x\n"),
      [],
    ],
    ["a missing executable", "could not be fetched", (folder) => rmSync(join(folder, BINARY_NAME)), []],
    [
      "a download that is not on the list",
      "wanted a line of the list",
      (folder) => writeFileSync(join(folder, `${BINARY_NAME}.xz`), "a bomb, for all we know"),
      [],
    ],
    ["a missing list", "no SHA256SUMS at", (folder) => rmSync(join(folder, "SHA256SUMS")), []],
    ["another version", "no file for", () => {}, ["--version", "9.9.9"]],
  ];
  test.each(refused)("refuses %s, and what was there stays", async (_what, message, change, more) => {
    const release = await built();
    using home = temporaryFolder();
    earlier(home);
    const folder = await copyOf(release, home.at("copy"));
    change(folder);
    const finished = await install(home, ["--from", folder, "--key", release.minisign, ...more]);
    expect([finished.code, finished.stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(readFileSync(home.at("bin/waybill"), "utf8")).toContain("echo earlier");
    expect(readdirSync(home.at("bin"))).toEqual(["waybill"]);
  });

  const usage: [string[], string][] = [
    [[], "--from is missing"],
    [["--from", "/x"], "name what the download is proven by"],
    [["--from", "/x", "--key", "RW", "--sha256", "0"], "contradict each other"],
    [["--from", "/x", "--key", "/etc/passwd"], "has no line RW"],
    [["--from", "ftp://x", "--sha256", "0"], "wanted an https URL or a folder"],
    [["--from"], "--from needs a value"],
    [["--nonsense"], "unknown argument"],
  ];
  test.each(usage)("%j is refused", async (args, message) => {
    using home = temporaryFolder();
    const finished = await install(home, args);
    expect([finished.code, finished.stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test("refuses a folder in its place", async () => {
    const release = await built();
    using home = temporaryFolder();
    mkdirSync(home.at("bin/waybill"), { recursive: true });
    const finished = await install(home, ["--from", release.folder, "--key", release.ssh]);
    expect([finished.code, finished.stderr]).toEqual([1, expect.stringContaining("is a folder")]);
    expect(readdirSync(home.at("bin/waybill"))).toEqual([]);
  });

  test("a program that does not run here is not put in place", async () => {
    const release = await built();
    using home = temporaryFolder();
    earlier(home);
    const folder = await copyOf(release, home.at("copy"));
    writeFileSync(join(folder, BINARY_NAME), "#!/bin/sh\necho broken >&2\nexit 1\n");
    chmodSync(join(folder, BINARY_NAME), 0o755);
    const digest = sha256(join(folder, BINARY_NAME));
    const list = readFileSync(join(folder, "SHA256SUMS"), "utf8");
    const line = new RegExp(`^[0-9a-f]{64}  ${BINARY_NAME}$`, "mu");
    writeFileSync(join(folder, "SHA256SUMS"), list.replace(line, `${digest}  ${BINARY_NAME}`));
    const finished = await install(home, ["--from", folder, "--sha256", digest]);
    expect([finished.code, finished.stderr]).toEqual([1, expect.stringContaining("it does not run here")]);
    expect(readFileSync(home.at("bin/waybill"), "utf8")).toContain("echo earlier");
  });
});

describe.skipIf(!CAN_BUILD || process.getuid?.() !== 0)("the Debian package (needs root)", () => {
  test("is installed, runs, and leaves nothing when it is removed", async () => {
    const { folder } = await built();
    using place = temporaryFolder();
    const root = place.at("root");
    for (const name of ["info", "updates", "triggers"])
      mkdirSync(join(root, "var/lib/dpkg", name), { recursive: true });
    writeFileSync(join(root, "var/lib/dpkg/status"), "");
    const deb = join(folder, `waybill_${VERSION}_${process.arch === "x64" ? "amd64" : "arm64"}.deb`);
    const dpkg = async (...args: string[]): Promise<Finished> =>
      runProgram(
        ["dpkg", `--root=${root}`, "--log=/dev/null", "--force-depends", "--force-not-root", ...args],
        {
          env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
        },
      );
    expect(await dpkg("--install", deb)).toMatchObject({ code: 0 });
    const installed = join(root, "usr/bin/waybill");
    expect(sha256(installed)).toBe(sha256(join(folder, BINARY_NAME)));
    expect(await runProgram([installed, "version"])).toMatchObject({ code: 0 });
    for (const path of [
      "usr/share/man/man1/waybill-verify-pin.1.gz",
      "usr/share/bash-completion/completions/waybill",
      "usr/share/zsh/vendor-completions/_waybill",
      "usr/share/fish/vendor_completions.d/waybill.fish",
      "usr/share/doc/waybill/copyright",
    ])
      expect([path, statSync(join(root, path)).mode & 0o777]).toEqual([path, 0o644]);
    const { stdout } = await dpkg("--audit");
    expect(stdout).toBe("");
    expect(await dpkg("--purge", "waybill")).toMatchObject({ code: 0 });
    expect(existsSync(installed)).toBe(false);
    expect(existsSync(join(root, "usr/share/man/man1"))).toBe(false);
  });
});

/** In a copy of this Debian that is gone with the process: what is written lies over it, in memory. */
const IN_A_COPY = [
  'mount -t tmpfs waybill-test "$1" && mkdir "$1/upper" "$1/work" "$1/root"',
  'mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" waybill-test "$1/root"',
  'mount -t proc proc "$1/root/proc" && mount --rbind /dev "$1/root/dev"',
  'cp "$2" "$1/root/root/waybill.deb"',
  'exec chroot "$1/root" sh -euc "$3"',
].join("\n");

function inACopy(folder: string, file: string, script: string): string[] {
  return ["unshare", "--mount", "sh", "-euc", IN_A_COPY, "sh", folder, file, script];
}

/** A container may be forbidden to lay one file system over another. */
async function canCopy(): Promise<boolean> {
  if (process.env["WAYBILL_FULL"] === undefined) return false;
  if (!CAN_BUILD || process.getuid?.() !== 0 || Bun.which("apt-get") === null) return false;
  using place = temporaryFolder();
  return (await runProgram(inACopy(place.path, "/dev/null", "true"))).code === 0;
}

describe.skipIf(!(await canCopy()))(
  "the Debian package under apt (only with WAYBILL_FULL, root and overlayfs)",
  () => {
    test("is installed with what it depends on, is whole, and is purged", async () => {
      const { folder } = await built();
      using place = temporaryFolder();
      const deb = join(folder, `waybill_${VERSION}_${process.arch === "x64" ? "amd64" : "arm64"}.deb`);
      const apt = "apt-get -qq -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -o man-db::auto-update=false";
      const script = [
        `${apt} install -y --no-install-recommends /root/waybill.deb >/dev/null`,
        "dpkg --verify waybill",
        "dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' waybill",
        "waybill version",
        `${apt} purge -y waybill >/dev/null`,
        // Not by "!", which ends no script, nor by "command", which remembers where it found a program.
        "if [ -e /usr/bin/waybill ] || [ -e /usr/share/doc/waybill ]; then echo left behind; exit 9; fi",
      ].join("\n");
      const finished = await runProgram(inACopy(place.path, deb, script), {
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive" },
        limitMs: 200_000,
      });
      expect([finished.code, finished.stderr]).toEqual([0, expect.any(String)]);
      expect(finished.stdout).toStartWith(`waybill ${VERSION} installed\nwaybill ${VERSION} (`);
    });
  },
);
