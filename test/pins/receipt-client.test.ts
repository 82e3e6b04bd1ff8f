import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import { readReceipts, storeReceipt } from "../../src/pins/receipt-client.ts";
import { scriptedServer, type Answer } from "../support/scripted-server.ts";
import { envelopeOf, statement } from "../trust/attestations.ts";
import { NEW } from "./rows.ts";
import { target, WANTED } from "./run-legs.ts";

const PATH = "/v1/pins/codex/global/receipts";
const EXCHANGE = {
  attemptTimeoutMs: 5_000,
  connection: () => ({}),
  jitter: () => 0.5,
  stop: new AbortController().signal,
};

function answer(more: object = {}): Answer {
  const pin = { image_digest: NEW, version: 3, promoted_at: "noon", promoted_by: null };
  const whole = { plane: "0".repeat(64), env: "prod", pin, receipts: [], last_receipted_version: 2 };
  return { body: JSON.stringify({ ...whole, ...more }) };
}

describe("the receipts of a pin", () => {
  async function read(given: Answer): Promise<Awaited<ReturnType<typeof readReceipts>>> {
    await using server = await scriptedServer({ [`GET ${PATH}`]: given });
    return await readReceipts(target(server.url), WANTED, EXCHANGE);
  }

  test("come with what the control plane says of itself and of the pin", async () => {
    const envelope = { payload: "e30=", payloadType: "x", signatures: [{ sig: "AAAA" }] };
    expect(await read(answer({ receipts: [{ version: 3, envelope }] }))).toMatchObject({
      pin: {
        plane: { id: "0".repeat(64), env: "prod" },
        template: "codex",
        region: "global",
        digest: NEW,
        version: 3,
        promotedAt: "noon",
        promotedBy: null,
        lastReceipted: 2,
      },
      found: { attestations: [{ envelope: { payloadType: "x" } }] },
    });
  });

  test("of a pin that is not there are none", async () => {
    expect(await read({ status: 404, body: '{"code":"pin_not_found"}' })).toBeNull();
  });

  const receipt = { version: 3, envelope: null };
  const refused: [string, Answer, string][] = [
    ["no such route", { status: 404 }, "server_unsupported"],
    ["another method", { status: 405 }, "server_unsupported"],
    ["nothing of the kind", { status: 501 }, "server_unsupported"],
    ["no right", { status: 401 }, "unauthorized"],
    ["trouble", { status: 503 }, "server_failed"],
    ["no JSON", { body: "<html>" }, "answer_malformed"],
    ["a plane that is none", answer({ plane: "x" }), "answer_malformed"],
    ["a digest that is none", answer({ pin: { image_digest: "latest", version: 3 } }), "answer_malformed"],
    ["no version", answer({ pin: { image_digest: NEW } }), "answer_malformed"],
    [
      "more receipts than one version has",
      answer({ receipts: Array(LIMITS.receiptsOfVersion + 1).fill(receipt) }),
      "answer_malformed",
    ],
  ];
  test.each(refused)("are not read from %s", async (_what, given, code) => {
    expect(await read(given)).toMatchObject({ code });
  });
});

describe("a receipt", () => {
  async function store(given: Answer): Promise<Awaited<ReturnType<typeof storeReceipt>>> {
    await using server = await scriptedServer({ [`POST ${PATH}`]: given });
    const kept = await storeReceipt(target(server.url), WANTED, 3, envelopeOf(statement()), EXCHANGE);
    expect(server.requests[0]?.headers["if-match"]).toBe('"3"');
    return kept;
  }

  test("is kept when its version is said back", async () => {
    expect(await store({ body: '{"version":3}' })).toBeNull();
  });

  const lost: [string, Answer, string][] = [
    ["another version is said", { body: '{"version":4}' }, "receipt_not_kept"],
    ["nothing is said", { body: "" }, "receipt_not_kept"],
    ["the pin has moved", { status: 412 }, "receipt_not_kept"],
    ["it is refused", { status: 400 }, "receipt_not_kept"],
    ["nobody may", { status: 401 }, "unauthorized"],
    ["this token may not", { status: 403 }, "forbidden"],
    ["the server is busy", { status: 429 }, "rate_limited"],
    ["the server fails", { status: 502 }, "server_failed"],
    ["the connection breaks", { send: "nothing", then: "reset" }, "connection_lost"],
  ];
  test.each(lost)("is not when %s", async (_what, given, code) => {
    expect(await store(given)).toMatchObject({ code });
  });

  test("that is refused names whose token it was, and what was said", async () => {
    expect(await store({ status: 403, body: '{"error":"no"}' })).toMatchObject({
      message: "the control plane answered 403 to the route of receipts with the token from $PROD_TOKEN",
      serverText: '{"error":"no"}',
    });
    expect((await store({ status: 412 }))?.message).toBe("the control plane answered 412 to the receipt");
  });
});
