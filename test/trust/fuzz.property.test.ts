import { describe, expect, test } from "bun:test";
import {
  array,
  assert,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  string,
  uint8Array,
} from "fast-check";
import { decodeAssignments } from "../../src/addons/assigned/assignment.ts";
import { decodeOverrides } from "../../src/addons/assigned/override.ts";
import { Failure } from "../../src/base/failure.ts";
import { parseJson } from "../../src/base/json.ts";
import { repositoryName } from "../../src/commands/policy-flags.ts";
import { capturedSource } from "../../src/context/verify-source.ts";
import { parseExpectedPins } from "../../src/pins/expected-pins.ts";
import { findRow } from "../../src/pins/listing.ts";
import { parseTargetConfig } from "../../src/pins/target-config.ts";
import { parseDockerConfig } from "../../src/stores/docker-config.ts";
import { readManifest } from "../../src/stores/image-manifest.ts";
import { addonClaims, addonStatement } from "../../src/trust/attestation-addon.ts";
import { captureFacts, captureStatement } from "../../src/trust/attestation-capture.ts";
import { promotionReceipt, promotionStatement } from "../../src/trust/attestation-promotion.ts";
import { CAPTURE_TYPE } from "../../src/trust/attestation-types.ts";
import { formatBundle } from "../../src/trust/bundle.ts";
import { formatEnvelope, parseEnvelope } from "../../src/trust/dsse.ts";
import { privateForm } from "../../src/trust/key-conversion.ts";
import { parsePolicy } from "../../src/trust/policy-document.ts";
import { parseSigningKey } from "../../src/trust/signing-key.ts";
import { formatStatement, parseStatement } from "../../src/trust/statement.ts";
import { readUnsignedRoot } from "../../src/trust/trust-root-succession.ts";
import { listing, NEW, row } from "../pins/rows.ts";
import { pointsOf } from "../support/points.ts";
import {
  ALICE,
  APP,
  envelopeOf,
  GOOD_CAPTURE,
  judge,
  POLICY,
  policyBytes,
  statement,
} from "./attestations.ts";
import { RECEIPT } from "./receipts.ts";
import { aRoot, envelopeOf as rootEnvelope, trusted } from "./roots.ts";

/**
 * Every reader of what somebody else wrote, under real documents with bytes changed, taken out, put in and doubled:
 * what comes out is a value or a failure of our own, never an accident, and never an endless run.
 */
const RUNS = process.env["WAYBILL_FULL"] === undefined ? 250 : 8_000;
const POINTS = pointsOf("documents with bytes and values changed, cut, doubled, or replaced by a bomb");

type Parser = readonly [string, Uint8Array, (bytes: Uint8Array) => unknown];

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
const said = statement({ predicate: { ...GOOD_CAPTURE } });
const receipt = formatStatement(promotionStatement(RECEIPT));
const addon = formatStatement(
  addonStatement(APP, {
    addonId: "probe",
    version: "1.2.3",
    os: "linux",
    arch: "amd64",
    size: 7,
    issued: new Date(0),
    expires: new Date(1),
    minimumVersion: "1.0.0",
  }),
);
const passphrase = utf8("a passphrase");
const encrypted = privateForm(ALICE, "pkcs8", (size) => new Uint8Array(size).fill(7), passphrase);
const capture = {
  schema: "waybill.capture/v1",
  ok: true,
  digests: { working_tree_hash: "a".repeat(64), git_tree: "b".repeat(40), tar_sha256: "c".repeat(64) },
  context: { files: 1, dockerfile: "Dockerfile", ignore_file: ".dockerignore", skipped: [] },
  ...GOOD_CAPTURE,
};
const assignment = {
  addon_id: "probe",
  version: "1.2.3",
  enabled: true,
  binary_path: "/usr/local/lib/waybill/bin/probe",
  args: ["--x"],
  config_json: { a: [1] },
  artifact_object_key: "k",
  artifact_sha256: "a".repeat(64),
  artifact_signature: "b".repeat(88),
  target_os: "linux",
  target_arch: "amd64",
};
const manifest = {
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: [
    {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: NEW,
      size: 7,
      platform: { os: "linux", architecture: "amd64" },
    },
  ],
};
const strict = (bytes: Uint8Array): ReturnType<typeof parseJson> =>
  parseJson(bytes, { what: "it", code: "input_invalid" });

