import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../src/base/limits.ts";
import { bodyOf, digestOf, withPlane, type Plane } from "../plane.ts";

const PIN = "/v1/pins/codex/global";
const RECEIPTS = `${PIN}/receipts`;
const [A, B] = [digestOf("a"), digestOf("b")];

type Listed = {
  readonly plane: string;
  readonly env: string;
  readonly pin: { readonly version: number; readonly image_digest: string };
  readonly receipts: readonly {
    readonly version: number;
    readonly number: number;
    readonly envelope: unknown;
  }[];
  readonly last_receipted_version: number | null;
};

/** An envelope with a receipt in it; nobody signed it, which is not for the plane to see. */
function envelope(version: number, members: object = {}, digest = A): object {
  const predicate = { template: "codex", region: "global", digest, version, ...members };
  const statement = { _type: "https://in-toto.io/Statement/v1", predicate };
  return {
    payload: Buffer.from(JSON.stringify(statement)).toString("base64"),
    payloadType: "application/vnd.in-toto+json",
    signatures: [{ keyid: "k", sig: "AAAA" }],
  };
}

type Tools = {
  readonly plane: Plane;
  readonly token: string;
  readonly pin: (digest: string) => Promise<number>;
  readonly send: (body: unknown, version: number | null) => Promise<Response>;
  readonly list: () => Promise<Listed>;
};

async function withReceipts(work: (tools: Tools) => Promise<void>): Promise<void> {
  await withPlane(async (plane) => {
    const token = await plane.token(["pins:read", "pins:write"], "prod");
    await work({
      plane,
      token,
      pin: async (image_digest) => {
        const json = { template_name: "codex", image_digest };
        expect((await plane.call("POST", "/cp/admin/runtime-image/promote", { token, json })).status).toBe(
          200,
        );
        const { version } = await bodyOf<{ version: number }>(await plane.call("GET", PIN, { token }));
        return version;
      },
      send: (json, version) =>
        plane.call("POST", RECEIPTS, {
          token,
          json,
          ...(version === null ? {} : { headers: { "if-match": `"${version}"` } }),
        }),
      list: async () => bodyOf<Listed>(await plane.call("GET", RECEIPTS, { token })),
    });
  });
}

