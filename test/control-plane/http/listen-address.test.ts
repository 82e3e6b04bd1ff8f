import { describe, expect, test } from "bun:test";
import { isLocal, readListenAddress, shownAddress } from "../../../src/control-plane/http/listen-address.ts";
import { dataDirectoryPath } from "../../../src/control-plane/storage/data-directory.ts";

describe("an address to listen on", () => {
  const taken: readonly (readonly [string, string, boolean])[] = [
    ["127.0.0.1:7070", "http://127.0.0.1:7070", true],
    ["127.9.9.9:0", "http://127.9.9.9:0", true],
    ["localhost:80", "http://localhost:80", true],
    ["[::1]:7070", "http://[::1]:7070", true],
    ["0.0.0.0:7070", "http://0.0.0.0:7070", false],
    ["[::]:7070", "http://[::]:7070", false],
    ["cp.example.org:443", "http://cp.example.org:443", false],
    ["127.example.org:443", "http://127.example.org:443", false],
    ["unix:/run/w.sock", "unix:/run/w.sock", true],
    ["unix:w.sock", "unix:/work/w.sock", true],
  ];
  for (const [text, shown, local] of taken) {
    test(text, () => {
      const address = readListenAddress(text, "/work");
      expect(shownAddress(address, address.kind === "tcp" ? address.port : 0, false)).toBe(shown);
      expect(isLocal(address)).toBe(local);
    });
  }

  const refused = [
    "7070",
    ":7070",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "::1:7070",
    "[127.0.0.1]:1",
    "[]:1",
    "http://127.0.0.1:7070",
    "a b:1",
    "-x:1",
    "unix:",
    `unix:/${"x".repeat(110)}`,
    "127.0.0.1:7070\n",
  ];
  for (const text of refused) {
    test(`${JSON.stringify(text)} is refused`, () => {
      expect(() => readListenAddress(text, "/work")).toThrow(
        expect.objectContaining({ code: "invalid_value" }),
      );
    });
  }
});

describe("the data folder", () => {
  const cases: readonly (readonly [string, string | undefined, Record<string, string>, boolean, string])[] = [
    ["of the flag", "d", { HOME: "/h" }, true, "/work/d"],
    ["of root", undefined, { HOME: "/h", XDG_DATA_HOME: "/x" }, true, "/var/lib/waybill/control-plane"],
    ["of XDG_DATA_HOME", undefined, { HOME: "/h", XDG_DATA_HOME: "/x" }, false, "/x/waybill"],
    [
      "of HOME, a relative XDG_DATA_HOME aside",
      undefined,
      { HOME: "/h", XDG_DATA_HOME: "x" },
      false,
      "/h/.local/share/waybill",
    ],
  ];
  for (const [name, flag, env, root, wanted] of cases) {
    test(name, () => expect(dataDirectoryPath(flag, env, "/work", root)).toBe(wanted));
  }

  test("of nobody is refused", () => {
    expect(() => dataDirectoryPath(undefined, {}, "/work", false)).toThrow(
      expect.objectContaining({ code: "data_dir_invalid" }),
    );
  });
});
