import { expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ContentFailure, OpenedFile } from "../../src/context/opened-file.ts";
import { scratchFolders } from "./support/scratch.ts";
import { succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();

function file(text: string | Uint8Array = "content"): string {
  const place = join(newFolder(), "file");
  writeFileSync(place, text);
  return place;
}

/** Reads to the end in pieces of `room` bytes. */
function readAll(opened: OpenedFile, room = 65_536): Buffer {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = Buffer.alloc(room);
    const length = opened.read(piece, 0, room);
    if (length === 0) break;
    pieces.push(piece.subarray(0, length));
  }
  opened.finish();
  return Buffer.concat(pieces);
}

function failureOf(act: () => void): { kind: string; message: string } | null {
  try {
    act();
    return null;
  } catch (error) {
    if (!(error instanceof ContentFailure)) throw error;
    return { kind: error.kind, message: error.message };
  }
}

test("a file that nobody touches is read whole", () => {
  const bytes = Buffer.alloc(700_001, "some pattern ");
  const opened = new OpenedFile(file(bytes));
  expect([opened.size, opened.executable]).toEqual([bytes.length, false]);
  expect(readAll(opened).equals(bytes)).toBe(true);
  opened.close();
});

const DURING: readonly { name: string; act: (place: string) => void; message: string }[] = [
  {
    name: "grows",
    act: (place) => appendFileSync(place, "more"),
    message: "its size changed while it was read",
  },
  { name: "shrinks", act: (place) => truncateSync(place, 3), message: "its size changed while it was read" },
  {
    name: "is rewritten with as many bytes",
    act: (place) => {
      writeFileSync(place, "CONTENT");
      // The clock of a file system may not have moved on since the file was made.
      utimesSync(place, 1, 1);
    },
    message: "it was written while it was read",
  },
];

for (const { name, act, message } of DURING) {
  test(`a file that ${name} before its first read has no content`, () => {
    const place = file();
    const opened = new OpenedFile(place);
    act(place);
    expect(failureOf(() => readAll(opened))).toEqual({ kind: "changed", message });
    opened.close();
  });

  test(`a file that ${name} after its last read has no content`, () => {
    const place = file();
    const opened = new OpenedFile(place);
    opened.read(Buffer.alloc(7), 0, 7);
    act(place);
    expect(failureOf(() => opened.finish())).toEqual({ kind: "changed", message });
    opened.close();
  });
}

test("a file of which a part was read has no content yet", () => {
  const opened = new OpenedFile(file());
  opened.read(Buffer.alloc(3), 0, 3);
  expect(failureOf(() => opened.finish())?.kind).toBe("changed");
  opened.close();
});

test("a file that is removed under the read has no content", () => {
  const place = file();
  const opened = new OpenedFile(place);
  rmSync(place);
  // The bytes are the same, but the time of change moved, and nobody can tell why.
  expect(failureOf(() => readAll(opened))).toEqual({
    kind: "changed",
    message: "it was written while it was read",
  });
  opened.close();
});

test("a file that says that it is empty and is not has no content", () => {
  const opened = new OpenedFile("/proc/self/status");
  expect(opened.size).toBe(0);
  expect(failureOf(() => readAll(opened))?.kind).toBe("changed");
  opened.close();
});

const INSTEAD: readonly { name: string; make: (place: string) => void; kind: string }[] = [
  { name: "nothing", make: () => {}, kind: "changed" },
  { name: "a link to a file", make: (place) => symlinkSync("/etc/passwd", place), kind: "changed" },
  { name: "a folder", make: (place) => mkdirSync(place), kind: "changed" },
  { name: "a FIFO", make: (place) => void succeed(["mkfifo", place]), kind: "changed" },
];

for (const { name, make, kind } of INSTEAD) {
  test(`case 61: ${name} in a listed file's place is a change, and is not read`, () => {
    const place = file();
    rmSync(place);
    make(place);
    expect(failureOf(() => void new OpenedFile(place))?.kind).toBe(kind);
  });
}

test("a file instead of the folder above is a change", () => {
  const place = file();
  expect(failureOf(() => void new OpenedFile(join(place, "below")))?.kind).toBe("changed");
});
