import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytePathOf, type BytePath } from "../../src/context/byte-path.ts";
import { ContentCrew } from "../../src/context/content-crew.ts";
import { ContextFolder } from "../../src/context/context-folder.ts";
import type { ObjectFormat } from "../../src/context/contents.ts";
import { Turns } from "../../src/context/turns.ts";
import { Thread } from "../../src/host/threads.ts";
import { placeIn } from "./support/disk-tree.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();
const never = new AbortController().signal;

function at(root: string): ContextFolder {
  return new ContextFolder(bytePathOf(Buffer.from(root)));
}

function begun(crew: ContentCrew, format: ObjectFormat | null): ContentCrew {
  crew.begin(format);
  return crew;
}

/** More files than one batch has and than one thread is started for, of every size at which the reading differs. */
function manyFiles(root: string): Map<BytePath, Buffer> {
  const files = new Map<BytePath, Buffer>();
  const sizes = [0, 1, 511, 262_143, 262_144, 262_145, 4_194_304, 4_194_305, 9_000_000];
  for (let index = 0; index < 1500; index++) {
    const size = index % 200 === 0 ? (sizes[index / 200] ?? 7) : index % 50;
    const bytes = Buffer.alloc(size, `content of ${index} `);
    const name =
      index % 100 === 3
        ? Buffer.from([0x66, 0xff, 0x30 + (index % 10), index >> 6])
        : Buffer.from(`f${index}`);
    if (name.includes(0x2f) || name.includes(0)) continue;
    writeFileSync(placeIn(root, name), bytes);
    files.set(bytePathOf(name), bytes);
  }
  for (const [index, size] of sizes.entries()) {
    const bytes = Buffer.alloc(size, `edge ${index} `);
    writeFileSync(join(root, `edge-${index}`), bytes, { mode: index % 2 === 0 ? 0o755 : 0o644 });
    files.set(bytePathOf(Buffer.from(`edge-${index}`)), bytes);
  }
  return files;
}

for (const format of ["sha1", "sha256", null] as const satisfies readonly (ObjectFormat | null)[]) {
  test(`many files in several threads have the digests of their bytes (blobs: ${format})`, async () => {
    const root = newFolder();
    const files = manyFiles(root);
    const crew = begun(new ContentCrew(at(root), new Turns(never)), format);
    const numbers = [...files.keys()].map((name) => crew.add(name));
    await crew.finish();
    expect([...crew.failures()]).toEqual([]);
    for (const [index, bytes] of [...files.values()].entries()) {
      const number = numbers[index] ?? -1;
      const { sha256, blob, size } = crew.item(bytePathOf(Buffer.from("a")), number).content;
      const hash = (algorithm: string, head: string): string =>
        createHash(algorithm).update(head).update(bytes).digest("hex");
      expect([sha256, size]).toEqual([hash("sha256", "") as typeof sha256, bytes.length]);
      expect(blob === null ? null : Buffer.from(blob).toString("hex")).toBe(
        format === null ? null : hash(format, `blob ${bytes.length}\0`),
      );
    }
    crew.dispose();
  });
}

test("a few files and many are read alike, relative or absolute", async () => {
  const root = newFolder();
  mkdirSync(join(root, "größe"));
  const place = join(root, "größe", "ü");
  writeFileSync(place, "text", { mode: 0o755 });
  for (const around of [0, 2000]) {
    const crew = begun(new ContentCrew(at(join(root, "größe")), new Turns(never)), null);
    for (let index = 0; index < around; index++) crew.add(bytePathOf(Buffer.from("ü")));
    const [relative, absolute] = [
      crew.add(bytePathOf(Buffer.from("ü"))),
      crew.add(bytePathOf(Buffer.from(place))),
    ];
    await crew.finish();
    for (const number of [relative, absolute]) {
      const { content } = crew.item(bytePathOf(Buffer.from("ü")), number);
      expect(content).toMatchObject({ size: 4, executable: true });
      expect(content.sha256).toStartWith("982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1");
    }
    crew.dispose();
  }
});

