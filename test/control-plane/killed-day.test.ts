import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { sha256Of } from "../../src/base/hashing.ts";
import { runWaybill } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { pointsOf } from "../support/points.ts";
import { emptyDatabase } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { digestOf, type Body } from "./plane.ts";
import { envelope } from "./page/signed.ts";

/**
 * A day of everything that a control plane does, once on one server, and once on one that is killed between every two
 * requests. Nothing but the clock and what is random may tell the two days apart: no answer, no refusal, no event.
 */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const POINTS = {
  SQLite: pointsOf("SIGKILL of serve between every two requests of a day, on SQLite"),
  PostgreSQL: pointsOf("SIGKILL of serve between every two requests of a day, on PostgreSQL"),
};
const [A, B, C] = [digestOf("a"), digestOf("b"), digestOf("c")];
const PIN = "/v1/pins/codex/global";
const ARTIFACT = "the bytes of a program\n".repeat(1_000);
const CONTEXT = gzipSync("a context");
const PACKAGE = { addon_id: "dns", version: "1", binary: "dns" };
const STATUS = {
  platform: "linux/amd64",
  config_version: null,
  addons: [
    {
      addon_id: "dns",
      state: "running",
      has: { version: "1", digest: null },
      offered: null,
      last_known_good: "1",
      on_trial: false,
      blocked: [],
      last_error: null,
    },
  ],
};

type Message = {
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly body?: Body;
};
type Say = (line: string, message?: Message, token?: string) => Promise<string>;

/** What goes on while the server may come and go; the tokens are made and revoked beside it. */
class Day {
  readonly transcript: string[] = [];
  readonly #place: { readonly data: string; readonly database: string | undefined };
  readonly #killed: boolean;
  #server: ControlPlaneProcess | null = null;
  #etag = "";

  constructor(place: { readonly data: string; readonly database: string | undefined }, killed: boolean) {
    this.#place = place;
    this.#killed = killed;
  }

