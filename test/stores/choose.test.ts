import { expect, test } from "bun:test";
import { chooseStore } from "../../src/stores/choose.ts";

const choice = { token: undefined, allowInsecureHttp: false, cwd: "/work" };

const taken: [string, string][] = [
  ["file:artifacts", "file:/work/artifacts"],
  ["file:/mnt/x", "file:/mnt/x"],
  ["file:///mnt/x%20y", "file:/mnt/x y"],
  ["https://store.example.com/a", "https://store.example.com/a"],
];
test.each(taken)("%p", (text, name) => {
  expect(chooseStore(text, choice).name).toBe(name);
});

const refused: [string, string][] = [
  ["", "invalid_value"],
  ["/mnt/x", "invalid_value"],
  ["file:", "invalid_value"],
  ["file://host/x", "url_invalid"],
  ["s3://bucket", "invalid_value"],
  ["oci://registry/x", "invalid_value"],
  ["nats://host", "invalid_value"],
  ["ftp://host/x", "invalid_value"],
  ["http://127.0.0.1/x", "url_invalid"],
  ["https://user@host/x", "url_invalid"],
  ["https://host/x?token=1", "url_invalid"],
];
test.each(refused)("refused: %p", (text, code) => {
  expect(() => chooseStore(text, choice)).toThrow(expect.objectContaining({ code }));
});

test("a store of a later build is named as such", () => {
  expect(() => chooseStore("oci://registry/x", choice)).toThrow("not in this build");
});

test("a file store takes no token", () => {
  expect(() => chooseStore("file:x", { ...choice, token: "secret-token-1" })).toThrow(
    expect.objectContaining({ code: "flags_contradict" }),
  );
});
