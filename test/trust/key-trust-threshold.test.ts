import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { waybill } from "./run-waybill.ts";
import { adding, codeOf, verifyApp, withRoot } from "./with-root.ts";

describe("a root with two root keys", () => {
  test("waits as a draft until enough of them signed", async () => {
    await withRoot(["bob", "ci"], async (cwd, run) => {
      const two = await run(...adding("bob", "root"), "--threshold", "root=2", "--key", "root");
      expect(two.document).toMatchObject({
        ok: true,
        outcome: "draft",
        written: "root.json.next",
        version: 2,
      });
      expect(two.stderr).toContain("waybill key trust sign root.json.next");
      // Whoever is asked to sign it can look at it first.
      const shown = await run("list", "root.json.next", "--draft");
      expect(shown.document).toMatchObject({
        kind: "draft",
        version: 2,
        keys: [{ name: "root" }, { name: "bob" }],
      });
      expect(shown.document["signed_by"]).toHaveLength(1);
      expect(codeOf(await run("list", "root.json.next"))).toEqual([6, "threshold_not_met"]);
      // The held root is the old one until then, and nobody may put another change in the draft's place.
      expect((await run("list", "root.json")).document["version"]).toBe(1);
      const again = await run(...adding("ci", "build"), "--key", "root");
      expect(codeOf(again)).toEqual([2, "file_exists"]);
      expect(codeOf(await run("update", "root.json", "root.json.next"))).toEqual([6, "threshold_not_met"]);
      expect(codeOf(await run("sign", "root.json.next", "--key", "ci"))).toEqual([6, "key_not_authorised"]);
      expect((await run("sign", "root.json.next", "--key", "bob")).exit).toBe(0);
      const updated = await run("update", "root.json", "root.json.next");
      expect(updated.document).toMatchObject({ outcome: "updated", version: 2, thresholds: { root: 2 } });
      expect(existsSync(join(cwd, "root.json.next"))).toBe(false);

      // Without a key: a draft that nobody signed.
      const draft = await run(...adding("ci", "build"));
      expect(draft.document).toMatchObject({ outcome: "draft", version: 3 });
      await run("sign", "root.json.next", "--key", "bob");
      await run("sign", "root.json.next", "--key", "bob");
      expect(codeOf(await run("update", "root.json", "root.json.next"))).toEqual([6, "threshold_not_met"]);
      await run("sign", "root.json.next", "--key", "root");
      // The draft is known by any of its names.
      expect((await run("update", "root.json", "./root.json.next")).document["version"]).toBe(3);
      expect(existsSync(join(cwd, "root.json.next"))).toBe(false);
    });
  }, 60_000);

  test("a host takes a newer root only from the root that it holds, and never an older one", async () => {
    await withRoot(["bob", "mallory"], async (cwd, run) => {
      const held = readFileSync(join(cwd, "root.json"));
      writeFileSync(join(cwd, "held.json"), held);
      await run(...adding("bob", "build"), "--key", "root");
      expect((await run("update", "held.json", "root.json")).document).toMatchObject({
        outcome: "updated",
        version: 2,
      });
      expect((await run("update", "held.json", "root.json")).document).toMatchObject({
        outcome: "unchanged",
        version: 2,
      });
      writeFileSync(join(cwd, "old.json"), held);
      expect(codeOf(await run("update", "held.json", "old.json"))).toEqual([6, "trust_root_rollback"]);
      // Somebody else's root of a higher version, sound in itself.
      await run("init", "mallory.json", "--key", "mallory");
      for (const name of ["a", "b", "c"]) {
        createKeyFile(join(cwd, name));
        await run(...adding(name, "build", "mallory.json"), "--key", "mallory");
      }
      expect(codeOf(await run("update", "held.json", "mallory.json"))).toEqual([6, "threshold_not_met"]);

      await waybill(["sign", "app", "--key", "bob", "--format", "ssh"], { cwd });
      const state = ["--signature", "app.sig", "--trust-state", "state"];
      expect((await verifyApp(cwd, ...state)).exit).toBe(0);
      expect(JSON.parse(readFileSync(join(cwd, "state"), "utf8"))).toMatchObject({
        schema: "waybill.trust-seen/v1",
        version: 2,
      });
      writeFileSync(join(cwd, "root.json"), held);
      expect(codeOf(await verifyApp(cwd, ...state))).toEqual([6, "trust_root_rollback"]);
    });
  }, 60_000);
});

test("two of three keys must sign an artifact", async () => {
  await withRoot(["a", "b"], async (cwd, run) => {
    await run(...adding("a", "build"), "--key", "root");
    await run(...adding("b", "build"), "--threshold", "build=2", "--key", "root");
    await waybill(["sign", "app", "--key", "a", "--format", "ssh", "--out", "a.sig"], { cwd });
    await waybill(["sign", "app", "--key", "a", "--format", "minisign", "--out", "a.minisig"], { cwd });
    await waybill(["sign", "app", "--key", "b", "--format", "minisign", "--out", "b.minisig"], { cwd });
    expect(codeOf(await verifyApp(cwd, "--signature", "a.sig"))).toEqual([6, "threshold_not_met"]);
    expect(codeOf(await verifyApp(cwd, "--signature", "a.sig", "--signature", "a.minisig"))).toEqual([
      6,
      "threshold_not_met",
    ]);
    const both = await verifyApp(cwd, "--signature", "a.sig", "--signature", "b.minisig");
    expect(both.document).toMatchObject({ ok: true, checked: 2, accepted: [{ name: "a" }, { name: "b" }] });
  });
}, 30_000);

test("a root key that removes itself has signed the draft without it", async () => {
  await withRoot(["bob"], async (cwd, run) => {
    expect((await run(...adding("bob", "root"), "--key", "root")).exit).toBe(0);
    const removed = await run("remove", "root.json", "root", "--key", "root");
    expect(removed.document).toMatchObject({ ok: true, outcome: "draft" });
    // A root that comes from somewhere else leaves what is waiting.
    copyFileSync(join(cwd, "root.json"), join(cwd, "same.json"));
    expect((await run("update", "root.json", "same.json")).document["outcome"]).toBe("unchanged");
    expect((await run("sign", "root.json.next", "--key", "bob")).exit).toBe(0);
    const updated = await run("update", "root.json", "root.json.next");
    expect(updated.document).toMatchObject({ outcome: "updated", keys: [{ name: "bob" }] });
  });
});

test("a root key that leaves signs the draft without it as a key of the root that it replaces", async () => {
  await withRoot(["bob"], async (_cwd, run) => {
    const added = await run(...adding("bob", "root"), "--key", "root");
    expect(added.document).toMatchObject({ outcome: "in_place", version: 2 });
    expect((await run("remove", "root.json", "root")).document).toMatchObject({ outcome: "draft" });
    const sign = ["sign", "root.json.next", "--key", "root"];
    expect(codeOf(await run(...sign))).toEqual([6, "key_not_authorised"]);
    expect((await run(...sign, "--root", "root.json")).exit).toBe(0);
    expect((await run("sign", "root.json.next", "--key", "bob")).exit).toBe(0);
    const updated = await run("update", "root.json", "root.json.next");
    expect(updated.document).toMatchObject({ outcome: "updated", keys: [{ name: "bob" }] });
  });
});
