import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import { digestOf } from "../control-plane/plane.ts";
import { listing, LIST, NEW, OLD, row } from "../pins/rows.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";

const [A, B] = [digestOf("a"), digestOf("b")];
const folder = temporaryFolder();
let plane: ControlPlaneProcess;
const tokens = new Map<string, string>();

beforeAll(async () => {
  plane = await startControlPlane();
  for (const env of ["prod", "staging"]) tokens.set(env, await plane.token(["pins:read", "pins:write"], env));
  for (const name of ["ci", "other"]) createKeyFile(folder.at(`${name}.key`));
});
afterAll(async () => {
  await plane.stop();
  folder[Symbol.dispose]();
});

type Legs = { readonly legs: readonly Record<string, unknown>[]; readonly error?: { readonly code: string } };
type Run = Finished & {
  readonly leg: Record<string, unknown> | undefined;
  readonly refusal: string | undefined;
};

/** Each test has a template of its own. `label` is the name that the run has for the environment of the token. */
async function run(
  words: string,
  template: string,
  digest: string,
  more: readonly string[] = [],
  label = "prod",
  env = "prod",
): Promise<Run> {
  const ran = await runWaybill(
    [
      ...words.split(" "),
      ...["--template", template, "--digest", digest, "--json", "--allow-insecure-http", "--timeout", "5s"],
      ...["--target", `${label}=${plane.address}`, ...more],
    ],
    { cwd: folder.path, env: { [`WAYBILL_TOKEN_${label.toUpperCase()}`]: tokens.get(env) ?? "" } },
  );
  const document = jsonOf(ran) as Legs;
  const [leg] = document.legs;
  const error = (leg?.["error"] ?? document.error) as { code: string } | null | undefined;
  return { ...ran, leg, refusal: error?.code };
}

const BY_CI = ["--receipt-key", "ci.key"];
const NEEDED = ["--require-receipt", "--key", "ci.key.pub"];