const parsers: readonly Parser[] = [
  ["envelope", utf8(formatEnvelope(envelopeOf())), (bytes) => parseEnvelope(bytes, "it")],
  ["bundle", utf8(formatBundle(envelopeOf())), (bytes) => judge(bytes)],
  [
    "lines",
    utf8(`${formatEnvelope(envelopeOf())}\n${formatBundle(envelopeOf())}\n`),
    (bytes) => judge(bytes, {}, true),
  ],
  ["statement", formatStatement(said), (bytes) => captureFacts(parseStatement(bytes, "it").predicate)],
  ["receipt", receipt, (bytes) => promotionReceipt(parseStatement(bytes, "it"))],
  ["add-on", addon, (bytes) => addonClaims(parseStatement(bytes, "it"))],
  ["policy", policyBytes(POLICY), (bytes) => parsePolicy(bytes, "it", repositoryName)],
  [
    "trust root",
    utf8(formatEnvelope(rootEnvelope(aRoot([trusted("a")]), ["root"]))),
    (bytes) => readUnsignedRoot(parseEnvelope(bytes, "it"), "it"),
  ],
  ["capture to attest", json(capture), (bytes) => captureStatement(strict(bytes), null, new Date(0))],
  ["capture to compare", json(capture), (bytes) => capturedSource(strict(bytes), "it")],
  [
    "docker config",
    json({ auths: { "registry.example": { auth: "dXNlcjpwdw==" } }, credHelpers: { x: "y" } }),
    (bytes) => parseDockerConfig(bytes, "it"),
  ],
  ["image manifest", json(manifest), (bytes) => readManifest(bytes, null, "it")],
  [
    "assignments",
    json({ addons: [assignment] }),
    (bytes) => decodeAssignments(bytes, { what: "it", code: "input_invalid" }),
  ],
  [
    "override",
    json({ addons: [{ addon_id: "probe", enabled: false, args: ["x"] }] }),
    (bytes) => decodeOverrides(bytes, "it"),
  ],
  ["expected pins", json({ codex: NEW, "codex/eu": NEW }), (bytes) => parseExpectedPins(bytes, "it")],
  [
    "targets",
    json({ environments: { prod: { url: "https://cp.example.com", token_env: "X" } } }),
    (bytes) => parseTargetConfig(bytes, "it"),
  ],
  [
    "pin listing",
    utf8(String(listing(row(NEW)).body)),
    (bytes) => findRow(bytes, { template: "codex", region: "global" }, null),
  ],
];

const mutation = record({
  at: nat(),
  kind: constantFrom("change", "drop", "insert", "cut", "double", "swap"),
  bytes: oneof(
    uint8Array({ minLength: 1, maxLength: 6 }),
    constantFrom(
      ...["null", "{}", "[]", '""', "1e999", "-1", "\\u0000", "\ufeff", '"__proto__":1,'].map(utf8),
    ),
  ),
  other: nat(),
});
type Mutation = { at: number; kind: string; bytes: Uint8Array; other: number };

function mutate(document: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  return changes.reduce((now, { at, kind, bytes, other }) => {
    const place = at % (now.length + 1);
    const [before, after] = [now.subarray(0, place), now.subarray(place)];
    if (kind === "change")
      return new Uint8Array(Buffer.concat([before, bytes, after.subarray(bytes.length)]));
    if (kind === "drop") return new Uint8Array(Buffer.concat([before, after.subarray(1 + (other % 20))]));
    if (kind === "insert") return new Uint8Array(Buffer.concat([before, bytes, after]));
    if (kind === "cut") return before;
    if (kind === "double") return new Uint8Array(Buffer.concat([now, now]));
    return new Uint8Array(Buffer.concat([after, before]));
  }, document);
}

