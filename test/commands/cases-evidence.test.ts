import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { isSha256 } from "../../src/base/digest.ts";
import { formatBundle } from "../../src/trust/bundle.ts";
import { formatEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { POLICY_PAYLOAD_TYPE } from "../../src/trust/policy.ts";
import { Board, FOREIGN, LIST, NEW, OLD, PROMOTE } from "../pins/rows.ts";
import { PROMOTE_WORDS, runOn } from "../pins/case-run.ts";
import { jsonOf } from "../support/binary.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";
import {
  ALICE,
  BOB,
  envelopeOf,
  GOOD_CAPTURE,
  policyBytes,
  ruleWith,
  statement,
} from "../trust/attestations.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const DAY = 86_400_000;
const MINUTE = 60_000;

/** A promotion of NEW with an attestation about `subject`, made `ageMs` ago by the clock of whoever made it. */
async function promoteWith(
  subject: string,
  ageMs: number,
): Promise<{ code: number; error: string; sent: readonly string[] }> {
  const sha256 = subject.slice("sha256:".length);
  if (!isSha256(sha256)) throw new Error("the test's own digest");
  using folder = temporaryFolder();
  const made = { ...GOOD_CAPTURE, attested_at: new Date(Date.now() - ageMs).toISOString() };
  const said = statement({ subjects: [{ name: null, digest: { sha256 } }], predicate: made });
  const policy = {
    ...(ruleWith({ max_age: "1h" }) as object),
    issued_at: new Date(Date.now() - DAY).toISOString(),
    expires_at: new Date(Date.now() + DAY).toISOString(),
  };
  writeFileSync(folder.at("image.json"), formatBundle(envelopeOf(said, ALICE)));
  writeFileSync(
    folder.at("policy.json"),
    formatEnvelope(signEnvelope(BOB, POLICY_PAYLOAD_TYPE, policyBytes(policy))),
  );
  writeFileSync(folder.at("alice.pub"), spkiPem(ALICE.publicKey));
  writeFileSync(folder.at("bob.pub"), spkiPem(BOB.publicKey));
  const board = new Board(OLD);
  await using server = await scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
  const run = await runOn(PROMOTE_WORDS, server.url, [
    ...["--attestation", folder.at("image.json"), "--key", folder.at("alice.pub")],
    ...["--policy", folder.at("policy.json"), "--policy-key", folder.at("bob.pub")],
  ]);
  const { error } = jsonOf(run) as { error?: { code: string; message: string } };
  const told = error === undefined ? "" : `${error.code}: ${error.message}`;
  return { code: run.code, error: told, sent: server.requests.map(({ method }) => method) };
}

describe("the evidence for an image", () => {
  test("case 61: an attestation about another image is 6 before anything is sent", async () => {
    const { code, error, sent } = await promoteWith(FOREIGN, MINUTE);
    expect(code).toBe(6);
    expect(error).toStartWith("subject_mismatch: ");
    expect(sent).toEqual([]);
  });

  test.each([
    ["an hour and more ago is too old", 70 * MINUTE, 5, "longer ago than 1 hours"],
    [
      "ten minutes ahead is more than clocks may differ, and told so",
      -10 * MINUTE,
      5,
      "the 5 minutes that clocks may differ",
    ],
    ["four minutes ahead is a clock that is a little wrong", -4 * MINUTE, 0, ""],
    ["ten minutes ago is fresh", 10 * MINUTE, 0, ""],
  ])("case 74: %s", async (_what, ageMs, wanted, explained) => {
    const { code, error, sent } = await promoteWith(NEW, ageMs);
    expect(code).toBe(wanted);
    expect(error).toContain(explained);
    expect(sent.includes("POST")).toBe(wanted === 0);
  });
});
