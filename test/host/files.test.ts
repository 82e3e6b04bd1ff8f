import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Failure } from "../../src/base/failure.ts";
import { PendingFile, readBounded, reason, whyUnwritten, writeAtomic } from "../../src/host/files.ts";
import { runProgram } from "../support/binary.ts";
import { fragment } from "../support/fragment.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const IS_ROOT = process.getuid?.() === 0;
const IS_LINUX = process.platform === "linux";

function caught(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

describe("readBounded", () => {
  test("reads all bytes of a file at its ceiling, and none of a larger one", () => {
    using folder = temporaryFolder();
    const file = folder.at("a");
    for (const size of [0, 1, 4095, 4096, 4097, 100_000]) {
      writeFileSync(file, "x".repeat(size));
      expect(readBounded(file, size, "the file").length).toBe(size);
      if (size === 0) continue;
      expect(caught(() => readBounded(file, size - 1, "the file"))).toMatchObject({
        code: "file_unreadable",
        message: `the file "${file}" has ${size} bytes or more; at most ${size - 1} are read`,
      });
    }
  });

  test("follows a link to a file", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("a"), "x");
    symlinkSync("a", folder.at("b"));
    expect(readBounded(folder.at("b"), 10, "the file").length).toBe(1);
  });

  test("does not wait for a FIFO that nobody writes to", async () => {
    using folder = temporaryFolder();
    await runProgram(["mkfifo", folder.at("fifo")]);
    const failure = caught(() => readBounded(folder.at("fifo"), 10, "the key", "key_invalid"));
    expect(failure).toMatchObject({
      code: "key_invalid",
      message: `the key "${folder.at("fifo")}" is not a regular file`,
    });
  });

  const others: [string, (path: string) => void, string][] = [
    ["a folder", (path) => mkdirSync(path), "is not a regular file"],
    ["a device", (path) => symlinkSync("/dev/zero", path), "is not a regular file"],
    ["nothing", () => {}, "cannot be read: it does not exist"],
    ["a link to nothing", (path) => symlinkSync("nowhere", path), "cannot be read: it does not exist"],
    ["a link to itself", (path) => symlinkSync("a", path), "cannot be read: too many symbolic links"],
  ];
  test.each(others)("refuses %s", (_what, make, said) => {
    using folder = temporaryFolder();
    make(folder.at("a"));
    const failure = caught(() => readBounded(folder.at("a"), 10, "the file"));
    expect(failure).toMatchObject({
      code: "file_unreadable",
      message: `the file "${folder.at("a")}" ${said}`,
    });
  });

  test.skipIf(IS_ROOT)("refuses a file that it may not read", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("a"), "x", { mode: 0 });
    expect(caught(() => readBounded(folder.at("a"), 10, "the file")).message).toEndWith("permission denied");
  });

  test.skipIf(!IS_LINUX)("sees a file that is longer than it said, and does not cut it", () => {
    // The kernel says that this one has no bytes, and then gives a few thousand: so does a file that grows.
    const path = "/proc/self/smaps";
    expect(statSync(path).size).toBe(0);
    expect(caught(() => readBounded(path, 10_000_000, "the file")).message).toBe(
      `the file "${path}" grew while it was read`,
    );
    expect(caught(() => readBounded(path, 100, "the file")).message).toBe(
      `the file "${path}" has 101 bytes or more; at most 100 are read`,
    );
  });

  test("a hostile name comes back inert", () => {
    expect(caught(() => readBounded("/nowhere/\n::error::x", 1, "the file")).message).toBe(
      'the file "/nowhere/ : :error::x" cannot be read: it does not exist',
    );
  });
});

