import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Host } from "../addons/host.ts";
import { AgentHost, STAYS } from "../addons/supervision/agent-process.ts";
import { tar } from "../addons/tar.ts";
import { pointsOf } from "../support/points.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const SIZES = pointsOf("an upgrade on a disk that is full after each 16 KiB");

/** Disks that are full, read-only or odd. Mounting needs root; without it these are skipped, and say so. */
function canMount(): boolean {
  if (process.geteuid?.() !== 0 || process.platform !== "linux" || Bun.which("mount") === null) return false;
  using host = new Host();
  mkdirSync(host.root);
  const done = mount(host.root, "size=64k");
  if (done) unmount(host.root);
  return done;
}

function mount(path: string, options: string): boolean {
  return Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `mode=0755,${options}`, "tmpfs", path]).exitCode === 0;
}

function unmount(path: string): void {
  Bun.spawnSync(["umount", "-l", path]);
}

/** A host whose root is a file system of its own. */
class MountedHost extends Host {
  constructor(options: string) {
    super();
    mkdirSync(this.root);
    if (!mount(this.root, options)) throw new Error("mount failed");
  }

  remount(options: string): void {
    const done = Bun.spawnSync(["mount", "-o", `remount,${options}`, this.root]);
    if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  }

  override [Symbol.dispose](): void {
    unmount(this.root);
    super[Symbol.dispose]();
  }
}

