import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Host, type StageRun } from "./host.ts";

/** A control plane that answers a question with the tag of its list by 304, and counts. */
function plane(host: Host): {
  url: string;
  asked: (string | null)[];
  stop: () => Promise<void>;
  tag: () => string;
} {
  const asked: (string | null)[] = [];
  const tag = (): string => `"${Bun.hash(readFileSync(host.list)).toString(16)}"`;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const named = request.headers.get("if-none-match");
      asked.push(named);
      if (named === tag()) return new Response(null, { status: 304, headers: { etag: tag() } });
      return new Response(readFileSync(host.list), {
        headers: { etag: tag(), "content-type": "application/json" },
      });
    },
  });
  return { url: `http://127.0.0.1:${server.port}/list`, asked, stop: () => server.stop(true), tag };
}

describe("a list that did not change", () => {
  const stage = (host: Host, url: string): Promise<StageRun> =>
    host.stage(["--assignments", url, "--allow-insecure-http"]);

  test("is asked for by its tag, and not sent again", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    const server = plane(host);
    try {
      const first = server.tag();
      for (const outcome of ["staged", "unchanged", "unchanged"]) {
        const { document } = await stage(host, server.url);
        expect(document).toMatchObject({ assignments: "source", addons: [{ outcome }] });
      }
      expect(server.asked).toEqual([null, first, first]);
      host.assign(host.program("sample", "2"));
      expect((await stage(host, server.url)).document.addons).toMatchObject([
        { outcome: "staged", version: "2" },
      ]);
      // One that was changed here, or fetched elsewhere, is asked for whole.
      writeFileSync(join(host.root, "assignments.json"), '{"addons":[]}');
      await stage(host, server.url);
      await stage(host, `${server.url}?other`);
      expect(server.asked.slice(3)).toEqual([first, null, null]);
    } finally {
      await server.stop();
    }
  });

  test("304 to a question that named nothing is no list", async () => {
    using host = new Host();
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response(null, { status: 304 }),
    });
    try {
      const { document } = await stage(host, `http://127.0.0.1:${server.port}/`);
      expect(document.error).toMatchObject({ code: "answer_unexpected" });
    } finally {
      await server.stop(true);
    }
  });
});
