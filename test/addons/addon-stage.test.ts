import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Host } from "./host.ts";

const isRoot = process.geteuid?.() === 0;

async function withOverride(
  host: Host,
  text: string,
  spoil = (_path: string): void => {},
): ReturnType<Host["stage"]> {
  const path = join(host.home, "addons.local.json");
  writeFileSync(path, text);
  spoil(path);
  host.assign(host.program("sample", "1"));
  return host.stage(["--override", path]);
}

describe("the override file", () => {
  const disable = '{"addons":[{"addon_id":"sample","enabled":false}]}';

  test("is obeyed", async () => {
    using host = new Host();
    expect((await withOverride(host, disable)).document.addons).toMatchObject([{ outcome: "disabled" }]);
  });

  test("that is missing is none", async () => {
    using host = new Host();
    const { document } = await withOverride(host, disable, (path) => rmSync(path));
    expect(document).toMatchObject({ warnings: [], addons: [{ outcome: "staged" }] });
  });

  const ignored: [string, string, (path: string) => void][] = [
    ["malformed", "{", () => {}],
    ["of wrong types", '{"addons":[{"addon_id":"sample","enabled":"no"}]}', () => {}],
    ["that everybody may write", disable, (path) => chmodSync(path, 0o666)],
    ["that is a folder", disable, (path) => (rmSync(path), mkdirSync(path))],
    [
      "that is a link",
      disable,
      (path) => (renameSync(path, `${path}.real`), symlinkSync(`${path}.real`, path)),
    ],
  ];
  test.each(ignored)("case 70: %s is ignored, loudly", async (_name, text, spoil) => {
    using host = new Host();
    const { exit, document, stderr } = await withOverride(host, text, spoil);
    expect(exit).toBe(0);
    expect(document.addons).toMatchObject([{ outcome: "staged" }]);
    expect(document.warnings.map((warning) => warning.code)).toEqual(["override_ignored"]);
    expect(stderr).toContain("is ignored");
  });

  test.skipIf(!isRoot)("that a group of others may write is ignored, loudly; our own may", async () => {
    using host = new Host();
    const codes = async (group: number): Promise<string[]> => {
      const { document } = await withOverride(host, disable, (path) => {
        chownSync(path, 0, group);
        chmodSync(path, 0o664);
      });
      return document.warnings.map(({ code }) => code);
    };
    expect(await codes(12_345)).toEqual(["override_ignored"]);
    expect(await codes(0)).toEqual([]);
  });

  test.skipIf(!isRoot)("of somebody else is ignored, loudly", async () => {
    using host = new Host();
    const { document } = await withOverride(host, disable, (path) => chownSync(path, 12_345, 0));
    expect(document.warnings.map((warning) => warning.code)).toEqual(["override_ignored"]);
  });
});

describe("usage", () => {
  const wrong: [string, string[], string][] = [
    ["an unknown flag", ["--frobnicate"], "unknown_flag"],
    ["a platform that is none", ["--platform", "linux"], "invalid_value"],
    ["a key of zeros", ["--key", "0".repeat(64)], "key_weak"],
    ["a store that is none", ["--store", "/mnt/x"], "invalid_value"],
    ["a store of another kind", ["--store", "gopher://bucket"], "invalid_value"],
    ["a store over plain http", ["--store", "http://127.0.0.1:1/x"], "url_invalid"],
    [
      "a store elsewhere over http, allowed or not",
      ["--store", "http://example.com", "--allow-insecure-http"],
      "url_invalid",
    ],
    ["a token without a store", ["--no-store", "--store-token-env", "T"], "flags_contradict"],
    ["a token for a file", ["--token-env", "T"], "flags_contradict"],
    ["assignments by another scheme", ["--assignments", "ftp://x/y"], "url_invalid"],
    ["a list that is missing", ["--assignments", "/nonexistent.json"], "file_unreadable"],
    ["a time without a unit", ["--lock-timeout", "5"], "invalid_value"],
  ];
  test.each(wrong)("%s is 2, and nothing is made", async (_name, extra, code) => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    const { exit, document } = await host.stage(extra, { T: "secret-token-1" });
    expect(document.error?.code).toBe(code);
    expect(exit).toBe(2);
    expect(existsSync(host.root)).toBe(false);
  });

  test("an empty list is a host with nothing to run", async () => {
    using host = new Host();
    host.assign();
    const { exit, document } = await host.stage();
    expect(exit).toBe(0);
    expect(document).toMatchObject({ ok: true, checked: 0, addons: [], warnings: [] });
  });
});
