import { expect, test } from "bun:test";
import { AgentHost, STAYS } from "./agent-process.ts";

/** The clock of a server, so many seconds after a moment long past or far ahead. */
function clockOf(year: number): (seconds: number) => string {
  return (seconds) => new Date(Date.UTC(year, 0, 1) + seconds * 1_000).toUTCString();
}

test("a server whose clock is far ahead is asked again when its own clock says so", async () => {
  using host = new AgentHost();
  const at = clockOf(2090);
  const entry = host.program("small", "1", STAYS);
  let asked = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      if (++asked > 1) return Response.json({ addons: [entry] });
      return new Response("", { status: 503, headers: { date: at(0), "retry-after": at(1) } });
    },
  });
  try {
    host.start("--assignments", `http://127.0.0.1:${server.port}/list`, "--allow-insecure-http");
    await host.until(({ state }) => state === "running", "small");
    await host.stop();
  } finally {
    await server.stop(true);
  }
});

test("a server whose clock is far behind is not asked again before its own clock says so", async () => {
  using slow = new AgentHost();
  using other = new AgentHost();
  const at = clockOf(2020);
  const asked = { slow: 0, other: 0 };
  const first = Promise.withResolvers<void>();
  const tenth = Promise.withResolvers<void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => {
      if (new URL(url).pathname === "/other") {
        if (++asked.other === 10) tenth.resolve();
        return new Response("", { status: 503 });
      }
      asked.slow++;
      first.resolve();
      return new Response("", { status: 503, headers: { date: at(0), "retry-after": at(3_600) } });
    },
  });
  try {
    slow.start("--assignments", `http://127.0.0.1:${server.port}/slow`, "--allow-insecure-http");
    await first.promise;
    other.start("--assignments", `http://127.0.0.1:${server.port}/other`, "--allow-insecure-http");
    // One that nobody asked to wait came ten times by then, at the same interval.
    await tenth.promise;
    expect(asked.slow).toBe(1);
    await Promise.all([slow.stop(), other.stop()]);
  } finally {
    await server.stop(true);
  }
});
