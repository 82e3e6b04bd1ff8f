import { describe, expect, test } from "bun:test";
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytePathOf, type BytePath } from "../../src/context/byte-path.ts";
import { ContextFolder, type Kind } from "../../src/context/context-folder.ts";
import { ContentFailure } from "../../src/context/opened-file.ts";
import { FolderHandle } from "../../src/host/folder-handle.ts";
import { KernelMemory, statusOf } from "../../src/host/kernel.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();
const path = (text: string): BytePath => bytePathOf(Buffer.from(text));

/** A context of `in/file` beside a folder `out` with other files of the same names. */
function planted(): { readonly root: string; readonly folder: ContextFolder } {
  const root = join(newFolder(), "context");
  for (const name of [join(root, "in"), join(root, "../out")]) {
    mkdirSync(name, { recursive: true });
    writeFileSync(join(name, "file"), name);
    symlinkSync("there", join(name, "link"));
  }
  return { root, folder: new ContextFolder(path(root)) };
}

function kindOf(act: () => unknown): string {
  try {
    act();
    return "no failure";
  } catch (error) {
    if (!(error instanceof ContentFailure)) throw error;
    return error.kind;
  }
}

test.skipIf(FolderHandle.open("/") === null)(
  "a link that takes the place of a folder above is a change, whatever is asked",
  () => {
    const { root, folder } = planted();
    expect(folder.open(path("in/file")).size).toBe(join(root, "in").length);
    renameSync(join(root, "in"), join(root, "was"));
    symlinkSync("../out", join(root, "in"));
    const memory = new KernelMemory(4096);
    expect(kindOf(() => folder.open(path("in/file")))).toBe("changed");
    expect(folder.readSmall(path("in/file"), memory)).toBeNull();
    expect(memory.bytes.every((byte) => byte === 0)).toBe(true);
    expect(kindOf(() => folder.list(path("in"), () => {}))).toBe("changed");
    expect(kindOf(() => folder.readLink(path("in/link")))).toBe("changed");
    folder.close();
  },
);

describe("a small file in one go", () => {
  const memory = new KernelMemory(64);

  test.each([0, 1, 63])("has its %d bytes and its mode", (size) => {
    const { root, folder } = planted();
    for (const mode of [0o644, 0o755]) {
      writeFileSync(join(root, `file-${mode}`), Buffer.alloc(size, "x"), { mode });
      expect(folder.readSmall(path(`file-${mode}`), memory)).toBe(
        FolderHandle.open("/") === null ? null : size,
      );
      expect(memory.bytes.subarray(0, size).toString()).toBe("x".repeat(size));
      expect(folder.isExecutable).toBe(mode === 0o755);
    }
    folder.close();
  });

  test.each([64, 65, 5000])("is not one of %d bytes, for which there is no room", (size) => {
    const { root, folder } = planted();
    writeFileSync(join(root, "large"), Buffer.alloc(size));
    expect(folder.readSmall(path("large"), memory)).toBeNull();
    folder.close();
  });

  test.each([["in"], ["in/link"], ["missing"], ["/etc/hostname"], ["../out/file"], ["in/../../out/file"]])(
    "is not %s",
    (name) => {
      const { folder } = planted();
      expect(folder.readSmall(path(name), memory)).toBeNull();
      folder.close();
    },
  );

  test("is none that says that it is empty and is not", () => {
    const folder = new ContextFolder(path("/proc/self"));
    expect(folder.readSmall(path("status"), new KernelMemory(65_536))).toBeNull();
    folder.close();
  });
});

test("a listing has every name with its kind, more of them than one call gives, and none twice", () => {
  const { root, folder } = planted();
  const many = Array.from(
    { length: 3000 },
    (_, index) => `a rather long name, so that there are pages ${index}`,
  );
  for (const name of many) writeFileSync(join(root, name), "");
  const bytes = Buffer.from([0x66, 0xff, 0xc3]);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), bytes]), "");
  const found = new Map<BytePath, Kind>();
  let count = 0;
  folder.list("", (name, kind) => {
    count++;
    found.set(name, kind);
  });
  folder.close();
  const wanted = new Map<BytePath, Kind>(many.map((name) => [path(name), "file"]));
  wanted.set(path("in"), "directory").set(bytePathOf(bytes), "file");
  expect([found, count]).toEqual([wanted, wanted.size]);
});

test("the status of an open file is the system's", () => {
  const { root, folder } = planted();
  writeFileSync(join(root, "file"), "12345", { mode: 0o751 });
  const descriptor = openSync(join(root, "file"), "r");
  const { size, mode, mtimeMs, ctimeMs } = fstatSync(descriptor);
  expect(statusOf(descriptor)).toEqual({ isFile: true, size, mode, mtimeMs, ctimeMs });
  closeSync(descriptor);
  folder.close();
});
