import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BINARY, jsonOf, runProgram, runWaybill, type Finished } from "../support/binary.ts";
import { startControlPlane } from "../support/control-plane.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

setDefaultTimeout(120_000);

const isRoot = process.platform === "linux" && process.getuid?.() === 0;

/** The loader and the four libraries of glibc that the executable names, each where the loader looks for it. */
async function layOut(folder: TemporaryFolder): Promise<string> {
  const { stdout } = await runProgram(["ldd", BINARY ?? ""]);
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/gu)].map(([, path]) => path ?? "");
  expect(libraries.map((path) => basename(path)).sort()).toEqual([
    expect.stringMatching(/^ld-linux/u),
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libpthread.so.0",
  ]);
  const root = folder.at("root");
  for (const path of libraries) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
  for (const name of ["proc", "work"]) mkdirSync(join(root, name));
  copyFileSync(BINARY ?? "", join(root, "waybill"));
  return root;
}

/** Runs in that root, which is read-only but for /work, with an empty environment and nobody's account. */
async function inRoot(
  root: string,
  args: readonly string[],
  env: readonly string[] = [],
  proc = true,
): Promise<Finished> {
  const script = [
    'mount --bind "$1" "$1" && mount --bind "$1/work" "$1/work"',
    proc ? 'mount -t proc proc "$1/proc"' : "true",
    'mount -o remount,bind,ro "$1"',
    'root=$1; shift; exec env -i "$@"',
  ].join(" && ");
  const inside = ["chroot", "--userspec=12345:12345", root, "/waybill", ...args];
  // The path of chroot is looked up before the environment is emptied.
  const chroot = Bun.which("chroot") ?? "chroot";
  return runProgram([
    "unshare",
    "--mount",
    "sh",
    "-ec",
    script,
    "sh",
    root,
    ...env,
    chroot,
    ...inside.slice(1),
  ]);
}

describe.skipIf(BINARY === null || !isRoot)(
  "with the loader, glibc and /proc alone (needs root and the compiled binary)",
  () => {
    test("the whole of it works: no shell, no git, no accounts, no HOME, a read-only root", async () => {
      using folder = temporaryFolder();
      const root = await layOut(folder);
      const ok = async (args: readonly string[], env: readonly string[] = []): Promise<string> => {
        const finished = await inRoot(root, args, env);
        expect([args[0], finished.code, finished.stderr]).toEqual([args[0], 0, expect.any(String)]);
        return finished.stdout;
      };
      expect(await ok(["version"])).toStartWith("waybill ");
      expect(await ok(["--help"])).toContain("COMMANDS");

      const plain = await inRoot(root, ["doctor", "--json"]);
      expect(plain.code).toBe(0);
      const states = (jsonOf(plain)["findings"] as { name: string; state: string }[])
        .filter(({ state }) => state !== "ok")
        .map(({ name }) => name);
      expect(states).toEqual(["temporary folder", "names", "git"]);

      // Nothing is there that /work does not hold, and this user may write there alone.
      await runProgram(["chown", "12345:12345", join(root, "work")]);
      writeFileSync(join(root, "work/app"), "the program\n");
      await ok(["key", "new", "--out", "/work/release.key"]);
      await ok(["sign", "/work/app", "--key", "/work/release.key", "--format", "minisign"]);
      expect(
        await ok([
          "verify",
          "artifact",
          "/work/app",
          "--key",
          "/work/release.key.pub",
          "--signature",
          "/work/app.minisig",
        ]),
      ).toContain("minisign");
      const captured = JSON.parse(await ok(["capture", "/work", "--archive", "/work/c.tar.zst", "--json"]));
      expect(captured).toMatchObject({ ok: true, digests: { tar_sha256: expect.any(String) }, git: null });

      const plane = await startControlPlane();
      try {
        const token = await plane.token(["pins:read", "pins:write"], "prod");
        const digest = `sha256:${"a".repeat(64)}`;
        const pin = [
          "--template",
          "codex",
          "--digest",
          digest,
          "--target",
          `prod=${plane.address}`,
          "--allow-insecure-http",
        ];
        const env = [`WAYBILL_TOKEN_PROD=${token}`];
        expect(await ok(["promote", ...pin], env)).toContain("landed");
        expect(await ok(["verify", "pin", ...pin], env)).toContain("matches");
      } finally {
        await plane.stop();
      }
    });

    test("without /proc it ends, and says nothing false", async () => {
      using folder = temporaryFolder();
      const root = await layOut(folder);
      const finished = await inRoot(root, ["version", "--json"], [], false);
      expect(
        finished.stdout === "" || finished.stdout.startsWith('{"schema":"waybill.version/v1","ok":true'),
      ).toBe(true);
      if (finished.stdout === "") expect(finished.code).not.toBe(0);
    });
  },
);