describe("an atomic write", () => {
  test("has all bytes and exactly the mode that was asked for", () => {
    using folder = temporaryFolder();
    for (const mode of [0o600, 0o644, 0o755, 0o666]) {
      writeAtomic(folder.at("a"), new Uint8Array([1, 2, 3]), mode);
      expect([...readFileSync(folder.at("a"))]).toEqual([1, 2, 3]);
      expect(modeOf(folder.at("a"))).toBe(mode);
    }
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test.each([0, 0o022, 0o077, 0o777])("whatever the umask is: %o", async (umask) => {
    using folder = temporaryFolder();
    const finished = await runProgram(
      fragment(`
        import { writeAtomic } from "src/host/files.ts";
        process.umask(${umask});
        writeAtomic("${folder.at("a")}", "x", 0o640);
      `),
    );
    expect(finished).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(modeOf(folder.at("a"))).toBe(0o640);
  });

  test("shows the old file until the new one is whole, and nobody else the half of it", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("a"), "old");
    const pending = new PendingFile(folder.at("a"), 0o644);
    pending.write(new TextEncoder().encode("ne"));
    expect(readFileSync(folder.at("a"), "utf8")).toBe("old");
    const [half = ""] = readdirSync(folder.path).filter((name) => name !== "a");
    expect(modeOf(folder.at(half))).toBe(0o600);
    pending.write(new TextEncoder().encode("w"));
    pending.commit();
    pending.discard();
    expect(readFileSync(folder.at("a"), "utf8")).toBe("new");
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test("that is discarded leaves the old file alone and nothing else", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("a"), "old", { mode: 0o600 });
    const pending = new PendingFile(folder.at("a"), 0o644);
    pending.write(new TextEncoder().encode("new"));
    pending.discard();
    pending.discard();
    expect(readFileSync(folder.at("a"), "utf8")).toBe("old");
    expect(modeOf(folder.at("a"))).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test("two at a time do not meet", () => {
    using folder = temporaryFolder();
    const [first, second] = [new PendingFile(folder.at("a"), 0o644), new PendingFile(folder.at("a"), 0o644)];
    first.write(new TextEncoder().encode("first"));
    second.write(new TextEncoder().encode("second"));
    second.commit();
    first.commit();
    expect(readFileSync(folder.at("a"), "utf8")).toBe("first");
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  const inTheWay: [string, (path: string) => unknown, (path: string) => boolean][] = [
    ["a folder", (path) => mkdirSync(path), (path) => statSync(path).isDirectory()],
    ["a link to a file", (path) => symlinkSync("other", path), (path) => readlinkSync(path) === "other"],
    [
      "a link to a device",
      (path) => symlinkSync("/dev/null", path),
      (path) => readlinkSync(path) === "/dev/null",
    ],
  ];
  test.each(inTheWay)("does not put itself in the place of %s", (_what, make, isStill) => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("other"), "other");
    make(folder.at("a"));
    expect(caught(() => writeAtomic(folder.at("a"), "new", 0o644))).toMatchObject({
      code: "file_exists",
      message: `"${folder.at("a")}" exists and is not a regular file`,
    });
    expect(isStill(folder.at("a"))).toBe(true);
    expect(readFileSync(folder.at("other"), "utf8")).toBe("other");
    expect(readdirSync(folder.path).sort()).toEqual(["a", "other"]);
  });

  test("into a folder that does not exist throws what the system says", () => {
    using folder = temporaryFolder();
    expect(() => writeAtomic(folder.at("no", "a"), "new", 0o644)).toThrow(
      expect.objectContaining({ code: "ENOENT" }),
    );
  });

  test("to a name that is too long leaves nothing", () => {
    using folder = temporaryFolder();
    expect(() => writeAtomic(folder.at("x".repeat(300)), "new", 0o644)).toThrow(
      expect.objectContaining({ code: "ENAMETOOLONG" }),
    );
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("to the longest name that a file can have", () => {
    using folder = temporaryFolder();
    writeAtomic(folder.at("x".repeat(255)), "new", 0o644);
    expect(readdirSync(folder.path)).toEqual(["x".repeat(255)]);
  });

  test.skipIf(IS_ROOT)("into a folder that may not be written leaves nothing", () => {
    using folder = temporaryFolder();
    chmodSync(folder.path, 0o500);
    expect(() => writeAtomic(folder.at("a"), "new", 0o644)).toThrow(
      expect.objectContaining({ code: "EACCES" }),
    );
    chmodSync(folder.path, 0o700);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

const canMount =
  IS_ROOT &&
  IS_LINUX &&
  Bun.spawnSync(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], {
    stdout: "ignore",
    stderr: "ignore",
  }).success;

describe("a device without space", () => {
  test.skipIf(!canMount)("leaves the old file and nothing else (needs a mount of its own)", async () => {
    using folder = temporaryFolder();
    const code = fragment(`
      import { readdirSync, readFileSync, writeFileSync } from "node:fs";
      import { reason, writeAtomic } from "src/host/files.ts";
      writeFileSync("a", "old");
      let said = "nothing";
      try { writeAtomic("a", "x".repeat(1_000_000), 0o644); } catch (error) { said = reason(error); }
      console.log(JSON.stringify([said, readFileSync("a", "utf8"), readdirSync(".")]));
    `);
    // In a mount namespace, so that nothing has to be taken down.
    const line = 'mount -t tmpfs -o size=64k tmpfs "$0" && cd "$0" && exec "$@"';
    const finished = await runProgram(["unshare", "--mount", "/bin/sh", "-c", line, folder.path, ...code]);
    expect(finished.stderr).toBe("");
    expect(JSON.parse(finished.stdout)).toEqual(["no space left on the device", "old", ["a"]]);
  });
});

describe("what the system said, in words", () => {
  test.each([
    ["ENOENT", "it does not exist"],
    ["EACCES", "permission denied"],
    ["EPERM", "permission denied"],
    ["ENOTDIR", "a part of its path is not a directory"],
    ["EISDIR", "it is a directory"],
    ["ENOSPC", "no space left on the device"],
    ["ELOOP", "too many symbolic links"],
    ["ENAMETOOLONG", "its name is too long"],
    ["EROFS", "the file system is read-only"],
    ["EIO", "EIO"],
  ])("%s", (code, wanted) => {
    expect(reason(Object.assign(new Error("with /a/path"), { code }))).toBe(wanted);
  });
  test("of a file that was to be made", () => {
    using folder = temporaryFolder();
    const why = (path: string): string => {
      try {
        writeAtomic(path, "", 0o600);
        return "";
      } catch (error) {
        return whyUnwritten(error);
      }
    };
    expect(why(folder.at("none/file"))).toBe("its folder does not exist");
    expect(why(folder.path)).toBe("it exists and is not a regular file");
    expect(why(folder.at("n".repeat(300)))).toBe("its name is too long");
    expect(why("/dev/null/file")).toBe("a part of its path is not a directory");
  });
  test("one of our own speaks for itself", () => {
    expect(reason(new Failure("file_exists", "it is a link"))).toBe("it is a link");
  });
});
