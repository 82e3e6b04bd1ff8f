import { describe, expect, test } from "bun:test";
import { repositoryName } from "../../../src/commands/policy-flags.ts";
import type { TrustPolicy } from "../../../src/control-plane/pins/trust-policy.ts";
import { signEnvelope } from "../../../src/trust/dsse.ts";
import { openPolicy, POLICY_PAYLOAD_TYPE } from "../../../src/trust/policy.ts";
import type { SigningKey } from "../../../src/trust/signing-key.ts";
import {
  ALICE,
  APP,
  BOB,
  bundleOf,
  digestOf,
  GOOD_CAPTURE,
  MALLORY,
  NOW,
  policyBytes,
  ruleWith,
  statement,
} from "../../trust/attestations.ts";
import { ask, type Answer } from "../ask.ts";
import { withPlane, type Plane } from "../plane.ts";

const PIN = "/v1/pins/codex/global";
const IMAGE = `sha256:${APP}`;
const NOTHING = "no statement about this digest was handed in";
const SIGNERS = [
  { role: "builder", keys: [ALICE.publicKey.bytes].map((key) => Buffer.from(key).toString("base64")) },
];

function enforced(changes: Record<string, unknown> = {}, policy: Record<string, unknown> = {}): TrustPolicy {
  const document = { ...ruleWith({ signers: SIGNERS, environments: ["prod"], ...changes }), ...policy };
  const envelope = signEnvelope(BOB, POLICY_PAYLOAD_TYPE, policyBytes(document));
  const signedBy = { keys: [BOB.publicKey], threshold: 1, distrusted: [] };
  const opened = openPolicy(envelope, "the policy", signedBy, NOW, repositoryName);
  if (!opened.ok) throw opened.refusals[0];
  const { policy: read, sha256 } = opened;
  return { policy: read, sha256, trusted: () => () => null, repositoryName };
}

type Tools = {
  readonly plane: Plane;
  readonly put: (image?: string, members?: object, headers?: Record<string, string>) => Promise<Answer>;
  readonly attest: (predicate?: object, key?: SigningKey, image?: string) => Promise<void>;
};

async function withPolicy(work: (tools: Tools) => Promise<void>, policy = enforced()): Promise<void> {
  await withPlane(async (plane) => {
    plane.trustPolicy = policy;
    const token = await plane.token(["admin"], "prod");
    await work({
      plane,
      put: (image = IMAGE, members = {}, headers = { "if-none-match": "*" }) =>
        ask(plane, "PUT", PIN, { token, headers, json: { image_digest: image, ...members } }),
      attest: async (predicate = GOOD_CAPTURE, key = ALICE, image = IMAGE) => {
        const sha256 = image.slice("sha256:".length);
        const subjects = [{ name: "app", digest: { sha256 } }];
        const said = statement({ subjects, predicate: JSON.parse(JSON.stringify(predicate)) });
        const answer = await plane.call("POST", "/v1/attestations", { token, json: bundleOf(said, key) });
        expect(answer.status).toBe(201);
      },
    });
  });
}