test("each file that cannot be read says so, whichever thread it fell to", async () => {
  const root = newFolder();
  for (let index = 0; index < 3000; index++) writeFileSync(join(root, `f${index}`), `${index}`);
  const crew = begun(new ContentCrew(at(root), new Turns(never)), "sha1");
  const gone = new Set([0, 255, 256, 700, 1500, 2999]);
  for (const index of gone) rmSync(join(root, `f${index}`));
  for (let index = 0; index < 3000; index++) crew.add(bytePathOf(Buffer.from(`f${index}`)));
  await crew.finish();
  expect([...crew.failures()].map(({ path, failure }) => [path, failure.kind, failure.message])).toEqual(
    [...gone].map((index) => [bytePathOf(Buffer.from(`f${index}`)), "changed", "it does not exist"]),
  );
  crew.dispose();
});

test("a stop is seen in the middle of one large file", async () => {
  const root = newFolder();
  writeFileSync(join(root, "large"), "");
  truncateSync(join(root, "large"), 200 * 2 ** 30);
  const stop = new AbortController();
  const crew = begun(new ContentCrew(at(root), new Turns(stop.signal)), null);
  crew.add(bytePathOf(Buffer.from("large")));
  // The first turn that the reading leaves to anybody else.
  setImmediate(() => stop.abort("SIGTERM"));
  expect(await crew.finish().catch((error: unknown) => error)).toMatchObject({ code: "terminated" });
  crew.dispose();
});

test("files that threads are reading are given up when the crew is disposed of", async () => {
  const root = newFolder();
  // Two that no test could wait for: one falls to the other thread.
  for (const name of ["a", "b"]) {
    writeFileSync(join(root, name), "");
    truncateSync(join(root, name), 200 * 2 ** 30);
  }
  const script = `
    const { ContentCrew } = await import(${JSON.stringify(join(import.meta.dir, "../../src/context/content-crew.ts"))});
    const { ContextFolder } = await import(${JSON.stringify(join(import.meta.dir, "../../src/context/context-folder.ts"))});
    const { Turns } = await import(${JSON.stringify(join(import.meta.dir, "../../src/context/turns.ts"))});
    const stop = new AbortController();
    const crew = new ContentCrew(new ContextFolder(${JSON.stringify(root)}), new Turns(stop.signal));
    crew.begin(null);
    crew.add("a");
    crew.add("b");
    setTimeout(() => stop.abort("SIGTERM"), 50);
    await crew.finish().catch((error) => console.log(error.code));
    crew.dispose();
  `;
  const child = Bun.spawn([process.execPath, "-e", script], {
    stdout: "pipe",
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  expect(await new Response(child.stdout).text()).toBe("terminated\n");
  expect(await child.exited).toBe(0);
});

test("the program goes on while files are read", async () => {
  const root = newFolder();
  writeFileSync(join(root, "large"), "");
  truncateSync(join(root, "large"), 2 ** 28);
  const crew = begun(new ContentCrew(at(root), new Turns(never)), null);
  crew.add(bytePathOf(Buffer.from("large")));
  let [turns, isRead] = [0, false];
  const turn = (): void => {
    turns++;
    if (!isRead) setImmediate(turn);
  };
  setImmediate(turn);
  await crew.finish();
  isRead = true;
  expect(turns).toBeGreaterThan(3);
  crew.dispose();
});

test("a thread that dies is an accident for whoever waits for it, then and later", async () => {
  const thread = new Thread("context/content-worker");
  thread.tell({ kind: "batch", memory: "no memory" });
  const first = await thread.ask({ kind: "end" }).catch((error: unknown) => error);
  expect(first).toBeInstanceOf(Error);
  expect(String(first)).toContain("a thread failed");
  expect(await thread.ask({ kind: "end" }).catch((error: unknown) => error)).toBe(first);
  thread.end();
});

test("a file that nobody has read is no file without content", () => {
  const crew = begun(new ContentCrew(at(newFolder()), new Turns(never)), null);
  for (let index = 0; index < 256; index++) crew.add(bytePathOf(Buffer.from("missing")));
  expect(() => [...crew.failures()]).toThrow("a file was not read");
  crew.dispose();
});
