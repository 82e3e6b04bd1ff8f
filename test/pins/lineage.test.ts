import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import type { BuildRecord } from "../../src/pins/build-client.ts";
import { lineageOf, treeHashOf, type Lineage, type LineageEvidence } from "../../src/pins/lineage.ts";
import type { PinRow } from "../../src/pins/pin.ts";
import type { ReceiptVerdict } from "../../src/pins/receipt-verdict.ts";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { formatEnvelope } from "../../src/trust/dsse.ts";
import type { AttestationVerdict } from "../../src/trust/verify-attestation.ts";
import { pinRow } from "./pin-row.ts";
import {
  ALICE,
  APP,
  digestOf,
  envelopeOf,
  GOOD_CAPTURE,
  judge,
  MALLORY,
  statement,
} from "../trust/attestations.ts";
import { image, RECEIPT } from "../trust/receipts.ts";

const COMMIT = "a".repeat(40);
const TREE = digestOf("tree");
const ROW: PinRow = pinRow({ digest: image(APP), gitSha: COMMIT.slice(0, 7) });
const BUILD: BuildRecord = {
  id: "build-1",
  digest: image(APP),
  commit: COMMIT,
  repository: "github.com/acme/app",
  treeHash: TREE,
};
const RECEIPTED: ReceiptVerdict = {
  ok: true,
  receipt: { ...RECEIPT, gitSha: COMMIT },
  signers: [ALICE.publicKey],
  payloadSha256: digestOf("receipt"),
};
const WHOLE: LineageEvidence = {
  env: "prod",
  row: ROW,
  receipt: RECEIPTED,
  build: { record: BUILD, by: "digest" },
  captures: null,
};

function captured(commit: string = COMMIT, tree: string | null = TREE): AttestationVerdict {
  const source_commit = { value: commit, source: "git", reason: null };
  const said = statement({
    subjects: [
      { name: "app", digest: { sha256: APP } },
      ...(tree === null ? [] : [{ name: "context", digest: { working_tree_hash: tree } }]),
    ],
    predicate: { ...GOOD_CAPTURE, fields: { ...GOOD_CAPTURE.fields, source_commit } },
  });
  return judge(formatEnvelope(envelopeOf(said)), { predicateType: CAPTURE_TYPE });
}

function states(changes: Partial<LineageEvidence>): string {
  return lineageOf({ ...WHOLE, ...changes })
    .links.map(({ name, state }) => `${name} ${state}`)
    .join(", ");
}

function whatOf(name: Lineage["links"][number]["name"], changes: Partial<LineageEvidence>): string {
  return lineageOf({ ...WHOLE, ...changes }).links.find((link) => link.name === name)?.what ?? "";
}

const ALL = "pin found, receipt found, build found, commit found, capture found";
const but = (text: string, more = ""): string =>
  [text, more]
    .filter((one) => one !== "")
    .reduce((all, one) => {
      const [name = ""] = one.split(" ");
      return all.replace(new RegExp(`${name} found`, "u"), one);
    }, ALL);
const missing: ReceiptVerdict = refusal(new Failure("receipt_missing", "none"));

function refusal(failure: Failure): ReceiptVerdict {
  return { ok: false, failure, refusals: [failure] };
}

