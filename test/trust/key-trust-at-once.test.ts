import { expect, test } from "bun:test";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { join } from "node:path";
import { loadTrustRoot, readDraft } from "../../src/trust/trust-root-file.ts";
import { adding, withRoot } from "./with-root.ts";

const WRITERS = 6;

test("of edits at the same time none is lost: each starts from what the one before it wrote", async () => {
  await withRoot([], async (cwd, run) => {
    const names = Array.from({ length: WRITERS }, (_, index) => `key-${index}`);
    for (const name of names) createKeyFile(join(cwd, name));
    const runs = await Promise.all(names.map((name) => run(...adding(name, "build"), "--key", "root")));
    expect(runs.map(({ exit }) => exit)).toEqual(names.map(() => 0));
    const { root } = loadTrustRoot(join(cwd, "root.json"));
    expect(root.version).toBe(1 + WRITERS);
    expect(root.keys.map(({ name }) => name).toSorted()).toEqual([...names, "root"].toSorted());
  });
});

test("of signatures that are added to a draft at the same time none is lost", async () => {
  const people = ["alice", "bob", "carol"];
  await withRoot(people, async (cwd, run) => {
    for (const name of people) expect((await run(...adding(name, "root"), "--key", "root")).exit).toBe(0);
    // Without a key it is a draft.
    expect((await run("remove", "root.json", "root")).exit).toBe(0);
    const draft = join(cwd, "root.json.next");
    const signed = await Promise.all(people.map((name) => run("sign", draft, "--key", name)));
    expect(signed.map(({ exit }) => exit)).toEqual([0, 0, 0]);
    expect(readDraft(draft).signers).toHaveLength(people.length);
  });
});
