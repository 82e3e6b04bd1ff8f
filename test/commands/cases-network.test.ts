import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { writeFileSync } from "node:fs";
import { Board, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { PROMOTE_WORDS, runCase, runOn, TOKEN, VERIFY_WORDS } from "../pins/case-run.ts";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runWaybill } from "../support/binary.ts";
import { CAN_MAKE_CERTIFICATES, makeCertificates } from "../support/certificates.ts";
import { closedPort, rawServer } from "../support/raw-server.ts";
import { scriptedServer, type Answer, type Plan } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";

const LOST: Answer = { send: "nothing", then: "reset" };
const STALL: Answer = { send: "nothing", then: "stall" };
const board = (make: (it: Board) => Plan): Plan => make(new Board(OLD));

describe("network and TLS", () => {
  test("case 1: a name that nobody knows is asked again, then 12, and told with its host", async () => {
    const flags = ["--timeout", "1s", "--retry-interval", "400ms"];
    const run = await runOn(PROMOTE_WORDS, "https://nowhere.invalid", flags);
    expect(run.stderr).toContain("nowhere.invalid");
    // A resolver that answers nothing at all within the attempt looks like one that is slow.
    if (run.leg.error?.code === "deadline_passed") expect(run.code).toBe(12);
    else {
      expect(run.told).toMatch(/^failed 12 name_not_resolved: GET( GET)+$/u);
      expect(run.stderr).toContain("the URL is from --target prod");
    }
    const env = { CP_HOST: "nowhere.invalid", CP_ADMIN_API_TOKEN: TOKEN, TEMPLATE_NAME: "codex" };
    const seed = await runWaybill(["verify"], { env: { ...env, EXPECTED_DIGEST: NEW } });
    expect(seed.code).toBe(12);
    if (seed.stderr.includes("was not found")) expect(seed.stderr).toContain("the URL is from $CP_HOST");
  });

  test("case 2: a refused connection is 12, without a trace", async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const run = await runOn(PROMOTE_WORDS, url, ["--timeout", "1s", "--retry-interval", "400ms"]);
    expect(run.told).toMatch(/^failed 12 connection_failed: GET( GET)*$/u);
    expect(run.stderr).not.toMatch(/\n\s+at /u);
  });

  test("case 3: a reset after the write was sent is decided by reading", async () => {
    const landed = await runCase(
      PROMOTE_WORDS,
      board((it) => ({ [LIST]: it.list, [PROMOTE]: it.applied(LOST) })),
    );
    expect(landed.told).toBe("landed_after_lost_response 0: GET POST GET");
    const again = await runCase(
      PROMOTE_WORDS,
      board((it) => ({ [LIST]: it.list, [PROMOTE]: [LOST, it.promote] })),
      ["--timeout", "20s"],
    );
    expect(again.told).toBe("landed 0: GET POST GET GET POST GET");
    const open = await runCase(PROMOTE_WORDS, { [LIST]: listing(row(OLD)), [PROMOTE]: LOST }, [
      "--timeout",
      "300ms",
    ]);
    expect(open.told).toMatch(/^outcome_unknown 14 outcome_unknown: GET POST GET/u);
  });

  test("case 4: a write that is applied after its answer was given up is found by reading on", async () => {
    const run = await runCase(
      PROMOTE_WORDS,
      { [LIST]: [OLD, OLD, OLD, NEW].map((digest) => listing(row(digest))), [PROMOTE]: STALL },
      ["--attempt-timeout", "400ms", "--timeout", "500ms", "--for", "2s"],
    );
    expect(run.told).toMatch(/^landed_after_lost_response 0: GET POST GET/u);
  });

  test("case 5: a write that was accepted and cannot be read back is 14, and not a failed promotion", async () => {
    const run = await runCase(
      PROMOTE_WORDS,
      { [LIST]: [listing(row(OLD)), STALL], [PROMOTE]: { body: "{}" } },
      ["--attempt-timeout", "400ms", "--timeout", "600ms"],
    );
    expect(run.told).toMatch(/^written_unverified 14 written_unverified: GET POST GET/u);
    expect(run.stderr).toContain("the promotion was accepted, and nothing proves that it landed");
  });

  test("case 6: a body that trickles in is over when the attempt is, though something always comes", async () => {
    const trickle: Answer = { ...listing(row(NEW)), send: "trickle" };
    const run = await runCase(VERIFY_WORDS, { [LIST]: trickle }, ["--attempt-timeout", "300ms"]);
    expect(run.told).toBe("failed 12 deadline_passed: GET");
  });

  test.each([
    ["headers that never come", STALL],
    ["a body that stops", { ...listing(row(NEW)), bodyBytes: 20, then: "stall" } satisfies Answer],
  ])("case 6: %s end with the attempt's own deadline", async (_what, answer) => {
    const run = await runCase(VERIFY_WORDS, { [LIST]: answer }, ["--attempt-timeout", "50ms"]);
    expect(run.told).toBe("failed 12 deadline_passed: GET");
    expect(run.leg.error?.message).toContain("within 50 ms");
  });

  test("case 7: a listing that is cut off is malformed, and read again", async () => {
    const cut: Answer = { ...listing(row(NEW)), framing: "close", bodyBytes: 30 };
    expect((await runCase(VERIFY_WORDS, { [LIST]: cut })).told).toBe("failed 10 answer_not_json: GET");
    expect((await runCase(PROMOTE_WORDS, { [LIST]: [cut, listing(row(NEW))] })).told).toBe(
      "already 0: GET GET",
    );
  });

  test("case 8: a body without end, and one that would swell, stop at the ceiling", async () => {
    const endless = await runCase(VERIFY_WORDS, { [LIST]: { send: "endless" } }, ["--timeout", "20s"]);
    expect(endless.told).toBe("failed 10 answer_too_large: GET");
    const bomb: Answer = {
      body: gzipSync(Buffer.alloc(50_000_000, " ")),
      headers: { "content-encoding": "gzip" },
    };
    expect((await runCase(VERIFY_WORDS, { [LIST]: bomb })).told).toBe("failed 10 answer_malformed: GET");
  });

  test("case 8: and take little memory", async () => {
    const peak = async (answer: Answer): Promise<number> => {
      await using server = await scriptedServer({ [LIST]: answer });
      const flags = ["--template", "codex", "--digest", NEW, "--target", `prod=${server.url}`];
      const child = Bun.spawn([...PROGRAM, "verify", "pin", ...flags, "--allow-insecure-http", "--quiet"], {
        env: { ...CLEAN_ENVIRONMENT, WAYBILL_TOKEN_PROD: TOKEN },
        stdout: "ignore",
        stderr: "ignore",
      });
      await child.exited;
      return child.resourceUsage()?.maxRSS ?? Number.POSITIVE_INFINITY;
    };
    const usual = await peak(listing(row(NEW)));
    expect((await peak({ send: "endless" })) - usual).toBeLessThan(64_000_000);
    // In members of a megabyte: a child starts with the peak of its parent, which must not hold the whole.
    const member = gzipSync(Buffer.alloc(1_000_000, " "));
    const body = Buffer.concat(Array.from({ length: 700 }, () => member));
    const bomb = { body, headers: { "content-encoding": "gzip" } };
    expect((await peak(bomb)) - usual).toBeLessThan(64_000_000);
  });

  describe.skipIf(!CAN_MAKE_CERTIFICATES)("certificates (needs openssl)", () => {
    test("case 9: one that is over, foreign or unknown is 12 at once, with a hint", async () => {
      using folder = temporaryFolder();
      const made = makeCertificates(folder);
      writeFileSync(folder.at("authority.pem"), made.ca);
      const cacert = ["--cacert", folder.at("authority.pem")];
      const rows = [
        [made.expired, cacert, "clock"],
        [made.foreign, cacert, "another name"],
        [made.server, [], "--cacert"],
      ] as const;
      for (const [certificate, flags, hint] of rows) {
        await using server = await scriptedServer({ [LIST]: listing(row(NEW)) }, certificate);
        const run = await runOn(VERIFY_WORDS, server.url, [...flags, "--for", "1h", "--timeout", "1h"]);
        expect(run.told).toBe("failed 12 tls_failed: GET");
        expect(run.leg.error?.hint).toContain(hint);
        expect(server.requests).toHaveLength(0);
      }
    });

    test("case 10: NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing but a warning", async () => {
      using folder = temporaryFolder();
      await using server = await scriptedServer(
        { [LIST]: listing(row(NEW)) },
        makeCertificates(folder).server,
      );
      const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
      const run = await runOn(VERIFY_WORDS, server.url, [], { env });
      expect(run.told).toBe("failed 12 tls_failed: GET");
      expect(run.stderr).toContain("warning: NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored");
      expect(server.requests).toHaveLength(0);
    });
  });

  test("case 9: a port that speaks no TLS is 12 at once", async () => {
    await using server = await rawServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const run = await runOn(PROMOTE_WORDS, `https://${server.url.host}`, ["--timeout", "1h"]);
    expect(run.told).toBe("failed 12 tls_broken: GET");
    expect(run.leg.error?.message).toContain("speaks no TLS");
  });

  test.each([
    [
      "407",
      "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    ],
    ["502", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"],
  ])(
    "case 11: a proxy that answers %s is 12, with its name and never its password",
    async (status, answer) => {
      await using proxy = await rawServer((socket) => socket.end(answer));
      const env = { HTTPS_PROXY: `http://user:word-of-the-proxy@${proxy.url.host}` };
      const run = await runOn(
        PROMOTE_WORDS,
        "https://cp.example",
        ["--timeout", "20s", "--retry-interval", "1h"],
        {
          env,
        },
      );
      expect(run.told).toStartWith("failed 12 proxy_failed: GET");
      expect(run.stderr).toContain(`via proxy ${proxy.url.host} ($HTTPS_PROXY)`);
      expect(run.stderr).toContain(status);
      expect(run.leg).toMatchObject({ proxy: { address: proxy.url.host, from: "$HTTPS_PROXY" } });
      expect(run.stdout + run.stderr).not.toContain("word-of-the-proxy");
      expect(proxy.received.join("")).not.toContain(TOKEN);
    },
  );

  test("case 13: an address where nobody listens is passed over for the next one of the name", async () => {
    // localhost is ::1 too on most machines, and there nobody listens.
    await using server = await scriptedServer({ [LIST]: listing(row(NEW)) });
    const run = await runOn(VERIFY_WORDS, `http://localhost:${server.port}`);
    expect(run.told).toBe("matches 0: GET");
  });

  test("case 13: a connection that leads nowhere ends with the attempt, and all of them with the budget", async () => {
    await using server = await rawServer(() => {});
    const url = `https://${server.url.host}`;
    const run = await runOn(PROMOTE_WORDS, url, ["--attempt-timeout", "200ms", "--timeout", "500ms"]);
    expect(run.told).toMatch(/^failed 12 deadline_passed: GET( GET)+$/u);
  });

  test("case 12: a login page is no listing, and nowhere near a missing row", async () => {
    const page: Answer = { body: "<html><form>", headers: { "content-type": "text/html" } };
    const run = await runCase(VERIFY_WORDS, { [LIST]: page });
    expect(run.told).toBe("failed 10 answer_not_json: GET");
    expect(run.leg.error?.message).toContain("text/html");
  });

  test("case 14: CP_HOST as a URL is put right with a warning, and anything more is refused", async () => {
    const env = { CP_ADMIN_API_TOKEN: TOKEN, TEMPLATE_NAME: "codex", EXPECTED_DIGEST: NEW };
    const port = await closedPort();
    for (const host of [`https://127.0.0.1:${port}`, `https://127.0.0.1:${port}/`]) {
      const run = await runWaybill(["verify", "--json"], { env: { ...env, CP_HOST: host } });
      expect(run.code).toBe(12);
      expect(run.stderr).toContain("warning: CP_HOST is a URL");
    }
    const refused = ["http://h", "h/cp", "u@h", "h\n.example.com", "h#a", "h?a=b", "https://https://h"];
    for (const host of refused) {
      const run = await runWaybill(["verify", "--json"], { env: { ...env, CP_HOST: host } });
      expect([host, run.code]).toEqual([host, 2]);
      expect(jsonOf(run)).toMatchObject({ error: { code: "url_invalid" }, legs: [] });
      expect(run.stderr).toMatch(/^error: \$CP_HOST is /mu);
    }
  });

  test.each([100, 103, 204])(
    "case 15: %i in answer to the write proves nothing, and the read decides",
    async (status) => {
      const taken = await runCase(
        PROMOTE_WORDS,
        board((it) => ({
          [LIST]: it.list,
          [PROMOTE]: it.applied({ status, ...(status === 204 ? { body: "" } : {}) }),
        })),
        ["--attempt-timeout", "200ms"],
      );
      expect(taken.code).toBe(0);
      expect(taken.leg.outcome).toMatch(/^landed/u);
      const lied = await runCase(PROMOTE_WORDS, { [LIST]: listing(row(OLD)), [PROMOTE]: { status } }, [
        "--attempt-timeout",
        "100ms",
        "--for",
        "20ms",
      ]);
      // What is accepted and not there did not land; of what had no final answer nobody knows.
      expect(lied.code).toBe(status === 204 ? 8 : 14);
    },
  );
});