describe("a policy that the server enforces", () => {
  test("refuses a digest about which nobody said anything, on both routes, and records it", async () => {
    await withPolicy(async ({ plane, put }) => {
      const answer = await put();
      expect(answer).toMatchObject({ status: 403, body: { code: "policy_denied" } });
      expect(String(answer.body["error"])).toContain(NOTHING);
      const older = await ask(plane, "POST", "/cp/admin/runtime-image/promote", {
        token: await plane.token(["pins:write"], "prod"),
        json: { template_name: "codex", image_digest: IMAGE },
      });
      expect(older).toMatchObject({ status: 403, body: { code: "policy_denied" } });
      const denials = await plane.events("decision = 'denied'");
      expect(denials.map(({ action }) => action)).toEqual(["pin.promote", "pin.promote"]);
      expect(denials[0]?.reason).toContain("policy production, version 1");
    });
  });

  test("lets through what a key of its rule said, and keeps by what", async () => {
    await withPolicy(async ({ plane, put, attest }) => {
      await attest();
      expect((await put()).status).toBe(200);
      const [event] = await plane.events("action = 'pin.promote'");
      expect(JSON.parse(event?.after_json ?? "{}")).toMatchObject({
        image_digest: IMAGE,
        policy: { name: "production", version: 1 },
        evidence: [expect.stringMatching(/^[0-9a-f]{64}$/u)],
      });
    });
  });

  /** Who is refused for something else than what is wrong here proves nothing about it. */
  const refusedFor = (why: string): object => ({
    status: 403,
    body: { code: "policy_denied", error: expect.stringContaining(why) },
  });
  const bad: [string, Parameters<Tools["attest"]>, string][] = [
    ["a stranger's signature", [GOOD_CAPTURE, MALLORY], '0 of the wanted 1 keys of "builder" signed'],
    [
      "a work tree that was dirty",
      [
        {
          ...GOOD_CAPTURE,
          fields: { ...GOOD_CAPTURE.fields, source_dirty: { value: true, source: "git", reason: null } },
        },
      ],
      "it is not so that the work tree is clean",
    ],
    [
      "another repository",
      [
        {
          ...GOOD_CAPTURE,
          fields: {
            ...GOOD_CAPTURE.fields,
            source_repo: { value: "github.com/evil/app", source: "git", reason: null },
          },
        },
      ],
      'the repository is "github.com/evil/app"; wanted github.com/acme/*',
    ],
    ["a statement about another image", [GOOD_CAPTURE, ALICE, `sha256:${digestOf("other")}`], NOTHING],
  ];
  for (const [what, given, why] of bad) {
    test(`is not satisfied by ${what}`, async () => {
      await withPolicy(async ({ put, attest }) => {
        await attest(...given);
        expect(await put()).toMatchObject(refusedFor(why));
      });
    });
  }

  test("is not satisfied by statements of another environment", async () => {
    await withPolicy(async ({ plane, put }) => {
      const token = await plane.token(["attestations:write"], "staging");
      const kept = await plane.call("POST", "/v1/attestations", { token, json: bundleOf() });
      expect(kept.status).toBe(201);
      expect(await put()).toMatchObject(refusedFor(NOTHING));
    });
  });

  test("refuses a place without a rule", async () => {
    await withPolicy(
      async ({ put, attest }) => {
        await attest();
        expect(await put()).toMatchObject(
          refusedFor('has no rule for template "codex" in environment "prod"'),
        );
      },
      enforced({ environments: ["staging"] }),
    );
  });

  test("allows nothing from the moment that it expires", async () => {
    await withPolicy(
      async ({ plane, put, attest }) => {
        await attest();
        plane.now = new Date("2026-11-21T13:00:00Z");
        const answer = await put();
        expect(answer.status).toBe(403);
        expect(String(answer.body["error"])).toContain("expired at 2026-11-21T13:00:00.000Z");
      },
      enforced({}, { expires_at: "2026-11-21T13:00:00Z" }),
    );
  });

  test("stands before a rollback too, and gives way to a broken glass alone", async () => {
    const other = `sha256:${digestOf("other")}`;
    await withPolicy(async ({ plane, put, attest }) => {
      plane.trustPolicy = null;
      const first = await put(other);
      plane.trustPolicy = enforced();
      await attest();
      const second = await put(IMAGE, {}, { "if-match": first.etag ?? "" });
      expect(second.status).toBe(200);
      const token = await plane.token(["admin"], "prod");
      const back = await ask(plane, "POST", `${PIN}/rollback`, {
        token,
        headers: { "if-match": second.etag ?? "" },
        json: { reason: "it fails" },
      });
      expect(back).toMatchObject({ status: 403, body: { code: "policy_denied" } });
      const glass = { break_glass: true, reason: "the builder is down" };
      expect((await put(other, glass, { "if-match": second.etag ?? "" })).status).toBe(200);
      expect(await plane.events("action = 'pin.break_glass'")).toHaveLength(1);
    });
  });

  test("is told to whoever promotes", async () => {
    await withPolicy(async ({ plane }) => {
      const token = await plane.token(["pins:read"]);
      const { body } = await ask(plane, "GET", "/v1/policy", { token });
      expect(body).toMatchObject({
        policy: { name: "production", version: 1, rules: [{ name: "images", environments: ["prod"] }] },
      });
      plane.trustPolicy = null;
      expect((await ask(plane, "GET", "/v1/policy", { token })).body).toEqual({ policy: null });
    });
  });
});
