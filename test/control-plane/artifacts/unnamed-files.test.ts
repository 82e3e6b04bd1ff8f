import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import type { Sha256 } from "../../../src/base/digest.ts";
import { Failure } from "../../../src/base/failure.ts";
import { sha256Of } from "../../../src/base/hashing.ts";
import type { StagedBlob } from "../../../src/control-plane/artifacts/blob-store.ts";
import { FileBlobs } from "../../../src/control-plane/artifacts/file-blobs.ts";
import { WireRefusal } from "../../../src/control-plane/http/wire.ts";
import type { Database } from "../../../src/control-plane/storage/database.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { archive, rejection, withPlane, type Plane } from "../plane.ts";

/** Every file below, of the notes as well. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Keeps back the writes of a database, when it is told to, until so many of them are there. */
class Meeting {
  #wanted = 0;
  #arrived = 0;
  #all = Promise.withResolvers<void>();

  of(writes: number): void {
    [this.#wanted, this.#arrived, this.#all] = [writes, 0, Promise.withResolvers<void>()];
  }

  readonly wrap = (real: Database): Database => ({
    ...real,
    write: async (act) => {
      if (++this.#arrived === this.#wanted) this.#all.resolve();
      if (this.#wanted > 0) await this.#all.promise;
      return real.write(act);
    },
  });
}

describe("two uploads at once of which the quota takes one", () => {
  const store = async (plane: Plane, token: string, body: string): Promise<number> =>
    (await plane.call("PUT", `/v1/artifacts/${sha256Of(body)}`, { token, body })).status;

  const record = async (plane: Plane, token: string, context: Blob): Promise<number> => {
    const form = new FormData();
    form.set("image_name", "registry.example/app");
    form.set("image_tag", "1");
    form.set("agent_name", "codex");
    form.set("context_archive", context, "context.tar.gz");
    return (await plane.call("POST", "/v1/builds", { token, body: form })).status;
  };

  test("leave one artifact and no other file", async () => {
    const meeting = new Meeting();
    const work = async (plane: Plane): Promise<void> => {
      meeting.of(0);
      const token = await plane.token(["addons:write"]);
      meeting.of(2);
      const answers = await Promise.all(
        ["0123456789", "abcdefghij"].map((body) => store(plane, token, body)),
      );
      expect(answers.toSorted((a, b) => a - b)).toEqual([201, 413]);
      expect(filesIn(`${plane.folder}/artifacts`)).toHaveLength(1);
    };
    await withPlane(work, meeting.wrap, 15);
  });

  test("leave one context and no other file", async () => {
    const meeting = new Meeting();
    const contexts = [archive("one"), archive("two")];
    const work = async (plane: Plane): Promise<void> => {
      meeting.of(0);
      const token = await plane.token(["builds:write"]);
      meeting.of(2);
      const answers = await Promise.all(contexts.map((context) => record(plane, token, context)));
      expect(answers.toSorted((a, b) => a - b)).toEqual([200, 413]);
      expect(filesIn(`${plane.folder}/contexts`)).toHaveLength(1);
    };
    await withPlane(work, meeting.wrap, Math.max(...contexts.map(({ size }) => size)) + 5);
  });
});

describe("a file whose row", () => {
  const SHA = sha256Of("bytes");
  const REFUSED = new WireRefusal("quota_exceeded", "too much");

  type Store = {
    readonly named: Set<Sha256>;
    readonly blobs: FileBlobs;
    /** The store as the next process has it. */
    readonly again: FileBlobs;
    readonly staged: () => Promise<StagedBlob>;
    readonly files: () => string[];
  };

  async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
    using folder = temporaryFolder();
    const [kept, incoming] = [folder.at("kept"), folder.at("incoming")];
    mkdirSync(incoming);
    const named = new Set<Sha256>();
    const open = (): FileBlobs => new FileBlobs(kept, incoming, async (sha256) => named.has(sha256));
    const blobs = open();
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode("bytes");
    }
    await work({
      named,
      blobs,
      again: open(),
      staged: () => blobs.receive(bytes(), 100, "bytes"),
      files: () => filesIn(folder.path),
    });
  }

  test("is refused goes, and is there again for the next one", async () => {
    await withStore(async ({ named, staged, files }) => {
      expect(await rejection((await staged()).keep(() => Promise.reject(REFUSED)))).toBe(REFUSED);
      expect(files()).toEqual([]);
      const kept = await (await staged()).keep(async () => named.add(SHA).size);
      expect([kept, files()]).toEqual([1, [SHA]]);
      // Another row names the same bytes.
      expect(await rejection((await staged()).keep(() => Promise.reject(REFUSED)))).toBe(REFUSED);
      expect(files()).toEqual([SHA]);
    });
  });

  test("is refused does not go from under somebody who is about to name the same bytes", async () => {
    await withStore(async ({ named, staged, files }) => {
      const refused = Promise.withResolvers<never>();
      // It may be refused before anybody listens.
      refused.promise.catch(() => {});
      const first = rejection((await staged()).keep(() => refused.promise));
      const second = (await staged()).keep(async () => {
        await first;
        named.add(SHA);
      });
      refused.reject(REFUSED);
      await second;
      expect(files()).toEqual([SHA]);
    });
  });

  test.each([
    ["was committed, stays", true],
    ["was not, goes", false],
  ])("nobody knows of waits for the next start: one that %s", async (_what, isCommitted) => {
    await withStore(async ({ named, staged, files, again }) => {
      const unknown = new Failure("storage_failed", "the connection broke");
      expect(await rejection((await staged()).keep(() => Promise.reject(unknown)))).toBe(unknown);
      expect(files().toSorted()).toEqual([SHA, SHA]);
      if (isCommitted) named.add(SHA);
      await again.settle();
      expect(files()).toEqual(isCommitted ? [SHA] : []);
    });
  });

  test("was not written by a process that ended goes when the next one starts, and what has a row stays", async () => {
    await withStore(async ({ named, staged, files, again }) => {
      const reached = Promise.withResolvers<void>();
      void (await staged()).keep(() => {
        reached.resolve();
        return new Promise(() => {});
      });
      await reached.promise;
      expect(files().toSorted()).toEqual([SHA, SHA]);
      await again.settle();
      expect([files(), named.size]).toEqual([[], 0]);
    });
  });
});
