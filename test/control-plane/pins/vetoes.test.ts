import { expect, test } from "bun:test";
import { ask, type Answer } from "../ask.ts";
import { digestOf, withPlane, type Plane } from "../plane.ts";

/** A scanner that vetoes what it finds every night has thousands of digests in a year. */
const digest = (at: number): string => `sha256:${String(at).padStart(64, "0")}`;

type Page = {
  readonly vetoes: readonly { readonly image_digest: string }[];
  readonly next_after: string | null;
};
type Shown = { readonly stops: readonly { kind: string; image_digest?: string }[]; readonly vetoes: number };

async function veto(plane: Plane, token: string, from: number, to: number): Promise<void> {
  plane.now = new Date(plane.now.getTime() + 1_000);
  const puts = Array.from({ length: to - from }, (_, at) =>
    ask(plane, "PUT", `/v1/vetoes/codex/${digest(from + at)}`, { token, json: { reason: "it has a hole" } }),
  );
  for (const { status } of await Promise.all(puts)) expect(status).toBe(200);
}

test("a pin shows the newest hundred vetoes and how many there are, the widest stop first; all of them count", async () => {
  await withPlane(async (plane) => {
    const token = await plane.token(["admin"]);
    const read = (): Promise<Answer> => ask(plane, "GET", "/v1/pins/codex/global", { token });
    await veto(plane, token, 50, 53);
    await veto(plane, token, 0, 50);
    await veto(plane, token, 53, 103);
    expect(await read()).toMatchObject({ status: 404, body: { vetoes: 103 } });
    const promote = (image_digest: string): Promise<Answer> =>
      ask(plane, "POST", "/cp/admin/runtime-image/promote", {
        token,
        json: { template_name: "codex", image_digest },
      });
    expect((await promote(digestOf("good"))).status).toBe(200);
    for (const path of ["/v1/freeze", "/v1/pins/codex/global/hold"])
      await ask(plane, "PUT", path, { token, json: { reason: "wait" } });
    const { stops, vetoes } = (await read()).body as Shown;
    expect([vetoes, stops.length]).toEqual([103, 102]);
    expect(stops.slice(0, 3).map(({ kind }) => kind)).toEqual(["frozen", "held", "vetoed"]);
    const shown = new Set(stops.map(({ image_digest }) => image_digest));
    const hidden = [50, 51, 52].map(digest);
    expect(hidden.filter((one) => shown.has(one))).toEqual([]);
    expect(await promote(digest(51))).toMatchObject({ status: 409, body: { code: "frozen" } });
    await ask(plane, "DELETE", "/v1/freeze", { token });
    expect(await promote(digest(51))).toMatchObject({ status: 409, body: { code: "held" } });
    await ask(plane, "DELETE", "/v1/pins/codex/global/hold", { token });
    for (const one of hidden) {
      const refused = await promote(one);
      expect(refused).toMatchObject({ status: 409, body: { code: "vetoed", stop: { image_digest: one } } });
    }
    // Of another template there are none.
    expect(await ask(plane, "GET", "/v1/pins/hermes/global", { token })).toMatchObject({
      body: { vetoes: 0 },
    });
  });
});

test("all vetoes of a template are listed, in pages by digest, to whom its pins are shown", async () => {
  await withPlane(async (plane) => {
    const admin = await plane.token(["admin"]);
    await veto(plane, admin, 0, 103);
    const token = await plane.token(["pins:read"]);
    const list = async (query: string): Promise<readonly [string[], string | null]> => {
      const { status, body } = await ask(plane, "GET", `/v1/vetoes/codex?${query}`, { token });
      expect(status).toBe(200);
      const { vetoes, next_after } = body as Page;
      return [vetoes.map(({ image_digest }) => image_digest), next_after];
    };
    const all = Array.from({ length: 103 }, (_, at) => digest(at));
    expect(await list("")).toEqual([all.slice(0, 100), digest(99)]);
    expect(await list(`after=${digest(99)}`)).toEqual([all.slice(100), null]);
    expect(await list("limit=1000")).toEqual([all, null]);
    expect((await ask(plane, "GET", "/v1/vetoes/codex?limit=0", { token })).status).toBe(400);
    const hermes = await plane.token(["pins:read"], "default", null, { templates: ["hermes"] });
    expect((await ask(plane, "GET", "/v1/vetoes/codex", { token: hermes })).status).toBe(403);
    const prod = await plane.token(["pins:read"], "prod");
    const elsewhere = await ask(plane, "GET", "/v1/vetoes/codex", { token: prod });
    expect(elsewhere.body).toEqual({ vetoes: [], next_after: null });
  });
});