describe("a receipt", () => {
  test("is kept for the version that the pin has, and comes back as it was handed in", async () => {
    await withReceipts(async ({ pin, send, list }) => {
      const version = await pin(A);
      expect(await list()).toMatchObject({ env: "prod", receipts: [], last_receipted_version: null });
      const sent = envelope(version);
      expect((await send(sent, version)).status).toBe(200);
      const listed = await list();
      expect(listed.pin).toMatchObject({ version, image_digest: A });
      expect(listed.receipts).toMatchObject([{ version, envelope: sent }]);
      expect(listed.last_receipted_version).toBe(version);
      expect(listed.plane).toMatch(/^[0-9a-f]{64}$/u);
    });
  });

  test("is kept once, however often it is handed in", async () => {
    await withReceipts(async ({ plane, pin, send, list }) => {
      const version = await pin(A);
      for (let time = 0; time < 3; time++) expect((await send(envelope(version), version)).status).toBe(200);
      expect((await list()).receipts).toHaveLength(1);
      expect(await plane.events("action = 'pin.receipt'")).toHaveLength(1);
    });
  });

  test("of an earlier version is in the history and not with the pin any more, also when the digest came back", async () => {
    await withReceipts(async ({ plane, token, pin, send, list }) => {
      const first = await pin(A);
      await send(envelope(first), first);
      await pin(B);
      const back = await pin(A);
      expect(await list()).toMatchObject({
        pin: { version: back },
        receipts: [],
        last_receipted_version: first,
      });
      const { history } = await bodyOf<{ history: { action: string; after: unknown }[] }>(
        await plane.call("GET", `${PIN}/history`, { token }),
      );
      expect(history.find(({ action }) => action === "pin.receipt")?.after).toMatchObject({
        version: first,
        image_digest: A,
        envelope: envelope(first),
      });
    });
  });

  test("does not make the pin another version, and a rollback does not take it for a state", async () => {
    await withReceipts(async ({ plane, token, pin, send }) => {
      await pin(A);
      const version = await pin(B);
      await send(envelope(version, {}, B), version);
      const shown = await plane.call("GET", PIN, { token });
      expect(shown.headers.get("etag")).toBe(`"${version}"`);
      const answer = await plane.call("POST", `${PIN}/rollback`, {
        token,
        headers: { "if-match": `"${version}"` },
        json: { reason: "it broke" },
      });
      expect(await bodyOf<{ image_digest: string }>(answer)).toMatchObject({ image_digest: A });
    });
  });

  const about: [string, (version: number) => object, string][] = [
    ["another version", (version) => envelope(version + 1), "invalid_field"],
    ["another digest", (version) => envelope(version, { digest: B }), "invalid_field"],
    ["another template", (version) => envelope(version, { template: "hermes" }), "invalid_field"],
    ["another region", (version) => envelope(version, { region: "eu" }), "invalid_field"],
    ["nothing", () => ({}), "invalid_field"],
    ["something that is no JSON", (version) => ({ ...envelope(version), payload: "AAAA" }), "invalid_field"],
    ["something that is no base64", (version) => ({ ...envelope(version), payload: "*" }), "invalid_field"],
    ["more than 32 KiB", (version) => ({ ...envelope(version), more: "é".repeat(16_384) }), "too_large"],
  ];
  test.each(about)("about %s is refused and not kept", async (_what, made, code) => {
    await withReceipts(async ({ pin, send, list }) => {
      const version = await pin(A);
      const answer = await send(made(version), version);
      expect(await bodyOf<{ code: string }>(answer)).toMatchObject({ code });
      expect((await list()).receipts).toEqual([]);
    });
  });

  test("that comes after the pin was moved is refused", async () => {
    await withReceipts(async ({ pin, send }) => {
      const version = await pin(A);
      await pin(B);
      expect((await send(envelope(version), version)).status).toBe(412);
    });
  });

  test.each([null, "*"])("without the version that it is for (%p) is refused", async (condition) => {
    await withReceipts(async ({ plane, token, pin }) => {
      const version = await pin(A);
      const headers: Record<string, string> = condition === null ? {} : { "if-match": condition };
      const answer = await plane.call("POST", RECEIPTS, { token, headers, json: envelope(version) });
      expect(answer.status).toBe(428);
    });
  });

  test("is one of a few: a flood of them ends", async () => {
    await withReceipts(async ({ pin, send, list }) => {
      const version = await pin(A);
      for (let nth = 0; nth < LIMITS.receiptsOfVersion; nth++)
        expect((await send(envelope(version, { nth }), version)).status).toBe(200);
      const one = await send(envelope(version, { nth: "more" }), version);
      expect(one.status).toBe(409);
      expect(await bodyOf<{ code: string }>(one)).toMatchObject({ code: "too_many_receipts" });
      expect((await list()).receipts).toHaveLength(LIMITS.receiptsOfVersion);
    });
  });

  test("needs a pin, and the rights of those who promote", async () => {
    await withReceipts(async ({ plane, token, pin }) => {
      const none = await plane.call("GET", RECEIPTS, { token });
      expect(none.status).toBe(404);
      expect(await bodyOf<{ code: string }>(none)).toMatchObject({ code: "pin_not_found" });
      const version = await pin(A);
      const reader = await plane.token(["pins:read"], "prod");
      const options = { token: reader, headers: { "if-match": `"${version}"` }, json: envelope(version) };
      expect((await plane.call("POST", RECEIPTS, options)).status).toBe(403);
      const stranger = await plane.token(["pins:read", "pins:write"], "staging");
      expect((await plane.call("GET", RECEIPTS, { token: stranger })).status).toBe(404);
    });
  });
});

test("every control plane has a name of its own, which does not change", async () => {
  const names: string[] = [];
  for (let nth = 0; nth < 2; nth++) {
    await withReceipts(async ({ pin, list }) => {
      await pin(A);
      const { plane } = await list();
      await pin(B);
      expect((await list()).plane).toBe(plane);
      names.push(plane);
    });
  }
  expect(names.length).toBeGreaterThanOrEqual(2);
  expect(new Set(names).size).toBe(names.length);
});