describe("a promotion with a receipt key", () => {
  test("leaves a receipt of its own with the pin, and in the file that was asked for", async () => {
    const landed = await run("promote", "landed", A, [
      ...BY_CI,
      "--receipt-out",
      "landed.jsonl",
      "--seq",
      "4",
    ]);
    expect(landed.code).toBe(0);
    expect(landed.leg).toMatchObject({ outcome: "landed", receipt: { state: "stored" } });
    const verified = await run("verify pin", "landed", A, NEEDED);
    expect(verified.code).toBe(0);
    expect(verified.leg).toMatchObject({ receipt: { state: "verified" } });
    const file = await runWaybill(
      ["verify", "attestation", "landed.jsonl", "--subject", A, "--key", "ci.key.pub", "--json"],
      { cwd: folder.path },
    );
    expect(file.code).toBe(0);
    const [accepted] = jsonOf(file)["accepted"] as { predicate: Record<string, unknown> }[];
    expect(accepted?.predicate).toMatchObject({
      env: "prod",
      template: "landed",
      digest: A,
      previous: null,
      outcome: "landed",
      seq: 4,
      plane: { env: "prod" },
    });
  });

  test("that has nothing to do needs no second receipt", async () => {
    await run("promote", "again", A, BY_CI);
    const again = await run("promote", "again", A, BY_CI);
    expect(again.leg).toMatchObject({ outcome: "already", receipt: { state: "kept" } });
    const other = await run("promote", "again", A, ["--receipt-key", "other.key"]);
    expect(other.leg).toMatchObject({ outcome: "already", receipt: { state: "stored" } });
  });

  test("says which pin it replaced", async () => {
    await run("promote", "replaced", A, BY_CI);
    await run("promote", "replaced", B, [...BY_CI, "--receipt-out", "replaced.jsonl"]);
    const line = readFileSync(folder.at("replaced.jsonl"), "utf8");
    const statement = atob((JSON.parse(line) as { payload: string }).payload);
    expect(JSON.parse(statement)).toMatchObject({ predicate: { previous: A, digest: B } });
  });

  test("takes the key from a variable or standard input too, and says nothing of it", async () => {
    const secret = readFileSync(folder.at("ci.key"), "utf8");
    const ran = await runWaybill(
      [
        ...["promote", "--template", "variable", "--digest", A, "--target", `prod=${plane.address}`],
        ...["--allow-insecure-http", "--receipt-key-env", "THE_KEY", "--verbose", "--json"],
      ],
      { env: { WAYBILL_TOKEN_PROD: tokens.get("prod") ?? "", THE_KEY: secret } },
    );
    expect(ran.code).toBe(0);
    const line = secret.split("\n")[1] ?? "";
    expect(line.length).toBeGreaterThan(40);
    expect(ran.stdout + ran.stderr).not.toContain(line);
  });

  test("in a dry run signs nothing", async () => {
    await run("promote", "dry", A);
    const dry = await run("promote", "dry", A, [...BY_CI, "--dry-run", "--receipt-out", "dry.jsonl"]);
    expect([dry.code, dry.leg?.["receipt"]]).toEqual([0, undefined]);
    expect((await run("verify pin", "dry", A, NEEDED)).refusal).toBe("receipt_missing");
  });

  const contradictory: [string, string[], string][] = [
    ["with --no-verify", [...BY_CI, "--no-verify"], "flags_contradict"],
    ["with two keys", [...BY_CI, "--receipt-key-env", "X"], "flags_contradict"],
    ["with a file and no key", ["--receipt-out", "x.jsonl"], "flag_missing"],
    ["with a key that is no private one", ["--receipt-key", "ci.key.pub"], "key_invalid"],
    ["over its own key", [...BY_CI, "--receipt-out", "ci.key"], "flags_contradict"],
  ];
  test.each(contradictory)("%s is refused before anything is sent", async (_what, flags, code) => {
    const ran = await run("promote", "refused", A, flags);
    expect([ran.code, ran.refusal]).toEqual([2, code]);
    expect((await run("verify pin", "refused", A)).code).toBe(7);
  });

  test("is handed in again to a control plane that is busy at first", async () => {
    const path = "/v1/pins/codex/global/receipts";
    await using server = await scriptedServer({
      [LIST]: listing(row(NEW)),
      [`GET ${path}`]: {
        body: JSON.stringify({
          ...{ plane: "0".repeat(64), env: "prod", pin: { ...row(NEW), version: 3 } },
          ...{ receipts: [], last_receipted_version: null },
        }),
      },
      [`POST ${path}`]: [{ status: 503 }, { status: 429 }, { body: '{"version":3}' }],
    });
    const ran = await runWaybill(
      [
        ...["promote", "--template", "codex", "--digest", NEW, "--target", `prod=${server.url}`],
        ...["--allow-insecure-http", "--json", "--retry-interval", "5ms", ...BY_CI],
      ],
      { cwd: folder.path, env: { WAYBILL_TOKEN_PROD: "token-of-prod-1" } },
    );
    expect([ran.code, (jsonOf(ran) as Legs).legs[0]?.["receipt"]]).toMatchObject([
      0,
      { version: 3, state: "stored" },
    ]);
    expect(server.attempts(`POST ${path}`)).toBe(3);
  });

  test("to a control plane that keeps none writes nothing at all", async () => {
    await using server = await scriptedServer({ [LIST]: listing(row(OLD)) });
    const ran = await runWaybill(
      [
        ...["promote", "--template", "codex", "--digest", NEW, "--target", `prod=${server.url}`],
        ...["--allow-insecure-http", "--json", ...BY_CI],
      ],
      { cwd: folder.path, env: { WAYBILL_TOKEN_PROD: "token-of-prod-1" } },
    );
    expect([ran.code, jsonOf(ran)["error"]]).toMatchObject([10, { code: "server_unsupported" }]);
    expect(server.requests.map(({ method }) => method)).toEqual(["GET"]);
  });
});

