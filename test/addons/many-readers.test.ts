import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
import { switchCurrent } from "../../src/addons/on-host/current-link.ts";
import { Layout } from "../../src/addons/on-host/layout.ts";
import { safeName } from "../../src/addons/names.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { Host } from "./host.ts";

type Seen = { looks: number; wrong: string[] };

/** Starts one of the processes below and waits until it looks; then gives what tells what it saw, once it has ended. */
async function begun(program: string, path: string, done: string): Promise<() => Promise<Seen>> {
  const words = [process.execPath, "-e", program, path, done];
  const lines = Bun.spawn(words, { stdout: "pipe", stderr: "inherit" })
    .stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  expect((await lines.read()).value).toBe("begins\n");
  return async () => JSON.parse((await lines.read()).value ?? "");
}

/** A process that reads through `current` until it is told to end, and says how often, and what went wrong. */
const READER = `
  const { readFileSync, readlinkSync } = require("node:fs");
  const [path, done] = process.argv.slice(-2);
  let looks = 0;
  const wrong = [];
  console.log("begins");
  for (;;) {
    try {
      const text = readFileSync(path + "/current/program", "utf8");
      if (text !== "one" && text !== "two") wrong.push(text);
      readlinkSync(path + "/current");
      looks++;
    } catch (error) {
      wrong.push(error.code);
    }
    try { readFileSync(done); break; } catch {}
  }
  console.log(JSON.stringify({ looks, wrong: wrong.slice(0, 5) }));`;

test("readers never find nothing, or half of something, over a thousand switches", async () => {
  using folder = temporaryFolder();
  const paths = new Layout(folder.path, "waybill").addon(safeName("sample", "id"));
  for (const version of ["one", "two"]) {
    mkdirSync(paths.version(version), { recursive: true });
    writeFileSync(paths.binary(version, "program"), version);
  }
  switchCurrent(paths, "one");
  const done = folder.at("done");
  const readers = await Promise.all([
    begun(READER, paths.directory, done),
    begun(READER, paths.directory, done),
  ]);
  for (let index = 0; index < 1000; index++) {
    switchCurrent(paths, index % 2 === 0 ? "two" : "one");
    if (index % 100 === 0) await Bun.sleep(0);
  }
  writeFileSync(done, "");
  for (const reader of readers) {
    const seen = await reader();
    expect(seen.wrong).toEqual([]);
    expect(seen.looks).toBeGreaterThan(0);
  }
  expect(readlinkSync(paths.current)).toBe("versions/one");
});

/** A process that looks at a root, and says how often, and what went wrong. */
const LOOKER = `
  const { existsSync } = await import("node:fs");
  const { Layout } = await import(${JSON.stringify(sourceOf("on-host/layout.ts"))});
  const { readInventory } = await import(${JSON.stringify(sourceOf("on-host/inventory.ts"))});
  const { readLog } = await import(${JSON.stringify(sourceOf("audit/read-log.ts"))});
  const [root, done] = process.argv.slice(-2);
  const layout = new Layout(root, "waybill");
  const wrong = [];
  let looks = 0;
  console.log("begins");
  for (; !existsSync(done); looks++) {
    try {
      readInventory(layout, []);
      const log = new TextDecoder().decode(await readLog(layout.audit));
      if (!log.endsWith("\\n")) wrong.push("half a line");
    } catch (error) {
      wrong.push(String(error));
    }
  }
  console.log(JSON.stringify({ looks, wrong: wrong.slice(0, 5) }));`;

function sourceOf(path: string): string {
  return new URL(`../../src/addons/${path}`, import.meta.url).href;
}

test("whoever looks at a root goes on while versions vanish and the log grows", async () => {
  using folder = temporaryFolder();
  const layout = new Layout(folder.path, "waybill");
  const paths = layout.addon(safeName("sample", "id"));
  mkdirSync(paths.version("1"), { recursive: true });
  writeFileSync(layout.audit, "first\n");
  const done = folder.at("done");
  const looker = await begun(LOOKER, folder.path, done);
  for (let index = 0; index < 3_000; index++) {
    renameSync(paths.version("1"), folder.at("trash"));
    appendFileSync(layout.audit, "one more\n");
    renameSync(folder.at("trash"), paths.version("1"));
    if (index % 10 === 0) await Bun.sleep(0);
  }
  writeFileSync(done, "");
  const seen = await looker();
  expect(seen.wrong).toEqual([]);
  expect(seen.looks).toBeGreaterThan(0);
});

describe("sixteen processes on one root", () => {
  test("end well, do the work once, and leave one whole log", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"), host.program("other", "1"));
    const first = await Promise.all(Array.from({ length: 16 }, () => host.stage()));
    expect(first.map(({ exit }) => exit)).toEqual(Array.from({ length: 16 }, () => 0));
    expect(first.filter(({ document }) => document.addons[0]?.outcome === "staged")).toHaveLength(1);
    host.assign(host.program("sample", "2"), host.program("other", "1"));
    const mixed = await Promise.all([
      ...Array.from({ length: 8 }, async () => (await host.stage()).exit),
      ...Array.from({ length: 4 }, async () => (await host.addon("gc", ["--keep", "0"])).exit),
      ...Array.from({ length: 2 }, async () => (await host.addon("pin", ["other"])).exit),
      ...Array.from({ length: 2 }, async () => (await host.addon("fsck", ["--repair"])).exit),
    ]);
    expect(mixed).toEqual(Array.from({ length: 16 }, () => 0));
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/2");
    expect(await host.verify(["--key", host.publicKey])).toMatchObject({
      exit: 0,
      document: { audit: { ok: true } },
    });
    expect(host.log().filter(({ event }) => event === "staged")).toHaveLength(3);
  }, 60_000);
});
