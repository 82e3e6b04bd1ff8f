import { expect, test } from "bun:test";
import { appendFileSync, existsSync, rmSync, statSync, symlinkSync, truncateSync } from "node:fs";
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

/** Captures while `disturb` changes the context: after it was listed, before a file is read. */
async function captureDisturbed(
  root: string,
  disturb: (attempt: number) => void,
  archive: string | null = null,
): Promise<{ captured: ContextCapture; attempts: number }> {
  let attempts = 0;
  const request = { ...requestFor(root, archive), objectFormat: null };
  const captured = await captureContext(request, new AbortController().signal, () => disturb(++attempts));
  return { captured, attempts };
}

/** A stop signal that is asked again and again while a large file is read, and never set. */
function whileReading(act: () => void): AbortSignal {
  return Object.defineProperty(new AbortController().signal, "aborted", {
    get: () => {
      act();
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
  test(`case 61: a file that ${name} under the read is read again, and then the context is whole`, async () => {
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

for (const archive of [false, true]) {
  test(`case 61: a context that keeps losing files is unstable after the second try${archive ? ", and there is no archive" : ""}`, async () => {
    const root = plantFiles(newFolder(), { a: "a", b: "b" });
    const place = archive ? join(newFolder(), "context.tar") : null;
    const { captured, attempts } = await captureDisturbed(
      root,
      (attempt) => rmSync(join(root, attempt === 1 ? "a" : "b")),
      place,
    );
    expect(attempts).toBe(2);
    expect(captured.problem).toEqual({
      code: "unstable",
      message: '"b" changed during the capture: it does not exist',
    });
    expect([captured.items, captured.archive]).toEqual([null, null]);
    expect(place !== null && existsSync(place)).toBe(false);
  });

  for (const [name, change] of [
    ["growing", (place: string) => appendFileSync(place, "x")],
    ["shrinking", (place: string) => truncateSync(place, statSync(place).size - 1)],
  ] as const) {
    test(`case 61: a file that keeps ${name} is unstable${archive ? ", and there is no archive" : ""}`, async () => {
      const root = plantFiles(newFolder(), { large: "" });
      // Several reads long, so that the stop signal is asked between them.
      truncateSync(join(root, "large"), 9 * 2 ** 20);
      const place = archive ? join(newFolder(), "context.tar") : null;
      const stop = whileReading(() => change(join(root, "large")));
      const captured = await captureContext({ ...requestFor(root, place), objectFormat: null }, stop);
      expect(captured.problem).toEqual({
        code: "unstable",
        message: '"large" changed during the capture: its size changed while it was read',
      });
      expect(captured.items).toBeNull();
      expect(place !== null && existsSync(place)).toBe(false);
    });
  }
}

test("case 61: an unstable context is a null hash with that reason in the document, and a warning", async () => {
  const root = plantFiles(newFolder(), { large: "" });
  truncateSync(join(root, "large"), 9 * 2 ** 20);
  const stop = whileReading(() => appendFileSync(join(root, "large"), "x"));
  const request = { ...requestFor(root, null), repo: undefined, env: {}, gitBudgetMs: 1000 };
  const document = captureDocument(await capture(request, stop));
  expect(document.fields["working_tree_hash"]).toEqual({ value: null, source: "none", reason: "unstable" });
  expect(document.source_fields.working_tree_hash).toBeUndefined();
  expect(document.warnings.map((warning) => warning.code)).toContain("unstable");
});
