import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { FileStore } from "../../src/stores/file.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { bytesOf, codeOf, reading } from "./reading.ts";

function storeIn(folder: TemporaryFolder): FileStore {
  mkdirSync(folder.at("store/a/b"), { recursive: true });
  writeFileSync(folder.at("outside"), "secret");
  return new FileStore(folder.at("store"));
}

async function readAll(store: FileStore, key: string, more = {}): Promise<Buffer> {
  return bytesOf(await store.open(reading(key, more)));
}

describe("a directory of artifacts", () => {
  test("gives the bytes of a file", async () => {
    using folder = temporaryFolder();
    const store = storeIn(folder);
    const bytes = randomBytes(3_000_000);
    writeFileSync(folder.at("store/a/b/x y+z.bin"), bytes);
    expect((await readAll(store, "a/b/x y+z.bin", { maxBytes: 3_000_000 })).equals(bytes)).toBe(true);
    expect(await codeOf(readAll(store, "a/b/x y+z.bin", { maxBytes: 2_999_999 }))).toBe("artifact_too_large");
    writeFileSync(folder.at("store/empty"), "");
    expect(await readAll(store, "empty")).toHaveLength(0);
  });

  test("also through a link that stays inside", async () => {
    using folder = temporaryFolder();
    const store = storeIn(folder);
    writeFileSync(folder.at("store/a/real"), "x");
    symlinkSync("a/real", folder.at("store/link"));
    expect(String(await readAll(store, "link"))).toBe("x");
  });

  const keys: [string, string][] = [
    ["../outside", "unsafe_path"],
    ["a/../../outside", "unsafe_path"],
    ["/etc/passwd", "unsafe_path"],
    ["a//b", "unsafe_path"],
    ["./a", "unsafe_path"],
    ["", "unsafe_path"],
    ["a\\b", "unsafe_path"],
    ["a\u0000b", "unsafe_path"],
    ["x".repeat(1025), "unsafe_path"],
    ["link-out", "unsafe_path"],
    ["folder-out/outside", "unsafe_path"],
    ["nothing", "not_found"],
    ["a/b", "answer_unexpected"],
    ["fifo", "answer_unexpected"],
    ["dangling", "not_found"],
  ];
  test.each(keys)("case 79: refuses the key %p", async (key, code) => {
    using folder = temporaryFolder();
    const store = storeIn(folder);
    symlinkSync(folder.at("outside"), folder.at("store/link-out"));
    symlinkSync(folder.path, folder.at("store/folder-out"));
    symlinkSync("gone", folder.at("store/dangling"));
    Bun.spawnSync(["mkfifo", folder.at("store/fifo")]);
    expect(await codeOf(readAll(store, key))).toBe(code);
  });

  test("sees a file that grows while it is read", async () => {
    using folder = temporaryFolder();
    const store = storeIn(folder);
    writeFileSync(folder.at("store/x"), randomBytes(1_500_000));
    const read = async (): Promise<void> => {
      for await (const _ of await store.open(reading("x", { maxBytes: 9_000_000 }))) {
        appendFileSync(folder.at("store/x"), "more");
      }
    };
    expect(await codeOf(read())).toBe("storage_failed");
  });

  test("stops when it is told to", async () => {
    using folder = temporaryFolder();
    const store = storeIn(folder);
    writeFileSync(folder.at("store/x"), "x");
    expect(await codeOf(readAll(store, "x", { stop: AbortSignal.abort("SIGTERM") }))).toBe("terminated");
  });

  test.skipIf(process.platform !== "linux")("holds nothing open for a stream that nobody reads", async () => {
    using folder = temporaryFolder();
    const store = storeIn(folder);
    writeFileSync(folder.at("store/x"), "x");
    await store.open(reading("x"));
    const { ino } = statSync(folder.at("store/x"));
    const open = readdirSync("/proc/self/fd").map((name) => join("/proc/self/fd", name));
    expect(open.filter((path) => statSync(path, { throwIfNoEntry: false })?.ino === ino)).toEqual([]);
  });

  test("has a name that is good for a log, whatever its own is", () => {
    expect(new FileStore("/a\n::error::x\u001b[2J##vso[b]").name).toBe("file:/a : :error::x [2J# #vso[b]");
  });

  test("that is missing is no store", async () => {
    using folder = temporaryFolder();
    expect(await codeOf(readAll(new FileStore(folder.at("gone")), "x"))).toBe("object_store_unavailable");
  });
});