describe("the way back from a pin", () => {
  const table: [string, Partial<LineageEvidence>, string][] = [
    ["with everything recorded is whole", {}, ALL],
    ["with a signed capture is whole", { captures: captured() }, ALL],
    [
      "without a build record, with a signed capture, misses the record",
      { build: null, captures: captured() },
      but("build missing"),
    ],
    ["without a receipt misses it", { receipt: missing }, but("receipt missing")],
    [
      "with a receipt by a stranger is wrong",
      { receipt: refusal(new Failure("signature_invalid", "x")) },
      but("receipt wrong"),
    ],
    [
      "with receipts that cannot be read says so",
      { receipt: refusal(new Failure("server_failed", "x")) },
      but("receipt unread"),
    ],
    [
      "with builds that may not be read says so",
      { build: new Failure("forbidden", "x") },
      "pin found, receipt found, build unread, commit missing, capture missing",
    ],
    [
      "without a record or a capture misses both, whatever the receipt claims",
      { build: null },
      "pin found, receipt found, build missing, commit missing, capture missing",
    ],
    [
      "of a build of another commit is wrong",
      { build: { record: { ...BUILD, commit: "b".repeat(40) }, by: "digest" } },
      but("commit wrong"),
    ],
    [
      "of a row that names another commit is wrong",
      { row: { ...ROW, gitSha: "bbbbbbb" } },
      but("commit wrong"),
    ],
    ["of a capture of another commit is wrong", { captures: captured("b".repeat(40)) }, but("commit wrong")],
    [
      "of a capture of another tree is wrong",
      { captures: captured(COMMIT, digestOf("x")) },
      but("capture wrong"),
    ],
    ["of a capture that states no tree is whole", { captures: captured(COMMIT, null) }, ALL],
    [
      "with a signed capture, without a receipt, misses the receipt alone",
      { receipt: missing, captures: captured() },
      but("receipt missing"),
    ],
    [
      "of a build without a tree misses the capture",
      { build: { record: { ...BUILD, treeHash: null }, by: "digest" } },
      but("capture missing"),
    ],
    [
      "of a build and a row without a commit is followed by its receipt",
      { build: { record: { ...BUILD, commit: null }, by: "digest" }, row: { ...ROW, gitSha: null } },
      ALL,
    ],
    [
      "of which nobody names the commit misses it",
      {
        build: { record: { ...BUILD, commit: null }, by: "digest" },
        row: { ...ROW, gitSha: null },
        receipt: missing,
      },
      but("receipt missing", "commit missing"),
    ],
  ];
  test.each(table)("%s", (_what, changes, expected) => expect(states(changes)).toBe(expected));

  test("holds a capture against the statement that the receipt says was checked", () => {
    const captures = captured();
    const sha256 = captures.accepted[0]?.payloadSha256 ?? digestOf("none");
    const evidence = (of: typeof sha256, ...beside: (typeof sha256)[]): ReceiptVerdict => ({
      ...RECEIPTED,
      receipt: {
        ...RECEIPT,
        gitSha: COMMIT,
        decision: {
          policy: null,
          rules: [],
          warnings: [],
          evidence: [...beside, of].map((one) => ({ predicateType: CAPTURE_TYPE, sha256: one })),
        },
      },
    });
    expect(states({ captures, receipt: evidence(sha256) })).toBe(ALL);
    expect(states({ captures, receipt: evidence(sha256, digestOf("other")) })).toBe(ALL);
    expect(states({ captures, receipt: evidence(digestOf("other")) })).toBe(but("capture wrong"));
  });

  test("says of a capture that nobody signed that nobody did", () => {
    expect(whatOf("capture", {})).toContain("not signed");
    expect(whatOf("capture", { captures: captured() })).toContain(ALICE.publicKey.keyid);
  });

  test("takes a capture that was refused for wrong, not for none", () => {
    const captures = judge("{}", { predicateType: CAPTURE_TYPE });
    expect(states({ captures })).toBe(but("capture wrong"));
  });

  test("says why a capture was refused: its first reason", () => {
    const stranger = judge(formatEnvelope(envelopeOf(statement(), MALLORY)), { predicateType: "x" });
    expect(stranger.refusals.length).toBeGreaterThan(1);
    expect(whatOf("capture", { captures: stranger })).toBe(stranger.refusals[0]?.message ?? "none");
    expect(whatOf("capture", { captures: { ...stranger, refusals: [] } })).toBe("it is about another image");
  });

  test("says what names the build, its commit and its repository", () => {
    expect(whatOf("build", {})).toBe("build-1, by its digest");
    expect(whatOf("build", { build: { record: BUILD, by: "commit" } })).toBe(
      "build-1, by the commit of its receipt alone",
    );
    expect(whatOf("commit", {})).toBe(`${COMMIT} of github.com/acme/app`);
    expect(whatOf("commit", { build: { record: { ...BUILD, repository: null }, by: "digest" } })).toBe(
      COMMIT,
    );
  });

  test("names the first two who disagree about the commit", () => {
    const other = "b".repeat(40);
    const build = { record: { ...BUILD, commit: other }, by: "digest" } as const;
    expect(whatOf("commit", { captures: captured(), build, row: { ...ROW, gitSha: "ccccccc" } })).toBe(
      `the signed capture names ${COMMIT}, the build record ${other}`,
    );
  });

  test("says which tree a capture has", () => {
    const by = `signed by key ${ALICE.publicKey.keyid}`;
    expect(whatOf("capture", { captures: captured() })).toBe(`tree ${TREE}, ${by}`);
    expect(whatOf("capture", { captures: captured(COMMIT, null) })).toBe(`tree unknown, ${by}`);
    expect(captured(COMMIT, null).accepted.map(treeHashOf)).toEqual([null]);
  });
});
