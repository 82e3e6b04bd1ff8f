import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { sha256Of } from "../../src/base/hashing.ts";
import type { Source } from "../../src/stores/download.ts";
import { PartFile } from "../../src/stores/part-file.ts";
import { wholeObject, type ObjectStream, type Resume } from "../../src/stores/store.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { codeOf, downloadOf } from "./reading.ts";

const BYTES = randomBytes(600_000);
const validator = { kind: "etag", text: '"1"' } as const;

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

/** Resumes what it is asked to, and remembers that it was. */
function source(bytes: Uint8Array, asked: (Resume | undefined)[] = []): Source {
  return {
    name: "a",
    key: "k",
    open: async ({ resume }): Promise<ObjectStream> => {
      asked.push(resume);
      const offset = resume?.offset ?? 0;
      return { ...wholeObject(pieces(bytes.subarray(offset)), bytes.length), offset, validator };
    },
  };
}

describe("a part file", () => {
  const planted: [string, (path: string, other: string) => void, string][] = [
    ["a link", (path, other) => symlinkSync(other, path), "storage_failed"],
    ["a second name of another file", (path, other) => linkSync(other, path), "unsafe_path"],
    ["a pipe", (path) => void Bun.spawnSync(["mkfifo", path]), "unsafe_path"],
    ["a folder", (path) => void Bun.spawnSync(["mkdir", path]), "storage_failed"],
  ];
  test.each(planted)("case 26: in whose place stands %s is not written", async (_name, plant, code) => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("other"), "other");
    plant(folder.at("part"), folder.at("other"));
    expect(await codeOf(downloadOf(BYTES, [source(BYTES)], folder.at("part")))).toBe(code);
    expect(readFileSync(folder.at("other"), "utf8")).toBe("other");
  });

  test("is nobody else's to read", async () => {
    using folder = temporaryFolder();
    await downloadOf(BYTES, [source(BYTES)], folder.at("part"));
    expect(statSync(folder.at("part")).mode & 0o777).toBe(0o600);
    expect(existsSync(folder.at("part.json"))).toBe(false);
  });

  function leave(path: string, bytes: Uint8Array, store = "a"): void {
    const part = new PartFile(path);
    part.note(store, "k", validator, 600_000);
    part.append(bytes);
    part.close();
  }

  test("case 1: is gone on with", async () => {
    using folder = temporaryFolder();
    leave(folder.at("part"), BYTES.subarray(0, 250_000));
    const asked: (Resume | undefined)[] = [];
    await downloadOf(BYTES, [source(BYTES, asked)], folder.at("part"));
    expect(asked).toEqual([{ offset: 250_000, validator }]);
    expect(sha256Of(readFileSync(folder.at("part")))).toBe(sha256Of(BYTES));
  });

  test("with other bytes costs one more transfer and no blame", async () => {
    using folder = temporaryFolder();
    leave(folder.at("part"), randomBytes(250_000));
    const asked: (Resume | undefined)[] = [];
    const { faults } = await downloadOf(BYTES, [source(BYTES, asked)], folder.at("part"));
    expect([asked.length, faults.length]).toEqual([2, 0]);
    expect(readFileSync(folder.at("part")).equals(BYTES)).toBe(true);
  });

  const useless: [string, (path: string) => void][] = [
    ["of another store", (path) => leave(path, randomBytes(900_000), "b")],
    ["without its note", (path) => writeFileSync(path, randomBytes(900_000))],
    [
      "with a note that is cut off",
      (path) => {
        leave(path, randomBytes(900_000));
        writeFileSync(`${path}.json`, '{"store":"a"');
      },
    ],
    [
      "with a note that would be two headers",
      (path) => {
        leave(path, randomBytes(900_000));
        writeFileSync(
          `${path}.json`,
          JSON.stringify({ store: "a", key: "k", validator: { kind: "etag", text: '"1"\r\nx: y' } }),
        );
      },
    ],
  ];
  test.each(useless)("%s is begun anew, and nothing of it stays", async (_name, plant) => {
    using folder = temporaryFolder();
    plant(folder.at("part"));
    const asked: (Resume | undefined)[] = [];
    await downloadOf(BYTES, [source(BYTES, asked)], folder.at("part"));
    expect(asked).toStrictEqual([undefined]);
    expect(readFileSync(folder.at("part")).equals(BYTES)).toBe(true);
  });

  test("is removed with a failure that stays, and kept with one that may pass", async () => {
    using folder = temporaryFolder();
    expect(await codeOf(downloadOf(BYTES, [source(randomBytes(600_000))], folder.at("part")))).toBe(
      "hash_mismatch",
    );
    expect(existsSync(folder.at("part"))).toBe(false);
    const breaking: Source = {
      ...source(BYTES),
      open: async () => ({ ...wholeObject(broken(), 600_000), validator }),
    };
    await codeOf(downloadOf(BYTES, [breaking], folder.at("part"), { retryBudgetMs: 0 }));
    expect(statSync(folder.at("part")).size).toBe(100_000);
  });
});

async function* broken(): AsyncGenerator<Uint8Array> {
  yield BYTES.subarray(0, 100_000);
  const { Failure } = await import("../../src/base/failure.ts");
  throw new Failure("connection_lost", "broke");
}