describe.skipIf(BINARY === null || Bun.which("readelf") === null)(
  "the executable (needs readelf and the compiled binary)",
  () => {
    test("asks for no symbol that is newer than glibc 2.17", async () => {
      const { stdout } = await runProgram(["readelf", "--wide", "--version-info", BINARY ?? ""]);
      const minors = [...stdout.matchAll(/\bGLIBC_2\.(\d+)/gu)].map(([, minor]) => Number(minor));
      expect(minors.length).toBeGreaterThan(3);
      expect(Math.max(...minors)).toBeLessThanOrEqual(17);
    });

    test("names the four libraries of glibc and no other", async () => {
      const { stdout } = await runProgram(["readelf", "--wide", "--dynamic", BINARY ?? ""]);
      const needed = [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/gu)].map(([, name = ""]) => name);
      expect(needed.filter((name) => !name.startsWith("ld-linux")).sort()).toEqual([
        "libc.so.6",
        "libdl.so.2",
        "libm.so.6",
        "libpthread.so.0",
      ]);
    });
  },
);

const GROUP = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].find((path) =>
  ["memory.limit_in_bytes", "memory.max", "cgroup.subtree_control"].some((name) =>
    existsSync(join(path, name)),
  ),
);

/** Makes a control group of 256 MiB, or null where this process may not. */
function smallGroup(): string | null {
  if (GROUP === undefined || !isRoot) return null;
  const path = join(GROUP, `waybill-test-${process.pid}`);
  try {
    mkdirSync(path);
  } catch {
    return null;
  }
  const limit = ["memory.limit_in_bytes", "memory.max"]
    .map((name) => join(path, name))
    .find((file) => existsSync(file));
  if (limit === undefined) {
    rmdirSync(path);
    return null;
  }
  writeFileSync(limit, "268435456");
  return path;
}

const group = BINARY === null ? null : smallGroup();
afterAll(() => {
  if (group !== null) rmdirSync(group);
});

describe.skipIf(group === null)(
  "with 256 MiB of memory (needs root, control groups and the compiled binary)",
  () => {
    const inside = async (args: readonly string[], cwd: string): Promise<Finished> =>
      runProgram(["sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec "$@"', group ?? "", BINARY ?? "", ...args], {
        cwd,
      });

    test("the limit is real", async () => {
      const words = [
        "sh",
        "-c",
        'echo $$ >"$0/cgroup.procs"; exec "$@"',
        group ?? "",
        process.execPath,
        "-e",
        "const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1))",
      ];
      expect((await runProgram(words)).code).toBe(137);
    });

    test("an artifact of 300 MB is signed, verified, captured and archived", async () => {
      using folder = temporaryFolder();
      mkdirSync(folder.at("app"));
      await runProgram([
        "dd",
        "if=/dev/urandom",
        `of=${folder.at("app/large")}`,
        "bs=1M",
        "count=300",
        "status=none",
      ]);
      const steps = [
        ["key", "new", "--out", "release.key"],
        ["sign", "app/large", "--key", "release.key", "--format", "raw", "--out", "large.sig"],
        ["verify", "artifact", "app/large", "--key", "release.key.pub", "--signature", "large.sig"],
        ["capture", "app", "--archive", "app.tar.gz"],
        ["verify", "artifact", "app.tar.gz", "--sha256", ""],
      ];
      for (const args of steps) {
        if (args.at(-1) === "")
          args[args.length - 1] = new Bun.CryptoHasher("sha256")
            .update(readFileSync(folder.at("app.tar.gz")))
            .digest("hex");
        const finished = await inside(args, folder.path);
        expect([args.slice(0, 2), finished.code]).toEqual([args.slice(0, 2), 0]);
      }
      expect((await inside(["doctor"], folder.path)).stdout).toContain("memory             256 MiB");
    });
  },
);