/** Takes every byte that is left, in a file with that name. */
function fillDisk(path: string): string {
  const descriptor = openSync(path, "w");
  try {
    for (const bytes = noise(4_096); ;) writeSync(descriptor, bytes);
  } catch {
    return path;
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes that do not get smaller. */
const noise = (bytes: number): Buffer =>
  Buffer.from(
    new Bun.CryptoHasher("sha512")
      .update("x")
      .digest("hex")
      .repeat(bytes / 128),
  );

const script = (bytes: number): Buffer => Buffer.concat([Buffer.from("#!/bin/sh\n"), noise(bytes)]);

describe.skipIf(!canMount())("a root on a disk", () => {
  const large: [string, Buffer][] = [
    ["a program that does not fit", script(2_097_152)],
    ["a program that fits once and not twice", script(655_360)],
    ["a bundle whose files do not fit", gzipSync(tar({ name: "sample", data: script(4_194_304) }))],
  ];
  test.each(large)(
    "case 18: of one megabyte: %s; what runs goes on, nothing is left behind",
    async (_name, bytes) => {
      using host = new MountedHost("size=1m");
      host.assign(host.program("sample", "1"));
      expect((await host.stage()).exit).toBe(0);
      const small = host.program("sample", "1");
      host.assign(host.program("sample", "2", bytes));
      const { exit, document } = await host.stage();
      expect(document.addons).toMatchObject([
        { version: "1", outcome: "kept_last_known_good", error: { code: "no_space" } },
      ]);
      expect(exit).toBe(3);
      expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
      expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
      expect(readdirSync(host.path("sample/versions"))).toEqual(["1"]);
      host.assign(small);
      expect((await host.stage()).exit).toBe(0);
    },
  );

  test("without a byte left: wrong bytes are taken away, and the last known good is back once there is room", async () => {
    using host = new MountedHost("size=1m");
    for (const version of ["1", "2"]) {
      host.assign(host.program("sample", version));
      await host.stage();
    }
    host.spoil("2");
    host.emptyStore();
    const rest = fillDisk(join(host.root, "rest"));
    const { exit, document } = await host.stage();
    expect(document.addons).toMatchObject([{ action: "withdraw", error: { code: "hash_mismatch" } }]);
    expect(document.warnings.map(({ code }) => code)).toContain("state_not_written");
    expect(exit).toBe(6);
    expect(existsSync(host.path("sample/current"))).toBe(false);
    rmSync(rest);
    expect((await host.stage()).document.addons).toMatchObject([{ version: "1", action: "restore" }]);
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
  });

  test("without a byte left: what is shown and whole goes on", async () => {
    using host = new MountedHost("size=1m");
    for (const version of ["1", "2"]) {
      host.assign(host.program("sample", version));
      await host.stage();
    }
    rmSync(host.path("sample/versions/2"), { recursive: true });
    rmSync(host.path("sample/current"));
    symlinkSync("versions/1", host.path("sample/current"));
    host.emptyStore();
    fillDisk(join(host.root, "rest"));
    expect((await host.stage()).document).toMatchObject({
      exit_code: 3,
      addons: [{ version: "1", outcome: "kept_last_known_good", action: "keep" }],
    });
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
  });

  test.skipIf(!FULL)(
    "with room for a very large program once: its kept copy is a second name of it",
    async () => {
      using host = new MountedHost("size=480m");
      const program = Buffer.alloc(300_000_000);
      program.write("#!/bin/sh\nexit 0\n");
      host.assign(host.program("sample", "1", program));
      expect((await host.stage()).exit).toBe(0);
      const [own, kept] = ["sample", "artifact.bin"].map((name) =>
        statSync(host.path("sample/current", name)),
      );
      expect(own?.ino).toBe(kept?.ino);
    },
  );

  test(
    "that is full after so many KiB: the old version or the new one, whole, and the next run with room ends well",
    async () => {
      // From one that holds the first version and little more to one that has room for all.
      for (let size = 128; size <= 1_536; size += FULL ? 16 : 720) {
        using host = new MountedHost("size=8m");
        const versions = ["1", "2"].map((version) =>
          gzipSync(
            tar(
              { name: "sample", data: `#!/bin/sh\necho ${version}\n` },
              { name: "v.conf", data: noise(200_000 * (Number(version) - 1)) },
            ),
            { level: 1 },
          ),
        );
        const [one, two] = versions.map((bytes, index) => host.program("sample", `${index + 1}`, bytes));
        host.assign(one ?? {});
        expect((await host.stage()).exit).toBe(0);
        host.remount(`size=${size}k`);
        host.assign(two ?? {});
        await SIZES.try(async () => {
          const { exit, document } = await host.stage();
          const shown = readlinkSync(host.path("sample/current"));
          const error = document.addons[0]?.error?.code ?? null;
          const [wantedShown, wantedError] = exit === 0 ? ["versions/2", null] : ["versions/1", "no_space"];
          expect({ size, shown, error }).toEqual({ size, shown: wantedShown, error: wantedError });
          expect(await host.verify(["--key", host.publicKey])).toMatchObject({ exit: 0 });
          expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
          host.remount("size=8m");
          expect([size, (await host.stage()).exit]).toEqual([size, 0]);
          expect(readlinkSync(host.path("sample/current"))).toBe("versions/2");
        });
      }
    },
    FULL ? 600_000 : 60_000,
  );

  test("that somebody else filled to the last byte; what runs goes on, also after a look", async () => {
    using host = new MountedHost("size=1m");
    host.assign(host.program("sample", "1"));
    await host.stage();
    try {
      writeFileSync(join(host.root, "filler"), noise(2_097_152));
    } catch {
      // Full, as wanted.
    }
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged" }]);
    host.assign(host.program("sample", "2"));
    expect((await host.stage()).document.addons).toMatchObject([
      { version: "1", outcome: "kept_last_known_good", error: { code: "no_space" } },
    ]);
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho sample 1\n");
  });

  test("case 18: that is full to the last byte: what ends there is started again", async () => {
    using host = new AgentHost();
    mkdirSync(host.root);
    expect(mount(host.root, "size=2m")).toBe(true);
    try {
      host.assign(host.program("sensor", "1", STAYS.replace("echo", ": echo"), { config_json: { a: 1 } }));
      host.start();
      await host.until(({ last_known_good: good, state }) => good === "1" && state === "running");
      try {
        writeFileSync(join(host.root, "filler"), noise(4_194_304));
      } catch {
        // Full, as wanted.
      }
      // What the program itself starts comes and goes.
      const leaders = (): number[] =>
        host.processes().filter((pid) => {
          const path = `/proc/${pid}/stat`;
          return existsSync(path) && readFileSync(path, "utf8").split(") ")[1]?.split(" ")[2] === String(pid);
        });
      for (let times = 0; times < 2; times++) {
        const [before] = leaders();
        if (before === undefined) throw new Error("nothing runs");
        process.kill(before, "SIGKILL");
        for (let tries = 0; leaders().every((pid) => pid === before); tries++) {
          if (tries > 400) throw new Error("it was not started again");
          await Bun.sleep(25);
        }
      }
      expect(await host.stop()).toBe(0);
      expect(host.processes()).toEqual([]);
    } finally {
      unmount(host.root);
    }
  });

  test("case 17: without inodes", async () => {
    using host = new MountedHost("size=8m,nr_inodes=24");
    host.assign(host.program("sample", "1"));
    expect((await host.stage()).document.addons).toMatchObject([{ error: { code: "no_space" } }]);
    expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
  });

  test("case 74: that became read-only; what runs goes on", async () => {
    using host = new MountedHost("size=8m");
    host.assign(host.program("sample", "1"));
    await host.stage();
    host.remount("ro");
    host.assign(host.program("sample", "2"));
    const { exit } = await host.stage();
    expect(exit).toBe(13);
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho sample 1\n");
    expect(await host.addon("rollback", ["sample"])).toMatchObject({ document: { ok: false } });
    expect(await host.verify(["--key", host.publicKey])).toMatchObject({ exit: 0 });
    host.remount("rw");
    expect((await host.stage()).document.addons).toMatchObject([{ version: "2", outcome: "staged" }]);
  });

  test("case 74: that lets nothing run is said", async () => {
    using host = new MountedHost("size=8m,noexec");
    host.assign(host.program("sample", "1"));
    const { exit, document } = await host.stage();
    expect(exit).toBe(0);
    expect(document.warnings.map(({ code }) => code)).toContain("root_noexec");
  });

  test("that ignores capabilities is no reason not to stage", async () => {
    using host = new MountedHost("size=8m,nosuid,nodev");
    host.assign(host.program("sample", "1"));
    expect((await host.stage()).exit).toBe(0);
  });

  test("is read by somebody who may not write it, and not changed", async () => {
    using host = new MountedHost("size=8m");
    host.assign(host.program("sample", "1"));
    await host.stage();
    const before = readFileSync(host.path("sample/.waybill-specs.json"), "utf8");
    host.remount("ro");
    for (const word of ["status", "fsck"]) expect((await host.addon(word, [])).exit).toBe(0);
    expect((await host.addon("plan", ["--assignments", host.list, "--key", host.publicKey])).exit).toBe(0);
    expect(readFileSync(host.path("sample/.waybill-specs.json"), "utf8")).toBe(before);
  });
});
