import { describe, expect, test } from "bun:test";
import { Host } from "../addons/host.ts";
import { scriptedServer, type Step } from "../support/scripted-server.ts";
import { against, failed, PROGRAM, stage, succeeded, whole } from "./against.ts";

describe("a server that asks for patience", () => {
  test("by 429 and seconds", async () => {
    await against([{ status: 429, headers: { "retry-after": "1" } }, whole], succeeded);
  });
  test("by 503 and a date that is past", async () => {
    const headers = { "retry-after": "Fri, 20 Nov 2020 08:00:00 GMT" };
    await against([{ status: 503, headers }, whole], succeeded);
  });
  test("for longer than the budget is left at once", async () => {
    await against({ status: 429, headers: { "retry-after": "3600" } }, (tried) => {
      failed(tried, "rate_limited", 13);
      expect(tried.requests).toHaveLength(1);
      expect(tried.run.document.addons[0]?.error?.hint).toContain("Retry-After 3600");
    });
  });
  const bursts: [number, string][] = [
    [408, "server_failed"],
    [425, "server_failed"],
    [429, "rate_limited"],
    [500, "server_failed"],
    [503, "server_failed"],
  ];
  test.each(bursts)("by %p gets it", async (status) => {
    await against([{ status }, whole], succeeded);
  });
  test.each(bursts)("by %p without end is left", async (status, code) => {
    await against({ status }, (tried) => failed(tried, code, 13), ["--retry-budget", "0s"]);
  });
  test("is left after three tries", async () => {
    await against({ status: 500 }, (tried) => expect(tried.requests).toHaveLength(3));
  });
});

describe("what is only true later", () => {
  test("404, and there in the next run", async () => {
    using host = new Host();
    const entry = host.program("app", "1.0", PROGRAM);
    host.assign(entry);
    const route = `GET /${String(entry["artifact_object_key"])}`;
    await using server = await scriptedServer({ [route]: [{ status: 404 }, whole] });
    expect((await stage(host, server)).exit).toBe(7);
    expect((await stage(host, server, ["--retry-now"])).exit).toBe(0);
  });
  test("401 with an old token, and taken with the new one; neither is told", async () => {
    using host = new Host();
    const entry = host.program("app", "1.0", PROGRAM);
    host.assign(entry);
    const byToken: Step = ({ headers }) =>
      headers["authorization"] === "Bearer token-number-2"
        ? whole
        : { status: 401, body: "token-number-1 expired" };
    await using server = await scriptedServer({ [`GET /${String(entry["artifact_object_key"])}`]: byToken });
    const flags = ["--store-token-env", "TOKEN"];
    const refused = await stage(host, server, flags, { TOKEN: "token-number-1" });
    expect(refused.exit).toBe(4);
    expect(`${refused.stderr}${JSON.stringify(refused.document)}`).not.toContain("token-number");
    expect((await stage(host, server, ["--retry-now", ...flags], { TOKEN: "token-number-2" })).exit).toBe(0);
  });
});