const QEMU = Bun.which("qemu-aarch64-static");
const ARM_LIBC = "/usr/aarch64-linux-gnu";

describe.skipIf(process.env["WAYBILL_FULL"] === undefined || QEMU === null || !existsSync(ARM_LIBC))(
  "for arm64, under qemu-user with Debian's arm64 libc (only with WAYBILL_FULL)",
  () => {
    test("it runs, and its digests and archives are those of this machine", async () => {
      using folder = temporaryFolder();
      const words = [
        "sh",
        "-ec",
        'export WAYBILL_VERSION=0 WAYBILL_COMMIT= WAYBILL_BUILT_AT=2026-01-01T00:00:00Z; exec scripts/compile linux-aarch64 "$1" "$2"',
        "sh",
      ];
      const root = join(import.meta.dir, "../..");
      const env = { HOME: process.env["HOME"] ?? "/" };
      const bases = folder.at("bases");
      mkdirSync(bases);
      for (const name of ["package.json", "bun.lock", "bunfig.toml"])
        copyFileSync(join(root, name), join(bases, name));
      const installed = await runProgram(
        [
          "scripts/bun",
          "install",
          "--cwd",
          bases,
          "--frozen-lockfile",
          "--ignore-scripts",
          "--silent",
          "--cpu",
          "*",
          "--os",
          "*",
          "--libc",
          "*",
        ],
        { cwd: root, env },
      );
      expect(installed.code).toBe(0);
      const base = join(bases, "node_modules/@oven/bun-linux-aarch64/bin/bun");
      expect(await runProgram([...words, base, folder.at("arm/waybill")], { cwd: root, env })).toMatchObject({
        code: 0,
      });
      const arm = async (...args: string[]): Promise<Finished> =>
        runProgram([QEMU ?? "", folder.at("arm/waybill"), ...args], {
          cwd: folder.path,
          env: { QEMU_LD_PREFIX: ARM_LIBC },
        });
      expect(jsonOf(await arm("version", "--json"))["platform"]).toBe("linux/arm64");
      expect((await arm("doctor")).code).toBe(0);
      mkdirSync(folder.at("app"));
      writeFileSync(folder.at("app/größe.txt"), "1\n");
      const here = await runWaybill(["capture", "app", "--archive", "here.tar.gz", "--json"], {
        cwd: folder.path,
      });
      const there = await arm("capture", "app", "--archive", "there.tar.gz", "--json");
      expect(there.code).toBe(0);
      expect(jsonOf(there)["digests"]).toEqual(jsonOf(here)["digests"]);
      expect(readFileSync(folder.at("there.tar.gz")).equals(readFileSync(folder.at("here.tar.gz")))).toBe(
        true,
      );
      expect((await arm("key", "new", "--out", "k")).code).toBe(0);
      expect((await arm("sign", "app/größe.txt", "--key", "k", "--format", "raw", "--out", "s")).code).toBe(
        0,
      );
      const proven = await runWaybill(
        ["verify", "artifact", "app/größe.txt", "--key", "k.pub", "--signature", "s"],
        { cwd: folder.path },
      );
      expect(proven.code).toBe(0);
    });
  },
);