/** A value, or a failure of ours that somebody foresaw. */
function only(parse: () => unknown): void {
  POINTS.check(() => {
    try {
      parse();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      expect(error.code).not.toBe("internal_error");
    }
  });
}

describe("what comes out is a value or a failure of our own", () => {
  test.each(parsers)("%s, whole", (_name, document, parse) => {
    const found = parse(document);
    // What is wrong with some of them is a value, and then changing them would try little.
    expect(found).not.toBeInstanceOf(Failure);
    if (typeof found !== "object" || found === null) throw new Error("nothing was read");
    expect("refusals" in found ? found.refusals : []).toEqual([]);
  });

  test.each(parsers)("%s, changed at random", (_name, document, parse) => {
    assert(
      property(array(mutation, { minLength: 1, maxLength: 4 }), (changes) =>
        only(() => parse(mutate(document, changes))),
      ),
      { numRuns: RUNS },
    );
  });

  // Also what every JSON reader lets through: one member in the place of another, of another type.
  test.each(parsers)("%s, with values of other types", (_name, document, parse) => {
    const text = new TextDecoder().decode(document);
    const spots = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\d+|true|false|null/gu)];
    const value = oneof(
      constantFrom(
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "1e300",
        "[]",
        "{}",
        '""',
        '"x"',
        "[[]]",
        '{"":{}}',
        '"\\ud800"',
      ),
      string().map((made) => JSON.stringify(made)),
    );
    assert(
      property(nat(), value, (at, into) => {
        const spot = spots[at % Math.max(1, spots.length)];
        if (spot === undefined) return;
        const changed = `${text.slice(0, spot.index)}${into}${text.slice(spot.index + spot[0].length)}`;
        only(() => parse(utf8(changed)));
      }),
      { numRuns: RUNS },
    );
  });

  test.each(parsers)("%s, in place of it anything", (_name, _document, parse) => {
    assert(
      property(uint8Array({ maxLength: 400 }), (bytes) => only(() => parse(bytes))),
      { numRuns: RUNS },
    );
  });

  const bombs: [string, Uint8Array][] = [
    ["a million brackets", utf8("[".repeat(1_000_000))],
    ["a million members deep", utf8('{"a":'.repeat(200_000))],
    ["a number of a million digits", utf8("9".repeat(1_000_000))],
    ["a string without an end", utf8(`{"payload":"${"A".repeat(1_000_000)}`)],
    ["a million escapes", utf8(`{"payloadType":"${"\\u0041".repeat(200_000)}"}`)],
    [
      "a hundred thousand members",
      utf8(`{${Array.from({ length: 100_000 }, (_, at) => `"m${at}":${at}`).join(",")}}`),
    ],
    ["a hundred thousand empty lines", utf8("\n".repeat(100_000))],
    ["a million lines that are nothing", utf8("x\n".repeat(1_000_000))],
    ["nine million line breaks before a letter", utf8(`${"\n".repeat(9_000_000)}x`)],
  ];
  for (const [what, bomb] of bombs)
    test.each(parsers)(`%s, in place of it ${what}`, (_name, _document, parse) => only(() => parse(bomb)));

  test("a receipt says nothing that its own statement does not", () => {
    expect(promotionReceipt(parseStatement(receipt, "it"))).toEqual(RECEIPT);
    expect(promotionReceipt({ ...said, predicateType: CAPTURE_TYPE })).toBeInstanceOf(Failure);
  });
});

describe("an encrypted key", () => {
  // Each try costs the rounds that the file asks for.
  test("changed at random asks for no more work than a passphrase is worth", () => {
    assert(
      property(nat(), integer({ min: 0, max: 255 }), (at, byte) => {
        const der = Buffer.from(encrypted.split("\n").slice(1, -2).join(""), "base64");
        der[at % 90] = byte;
        const text = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${der.toString("base64")}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
        only(() => parseSigningKey(text, "it", passphrase));
      }),
      { numRuns: Math.min(RUNS, 400) / 10 },
    );
  });
});