describe("a pin that must have a receipt", () => {
  test("and was moved by hand is refused, and heals when it is promoted properly", async () => {
    await run("promote", "hand", A, BY_CI);
    await run("promote", "hand", B);
    const moved = await run("verify pin", "hand", B, NEEDED);
    expect([moved.code, moved.refusal, moved.leg?.["outcome"]]).toEqual([
      7,
      "receipt_missing",
      "unreceipted",
    ]);
    expect((await run("verify pin", "hand", B)).code).toBe(0);
    await run("promote", "hand", B, BY_CI);
    expect((await run("verify pin", "hand", B, NEEDED)).code).toBe(0);
  });

  test("and was moved there and back by hand has lost it", async () => {
    await run("promote", "back", A, BY_CI);
    await run("promote", "back", B);
    await run("promote", "back", A);
    expect((await run("verify pin", "back", A, NEEDED)).refusal).toBe("receipt_missing");
  });

  test("by another key is refused", async () => {
    await run("promote", "stranger", A, ["--receipt-key", "other.key"]);
    const ran = await run("verify pin", "stranger", A, NEEDED);
    expect([ran.code, ran.refusal]).toEqual([6, "signature_invalid"]);
  });

  test("for another name of the environment is refused", async () => {
    await run("promote", "labelled", A, BY_CI, "staging", "prod");
    const ran = await run("verify pin", "labelled", A, NEEDED);
    expect([ran.code, ran.refusal]).toEqual([6, "receipt_mismatch"]);
  });

  test("gets no receipt of an earlier version, of another environment or plane, handed in by an attacker", async () => {
    await run("promote", "replay", A, [...BY_CI, "--receipt-out", "replay.jsonl"]);
    const stolen = readFileSync(folder.at("replay.jsonl"), "utf8");
    await run("promote", "replay", B);
    await run("promote", "replay", A);
    await run("promote", "replay", A, [], "staging", "staging");
    for (const env of ["prod", "staging"]) {
      const headers = { authorization: `Bearer ${tokens.get(env)}`, "content-type": "application/json" };
      const url = `${plane.address}/v1/pins/replay/global`;
      const etag = (await fetch(url, { headers })).headers.get("etag") ?? "";
      const sent = { method: "POST", headers: { ...headers, "if-match": etag }, body: stolen };
      expect((await fetch(`${url}/receipts`, sent)).status).toBe(400);
      expect((await run("verify pin", "replay", A, NEEDED, env, env)).refusal).toBe("receipt_missing");
    }
  });

  test("on a server that lies: an old receipt beside the row is a replay", async () => {
    await run("promote", "lied", A, [...BY_CI, "--receipt-out", "lied.jsonl"]);
    const envelope: unknown = JSON.parse(readFileSync(folder.at("lied.jsonl"), "utf8"));
    const listed = row(A, { template_name: "lied" });
    await using server = await scriptedServer({
      [LIST]: listing(listed),
      "GET /v1/pins/lied/global/receipts": {
        body: JSON.stringify({
          ...{ plane: "0".repeat(64), env: "prod", pin: { ...listed, version: 99 } },
          ...{ receipts: [{ version: 99, envelope }], last_receipted_version: 99 },
        }),
      },
    });
    const ran = await runWaybill(
      [
        ...["verify", "pin", "--template", "lied", "--digest", A, "--target", `prod=${server.url}`],
        ...["--allow-insecure-http", "--json", ...NEEDED],
      ],
      { cwd: folder.path, env: { WAYBILL_TOKEN_PROD: "token-of-prod-1" } },
    );
    expect([ran.code, (jsonOf(ran) as Legs).legs[0]?.["error"]]).toMatchObject([
      6,
      { code: "receipt_mismatch" },
    ]);
  });

  const RECEIPTS = "/v1/pins/codex/global/receipts";
  const kept = (digest: string): { readonly body: string } => ({
    body: JSON.stringify({
      ...{ plane: "0".repeat(64), env: "prod", pin: { ...row(digest), version: 3 } },
      ...{ receipts: [], last_receipted_version: null },
    }),
  });
  async function onPlan(words: readonly string[], listed: string, receipted: string) {
    await using server = await scriptedServer({
      [LIST]: listing(row(listed)),
      [`GET ${RECEIPTS}`]: kept(receipted),
    });
    const pin = ["--template", "codex", "--digest", NEW, "--target", `prod=${server.url}`];
    const ran = await runWaybill([...words, ...pin, "--allow-insecure-http", "--json"], {
      cwd: folder.path,
      env: { WAYBILL_TOKEN_PROD: "token-of-prod-1" },
    });
    const leg = (jsonOf(ran) as Legs).legs[0];
    return { told: [ran.code, (leg?.["error"] as { code: string } | null)?.code], server };
  }

  test("and moves between the two reads is a mismatch; and gets no receipt for what it is not", async () => {
    const verified = await onPlan(["verify", "pin", ...NEEDED], NEW, OLD);
    expect(verified.told).toEqual([8, "pin_mismatch"]);
    const promoted = await onPlan(["promote", ...BY_CI], NEW, OLD);
    expect(promoted.told[1]).toBe("receipt_not_kept");
    expect(promoted.server.attempts(`POST ${RECEIPTS}`)).toBe(0);
  });

  test("and is another one is told as that, and its receipts are not asked for", async () => {
    const { told, server } = await onPlan(["verify", "pin", ...NEEDED], OLD, NEW);
    expect(told).toEqual([8, "pin_mismatch"]);
    expect(server.attempts(`GET ${RECEIPTS}`)).toBe(0);
  });

  test("is waited for as long as --for says, for whoever moved it hands its receipt in later", async () => {
    const words = ["verify", "pin", ...NEEDED];
    const once = await onPlan(words, NEW, NEW);
    expect([once.told, once.server.attempts(`GET ${RECEIPTS}`)]).toEqual([[7, "receipt_missing"], 1]);
    const waited = await onPlan([...words, "--for", "500ms", "--retry-interval", "50ms"], NEW, NEW);
    expect(waited.told).toEqual([7, "receipt_missing"]);
    expect(waited.server.attempts(`GET ${RECEIPTS}`)).toBeGreaterThan(1);
  });

  test("is judged by the role and the scopes of a trust root", async () => {
    writeFileSync(
      folder.at("ci.pub"),
      spkiPem(parsePublicKey(readFileSync(folder.at("ci.key.pub"), "utf8"), "it")),
    );
    const key = (...words: string[]): Promise<Finished> =>
      runWaybill(["key", "trust", ...words], { cwd: folder.path });
    await key("init", "trust.json", "--key", "other.key", "--name", "owner");
    const add = ["add", "trust.json", "--name", "ci", "--public-key", "ci.pub", "--key", "other.key"];
    expect((await key(...add, "--role", "promote", "--scope", "scoped*")).code).toBe(0);
    await run("promote", "scoped-app", A, BY_CI);
    await run("promote", "elsewhere", A, BY_CI);
    const trusted = ["--require-receipt", "--trust", "trust.json"];
    expect((await run("verify pin", "scoped-app", A, trusted)).code).toBe(0);
    const ran = await run("verify pin", "elsewhere", A, trusted);
    expect(ran.code).toBe(6);
    expect(ran.stderr).toContain("signature");
  });

  const usage: [string, string[]][] = [
    ["without anybody to trust", ["--require-receipt"]],
    ["by a key, without --require-receipt", ["--key", "ci.key.pub"]],
    ["by a trust root, without --require-receipt", ["--trust", "trust.json"]],
  ];
  test.each(usage)("%s is a usage error", async (_what, flags) => {
    expect((await run("verify pin", "usage", A, flags)).code).toBe(2);
  });
});
