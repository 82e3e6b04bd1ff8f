import { expect, test } from "bun:test";
import { proxyFor } from "../../src/host/proxy.ts";

const P = "http://user:word@proxy.example:3128";
const cases: [string, Record<string, string>, string | null][] = [
  ["https://a.example/x", {}, null],
  ["https://a.example/x", { HTTPS_PROXY: P }, "HTTPS_PROXY"],
  ["https://a.example/x", { HTTPS_PROXY: P, https_proxy: P }, "https_proxy"],
  ["https://a.example/x", { HTTP_PROXY: P }, null],
  ["https://a.example/x", { ALL_PROXY: P }, "ALL_PROXY"],
  ["oci://a.example/x", { HTTPS_PROXY: P }, "HTTPS_PROXY"],
  ["http://127.0.0.1/x", { HTTP_PROXY: P }, null],
  ["https://a.example/x", { HTTPS_PROXY: P, NO_PROXY: "b.example, a.example" }, null],
  ["https://a.example/x", { HTTPS_PROXY: P, NO_PROXY: ".example" }, null],
  ["https://a.example/x", { HTTPS_PROXY: P, no_proxy: "*" }, null],
  ["https://a.example/x", { HTTPS_PROXY: P, NO_PROXY: "le" }, "HTTPS_PROXY"],
];
test.each(cases)("%p with %p", (url, environment, variable) => {
  const proxy = proxyFor(url, environment);
  expect(proxy?.variable ?? null).toBe(variable);
  if (proxy !== null) expect(proxy.shown).toBe("http://proxy.example:3128");
});