  async server(): Promise<ControlPlaneProcess> {
    if (this.#killed && this.#server !== null) {
      expect(await this.#server.stop("SIGKILL")).toBe(137);
      this.#server = null;
    }
    this.#server ??= await startControlPlane(this.#place);
    return this.#server;
  }

  /** A request, and what is kept of its answer. `ETAG` in a header is that of the pin as it was last seen. */
  async ask(line: string, token: string, { headers = {}, json, body }: Message): Promise<string> {
    const { address } = await this.server();
    const [method = "", path = ""] = line.split(" ");
    const filled = Object.entries(headers).map(([name, value]) => [name, value.replace("ETAG", this.#etag)]);
    const answer = await fetch(`${address}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...Object.fromEntries(filled) },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(body === undefined ? {} : { body }),
    });
    if (path === PIN && answer.ok) this.#etag = answer.headers.get("etag") ?? "";
    const text = await answer.text();
    this.transcript.push(`${line}: ${answer.status} ${plain(text)}`);
    return text;
  }

  async token(...scopes: readonly string[]): Promise<string> {
    return (await this.server()).token(scopes);
  }

  /** A command beside the server, with its exit code and what it said. */
  async run(...words: readonly string[]): Promise<string> {
    await this.server();
    const { data, database } = this.#place;
    const at = database === undefined ? ["--data", data] : ["--database-env", "CP"];
    const ran = await runWaybill([...words, ...at, "--json"], {
      env: database === undefined ? {} : { CP: database },
    });
    this.transcript.push(`${words.join(" ")}: ${ran.code}`);
    return ran.stdout;
  }

  async end(): Promise<void> {
    expect(await this.#server?.stop()).toBe(0);
    expect(this.#server?.stderr()).toBe("");
  }
}

/** Without what the clock or chance decide. */
function plain(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/gu, "TIME")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/gu, "ID")
    .replaceAll(/"(sha256|plane)":"[0-9a-f]{64}"/gu, '"$1":"DIGEST"')
    .replaceAll(/api-token-[0-9a-f]{8}/gu, "TOKEN")
    .replaceAll(/"subject":"[0-9a-f]{8}"/gu, '"subject":"TOKEN"');
}

async function live(day: Day): Promise<void> {
  const all = await day.token("admin", "audit:read");
  const ci = await day.token("pins:write", "pins:read");
  const say: Say = (line, message = {}, token = all) => day.ask(line, token, message);
  const reason = { json: { reason: "it broke" } };

  const promote = "POST /cp/admin/runtime-image/promote";
  const keyed = { headers: { "idempotency-key": "k" }, json: { template_name: "codex", image_digest: A } };
  await say(promote, keyed, ci);
  await say(promote, keyed, ci);
  await say(promote, { ...keyed, json: { template_name: "codex", image_digest: B } }, ci);
  await say(`GET ${PIN}`);
  await say(`PUT ${PIN}`, { headers: { "if-match": "ETAG" }, json: { image_digest: B, seq: 7 } });
  await say(`PUT ${PIN}`, { headers: { "if-match": '"1"' }, json: { image_digest: C } });
  await say(promote, { json: { template_name: "codex", image_digest: A, seq: 6 } }, ci);

  for (const [path, freed] of [
    [`${PIN}/hold`, B],
    [`/v1/vetoes/codex/${C}`, C],
    ["/v1/freeze", A],
  ]) {
    await say(`PUT ${path}`, reason);
    await say(promote, { json: { template_name: "codex", image_digest: freed } }, ci);
    await say(`GET ${PIN}`);
    await say(promote, {
      json: { template_name: "codex", image_digest: freed, break_glass: true, reason: "now" },
    });
    await say(`PUT ${path}`, reason, ci);
    await say(`DELETE ${path}`);
    await say(`DELETE ${path}`);
  }
  const shown = JSON.parse(await say(`GET ${PIN}`)) as { version: number; image_digest: string };
  const { version, image_digest: digest } = shown;
  await say(`POST ${PIN}/receipts`, {
    headers: { "if-match": "ETAG" },
    json: envelope("receipt", { template: "codex", region: "global", digest, version }, "k"),
  });
  await say(`POST ${PIN}/rollback`, { headers: { "if-match": "ETAG" }, json: { reason: "back" } });

  await say(`PUT /v1/artifacts/${sha256Of(ARTIFACT)}`, { body: ARTIFACT });
  await say(`PUT /v1/artifacts/${sha256Of(ARTIFACT)}`, { body: ARTIFACT });
  await say(`PUT /v1/artifacts/${sha256Of("other")}`, { body: ARTIFACT });
  const form = new FormData();
  form.set("context_archive", new Blob([CONTEXT]), "context.tar.gz");
  for (const [name, value] of Object.entries({ image_name: "app", agent_name: "bot", image_digest: A }))
    form.set(name, value);
  await say("POST /v5/builds", { body: form });
  const entry = { object_key: `programs/${sha256Of(ARTIFACT)}`, sha256: sha256Of(ARTIFACT) };
  await say("POST /v1/addons/packages", { json: { ...PACKAGE, artifacts: { "linux/amd64": entry } } });
  await say("POST /v1/addons/packages", {
    json: { ...PACKAGE, artifacts: { "linux/amd64": { ...entry, sha256: "0".repeat(64) } } },
  });
  const assignment = "/v1/addons/assignments/dns";
  const given = "GET /v1/addons/assignments?platform=linux/amd64&host=web-1";
  await say(`PUT ${assignment}`, { json: { version: "1" } });
  await say(`PUT ${assignment}`, { json: { version: "1", selector: { role: "edge" }, args: ["-e"] } });
  await say(given);
  await say("PUT /v1/hosts/web-1/labels", { json: { labels: { role: "edge" } } });
  await say(given);
  await say(`PUT ${assignment}`, { json: { version: "1", host: "web-1", enabled: false } });
  await say(given);
  await say(`DELETE ${assignment}?host=web-1`);
  await say(given);
  await say("PUT /v1/hosts/web-1/status", { json: STATUS });
  await say("PUT /v1/hosts/web-1/status", { json: STATUS });
  await say("POST /v1/attestations", { json: envelope("capture", {}, "k", A.slice(7)) });
  await say("POST /v1/attestations", { json: envelope("capture", {}, "k", A.slice(7)) });

  const list = JSON.parse(await day.run("token", "list")) as { tokens: { id: string; scopes: string[] }[] };
  const id = list.tokens.find(({ scopes }) => scopes.includes("pins:write"))?.id ?? "";
  await say(`GET ${PIN}`, {}, ci);
  expect(await day.run("token", "revoke", id)).toContain(id);
  await say(`GET ${PIN}`, {}, ci);
  await say(promote, keyed, ci);
  await say("GET /v1/pins", {}, `wb_${"A".repeat(43)}`);

  for (const path of [
    "/cp/admin/runtime-image",
    "/v1/pins",
    `${PIN}/history`,
    `${PIN}/receipts`,
    "/v1/builds",
    "/v1/addons/packages",
    assignment,
    "/v1/hosts",
    "/v1/hosts/web-1/labels",
    `/v1/attestations/${A}`,
    `/v1/artifacts/${sha256Of(ARTIFACT)}`,
    "/v1/events?limit=1000",
  ]) {
    await say(`GET ${path}`);
  }
  const { address } = await day.server();
  const chain = ["verify", "audit", "--chain", "--target", `it=${address}`, "--allow-insecure-http"];
  const checked = await runWaybill(chain, { env: { WAYBILL_TOKEN_IT: all } });
  expect([checked.code, checked.stderr]).toEqual([0, ""]);
}

for (const engine of ["SQLite", "PostgreSQL"] as const) {
  test.skipIf(engine === "PostgreSQL" && !FULL)(
    `a server that is killed between every two requests answers as one that never was, on ${engine}`,
    async () => {
      const days: string[][] = [];
      for (const killed of [false, true]) {
        using folder = temporaryFolder();
        await using empty = engine === "SQLite" ? null : await emptyDatabase();
        const day = new Day({ data: folder.at("data"), database: empty?.url }, killed);
        try {
          await live(day);
        } finally {
          await day.end();
        }
        days.push(
          day.transcript.map((line) => line.replaceAll(/token revoke [0-9a-f]{8}/gu, "token revoke")),
        );
      }
      const [quiet = [], killed = []] = days;
      expect(killed).toHaveLength(quiet.length);
      for (const [at, line] of quiet.entries())
        await POINTS[engine].try(async () => expect(killed[at]).toBe(line));
      expect(quiet.length).toBeGreaterThan(65);
    },
    120_000,
  );
}
