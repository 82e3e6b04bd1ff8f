import { expect, test } from "bun:test";
import { appendFileSync, existsSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { capture } from "../../src/context/capture.ts";
import {
  captureContext,
  type ContextCapture,
  type ContextRequest,
} from "../../src/context/capture-context.ts";
import { captureDocument } from "../../src/context/capture-document.ts";
import { workingTreeHash } from "../../src/context/tree-digests.ts";
import { plantFiles } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();

/**
 * Captures while `disturb` changes the context. Reading asks the stop signal in the middle of the large file that
 * sorts first, once an attempt: after the context was listed, before the other files are read.
 */
async function captureDisturbed(
  root: string,
  disturb: (attempt: number) => void,
  archive: string | null = null,
): Promise<{ captured: ContextCapture; attempts: number }> {
  let attempts = 0;
  const stop = disturbing(root, () => disturb(++attempts));
  const captured = await captureContext({ ...requestFor(root, archive), objectFormat: null }, stop);
  return { captured, attempts };
}

function disturbing(root: string, disturb: () => void): AbortSignal {
  plantFiles(root, { "0-large": "" });
  // Asked for once: more than one turn's bytes and fewer than two turns'.
  truncateSync(join(root, "0-large"), 9 * 2 ** 20);
  return Object.defineProperty(new AbortController().signal, "aborted", {
    get: () => {
      disturb();
      return false;
    },
  });
}

function requestFor(root: string, archive: string | null): Omit<ContextRequest, "objectFormat"> {
  return {
    context: root,
    cwd: "/",
    dockerfile: undefined,
    ignoreFile: undefined,
    noIgnore: false,
    includeVcs: false,
    archive: archive === null ? null : { path: archive, compression: "none", mtime: 0 },
    outputs: [],
  };
}

const ONCE: readonly { name: string; act: (place: string) => void }[] = [
  { name: "vanishes", act: (place) => rmSync(place) },
  {
    name: "is replaced by a link",
    act: (place) => {
      rmSync(place);
      symlinkSync("b", place);
    },
  },
  {
    name: "is replaced by a folder",
    act: (place) => {
      rmSync(place);
      plantFiles(place, { inner: "x" });
    },
  },
];

for (const { name, act } of ONCE) {
  test(`a file that ${name} under the read is read again, and then the context is whole`, async () => {
    const root = plantFiles(newFolder(), { a: "a", b: "b" });
    const archive = join(newFolder(), "context.tar");
    const { captured, attempts } = await captureDisturbed(
      root,
      (attempt) => {
        if (attempt === 1) act(join(root, "a"));
      },
      archive,
    );
    expect(attempts).toBe(2);
    expect(captured.problem).toBeNull();
    const hash: string | null = workingTreeHash(captured.items ?? []).value;
    expect(hash).toBe(referenceTreeHash(leavesOf(root)));
    expect(captured.archive?.tarSha256).toMatch(/^[0-9a-f]{64}$/u);
  });
}

const FOR_EVER: readonly { name: string; act: (root: string, attempt: number) => void; message: string }[] = [
  {
    name: "keeps losing files",
    act: (root, attempt) => rmSync(join(root, attempt === 1 ? "a" : "b")),
    message: '"b" changed during the capture: it does not exist',
  },
  {
    name: "keeps growing",
    act: (root) => appendFileSync(join(root, "0-large"), "x"),
    message: '"0-large" changed during the capture: its size changed while it was read',
  },
  {
    name: "keeps shrinking",
    act: (root, attempt) => truncateSync(join(root, "0-large"), 9 * 2 ** 20 - attempt),
    message: '"0-large" changed during the capture: its size changed while it was read',
  },
];

for (const { name, act, message } of FOR_EVER) {
  test(`a context that ${name} is unstable after the second try: no hash, no archive`, async () => {
    const root = plantFiles(newFolder(), { a: "a", b: "b" });
    const archive = join(newFolder(), "context.tar");
    const { captured, attempts } = await captureDisturbed(root, (attempt) => act(root, attempt), archive);
    expect(attempts).toBe(2);
    expect(captured.problem).toEqual({ code: "unstable", message });
    expect([captured.items, captured.archive]).toEqual([null, null]);
    expect(existsSync(archive)).toBe(false);
  });
}

test("an unstable context is a null hash with that reason in the document, and a warning", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const stop = disturbing(root, () => appendFileSync(join(root, "0-large"), "x"));
  const request = { ...requestFor(root, null), repo: undefined, env: {}, gitBudgetMs: 1000 };
  const document = captureDocument(await capture(request, stop));
  expect(document.fields["working_tree_hash"]).toEqual({ value: null, source: "none", reason: "unstable" });
  expect(document.source_fields.working_tree_hash).toBeUndefined();
  expect(document.warnings.map((warning) => warning.code)).toContain("unstable");
});
