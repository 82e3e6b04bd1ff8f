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
import { sha256Of } from "../../src/base/hashing.ts";
import {
  ContentFailure,
  ContentReader,
  type ContentSink,
  type FileContent,
} from "../../src/context/contents.ts";
import { scratchFolders } from "./support/scratch.ts";
import { succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();
const never = new AbortController().signal;

function sinkThat(acts: Partial<ContentSink>): ContentSink {
  return { begin: () => {}, bytes: () => {}, ...acts };
}

async function failureOf(reading: Promise<FileContent>): Promise<{ kind: string; message: string } | null> {
  try {
    await reading;
    return null;
  } catch (error) {
    if (!(error instanceof ContentFailure)) throw error;
    return { kind: error.kind, message: error.message };
  }
}

function file(text: string | Uint8Array = "content"): string {
  const place = join(newFolder(), "file");
  writeFileSync(place, text);
  return place;
}

test("one read gives the sha256, the blob id, the size, the bit and every byte in order", async () => {
  const bytes = Buffer.alloc(700_001, "some pattern ");
  const place = file(bytes);
  const taken: Buffer[] = [];
  const begun: [number, boolean][] = [];
  const sink = sinkThat({
    begin: (size, executable) => void begun.push([size, executable]),
    bytes: (chunk) => void taken.push(Buffer.from(chunk)),
  });
  const content = await new ContentReader("sha1", never).read(place, sink);
  const blob = succeed(["git", "hash-object", "--no-filters", place]).toString().trim();
  expect(content).toMatchObject({ sha256: sha256Of(bytes), size: bytes.length, executable: false });
  expect(Buffer.from(content.blob ?? []).toString("hex")).toBe(blob);
  expect(begun).toEqual([[bytes.length, false]]);
  expect(Buffer.concat(taken).equals(bytes)).toBe(true);
});

test("without an object format there is no blob id", async () => {
  expect((await new ContentReader(null, never).read(file(), null)).blob).toBeNull();
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
  test(`a file that ${name} under the read has no content`, async () => {
    const place = file();
    const sink = sinkThat({ begin: () => act(place) });
    expect(await failureOf(new ContentReader(null, never).read(place, sink))).toEqual({
      kind: "changed",
      message,
    });
  });
}

test("a file that grows under the read gives the sink no byte more than it announced", async () => {
  const place = file(Buffer.alloc(300_000));
  let taken = 0;
  const sink = sinkThat({
    bytes: (chunk) => {
      taken += chunk.length;
      appendFileSync(place, Buffer.alloc(300_000));
    },
  });
  expect((await failureOf(new ContentReader(null, never).read(place, sink)))?.kind).toBe("changed");
  expect(taken).toBeLessThanOrEqual(300_000);
});

test("a file that is only removed under the read is still the file that was opened", async () => {
  const place = file();
  const content = await new ContentReader(null, never).read(place, sinkThat({}));
  expect(content.sha256).toBe(sha256Of("content"));
});

const INSTEAD: readonly { name: string; make: (place: string) => void; kind: string }[] = [
  { name: "nothing", make: () => {}, kind: "changed" },
  { name: "a link to a file", make: (place) => symlinkSync("/etc/passwd", place), kind: "changed" },
  { name: "a folder", make: (place) => mkdirSync(place), kind: "changed" },
  { name: "a FIFO", make: (place) => void succeed(["mkfifo", place]), kind: "changed" },
];

for (const { name, make, kind } of INSTEAD) {
  test(`${name} in a listed file's place is a change, and is not read`, async () => {
    const place = file();
    rmSync(place);
    make(place);
    let begun = false;
    const sink = sinkThat({ begin: () => (begun = true) });
    expect((await failureOf(new ContentReader(null, never).read(place, sink)))?.kind).toBe(kind);
    expect(begun).toBe(false);
  });
}

test("a stop is seen in the middle of one large file", async () => {
  const place = file();
  truncateSync(place, 64 * 2 ** 20);
  const stop = new AbortController();
  let taken = 0;
  const sink = sinkThat({
    bytes: (chunk) => {
      taken += chunk.length;
      stop.abort("SIGTERM");
    },
  });
  const reading = new ContentReader(null, stop.signal).read(place, sink);
  expect(await reading.catch((error: unknown) => error)).toMatchObject({ code: "terminated" });
  expect(taken).toBeLessThan(32 * 2 ** 20);
});
