import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Failure } from "../../src/base/failure.ts";
import { proxyFor } from "../../src/host/proxy.ts";

const PROXY = "http://proxy.example:3128";

function through(url: string, env: Record<string, string>, chosen?: string): string | null {
  const proxy = proxyFor(new URL(url), chosen, env);
  return proxy === null ? null : `${proxy.shown} ${proxy.from}`;
}

describe("which proxy", () => {
  test.each([
    ["none is set", {}, null],
    ["the one for https", { HTTPS_PROXY: PROXY }, "proxy.example:3128 $HTTPS_PROXY"],
    [
      "small letters first",
      { HTTPS_PROXY: "http://b:1", https_proxy: PROXY },
      "proxy.example:3128 $https_proxy",
    ],
    ["the one for all", { ALL_PROXY: PROXY }, "proxy.example:3128 $ALL_PROXY"],
    [
      "the closer one before the one for all",
      { ALL_PROXY: "http://b:1", HTTPS_PROXY: PROXY },
      "proxy.example:3128 $HTTPS_PROXY",
    ],
    ["not the one for http", { HTTP_PROXY: PROXY, http_proxy: PROXY }, null],
    ["an empty one is none", { HTTPS_PROXY: "" }, null],
    ["without a scheme", { HTTPS_PROXY: "proxy.example:3128" }, "proxy.example:3128 $HTTPS_PROXY"],
    ["without a port", { HTTPS_PROXY: "https://proxy.example/" }, "proxy.example:443 $HTTPS_PROXY"],
  ])("%s", (_what, env, wanted) => {
    expect(through("https://cp.example/", env)).toBe(wanted);
  });

  test("a flag comes before every variable, and none means none", () => {
    const env = { HTTPS_PROXY: "http://b:1", NO_PROXY: "*" };
    expect(through("https://cp.example/", env, PROXY)).toBe("proxy.example:3128 --proxy");
    expect(through("https://cp.example/", { HTTPS_PROXY: PROXY }, "none")).toBe(null);
  });

  test.each(["http://127.0.0.1:1/", "http://localhost/", "https://[::1]/", "https://127.8.9.10/"])(
    "none for %s, whatever is set",
    (url) => {
      expect(through(url, { HTTPS_PROXY: PROXY, http_proxy: PROXY, ALL_PROXY: PROXY })).toBe(null);
      expect(through(url, {}, PROXY)).toBe(null);
    },
  );
});

describe("NO_PROXY", () => {
  test.each([
    ["*", true],
    ["cp.example", true],
    ["CP.Example", true],
    [".example", true],
    ["*.example", true],
    ["example", true],
    ["ample", false],
    ["p.example", false],
    ["x.cp.example", false],
    ["a, cp.example ,b", true],
    ["a cp.example", true],
    ["cp.example:8443", true],
    ["cp.example:443", false],
    ["", false],
    [",", false],
  ])("%j exempts the host: %p", (list, is) => {
    expect(through("https://cp.example:8443/", { HTTPS_PROXY: PROXY, NO_PROXY: list }) === null).toBe(is);
    expect(
      through("https://cp.example:8443/", { HTTPS_PROXY: PROXY, no_proxy: list, NO_PROXY: "x" }) === null,
    ).toBe(is);
  });

  test.each([
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "11.1.2.3", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["2.3", "10.1.2.3", false],
    [".1.2.3", "10.1.2.3", false],
    ["10.1.2.0/31", "10.1.2.1", true],
    ["10.1.2.0/31", "10.1.2.2", false],
    ["0.0.0.0/0", "10.1.2.2", true],
    ["10.0.0.0/33", "10.1.2.2", false],
    ["10.0.0.0/", "10.1.2.2", false],
    ["[fd00::1]", "[fd00::1]", true],
    ["[fd00::1]:443", "[fd00::1]", true],
    ["[fd00::1]:8443", "[fd00::1]", false],
    ["fd00::1", "[fd00::1]", true],
    ["fd00::1", "[fd00::2]", false],
  ])("%s and the address %s: %p", (list, host, is) => {
    expect(through(`https://${host}/`, { HTTPS_PROXY: PROXY, NO_PROXY: list }) === null).toBe(is);
  });
});

test.each([
  "socks5://user:hunter2hunter2@b:1",
  "http://",
  "http://user:hunter2hunter2@b:1/path",
  "http://b:1?hunter2hunter2",
  "b b:hunter2hunter2",
  "http://hunter2hunter2:x:y:z",
  "://",
])("%s cannot be used, and is not shown", (text) => {
  for (const [env, chosen] of [
    [{ HTTPS_PROXY: text }, undefined],
    [{}, text],
  ] as const) {
    let thrown: unknown;
    try {
      proxyFor(new URL("https://cp.example/"), chosen, env);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Failure);
    expect((thrown as Failure).code).toBe("input_invalid");
    expect(JSON.stringify((thrown as Failure).toDocument())).not.toContain("hunter2");
  }
});

test("a password is known in both its spellings, and never shown", () => {
  const proxy = proxyFor(new URL("https://cp.example/"), "http://user:p%40ss%20word@b:1", {});
  expect(proxy?.secrets).toEqual(["p%40ss%20word", "p@ss word"]);
  expect(`${proxy?.shown} ${proxy?.from}`).not.toContain("ss");
});

test("whatever stands there is a proxy, none, or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, list) => {
      try {
        proxyFor(new URL("https://cp.example/"), undefined, { HTTPS_PROXY: text, NO_PROXY: list });
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
      }
    }),
  );
});
