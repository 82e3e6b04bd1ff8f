import { describe, expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { isSha256 } from "../../src/base/digest.ts";
import type { JsonValue } from "../../src/base/json.ts";
import { formatBundle } from "../../src/trust/bundle.ts";
import {
  addSignature,
  envelopeDocument,
  formatEnvelope,
  signEnvelope,
  type Envelope,
} from "../../src/trust/dsse.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { POLICY_PAYLOAD_TYPE } from "../../src/trust/policy.ts";
import type { SigningKey } from "../../src/trust/signing-key.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE, type Statement } from "../../src/trust/statement.ts";
import { Board, LIST, NEW, OLD, PROMOTE } from "../pins/rows.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import {
  ALICE,
  BOB,
  digestOf,
  GOOD_CAPTURE,
  MALLORY,
  POLICY,
  policyBytes,
  ruleWith,
  statement,
} from "../trust/attestations.ts";

const DAY = 86_400_000;
const sha256 = NEW.slice("sha256:".length);
if (!isSha256(sha256)) throw new Error("the test's own digest");
const CAPTURE = { ...GOOD_CAPTURE, attested_at: new Date().toISOString() };

type Fields = Readonly<Record<string, { value: JsonValue; source: string; reason: null }>>;

function about(changes: Partial<Statement> = {}): Statement {
  return statement({ subjects: [{ name: "codex", digest: { sha256 } }], predicate: CAPTURE, ...changes });
}

function captured(fields: Fields, more: Record<string, JsonValue> = {}): Statement {
  return about({ predicate: { ...CAPTURE, ...more, fields: { ...CAPTURE.fields, ...fields } } });
}

function signedBy(key: SigningKey, said: Statement = about()): Envelope {
  return signEnvelope(key, STATEMENT_PAYLOAD_TYPE, formatStatement(said));
}

type Case = {
  /** Evidence: an envelope, or the text of the file. */
  readonly given?: Envelope | string;
  readonly policy?: unknown;
  readonly flags?: readonly string[];
};
type Seen = { readonly code: number; readonly codes: string[]; readonly stderr: string };

/** A promotion with this evidence through the binary; whatever comes of it, a refused one sends nothing. */
async function promote({ given = signedBy(ALICE), policy, flags = [] }: Case): Promise<Seen> {
  using folder = temporaryFolder();
  place(folder, given, policy);
  const board = new Board(OLD);
  await using server = await scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
  const under = policy === undefined ? [] : ["--policy", "policy.json", "--policy-key", "bob.pub"];
  const trusted = flags.includes("--key") ? [] : ["--key", "alice.pub"];
  const ran = await runWaybill(
    [
      ...["promote", "--template", "codex", "--digest", NEW, "--target", `prod=${server.url}`],
      ...["--allow-insecure-http", "--json", "--attestation", "it.json", ...trusted, ...under, ...flags],
    ],
    { cwd: folder.path, env: { WAYBILL_TOKEN_PROD: "a-token-of-prod" } },
  );
  const document = jsonOf(ran) as {
    error?: { code: string };
    decisions?: { refusals: { code: string }[] }[];
  };
  if (ran.code === 0) expect(board.digest).toBe(NEW);
  else expect([server.requests, board.digest]).toEqual([[], OLD]);
  const refusals = document.decisions?.flatMap((one) => one.refusals.map(({ code }) => code)) ?? [];
  return { code: ran.code, codes: [document.error?.code ?? "", ...refusals], stderr: ran.stderr };
}

function place(folder: TemporaryFolder, given: Envelope | string, policy: unknown): void {
  writeFileSync(folder.at("it.json"), typeof given === "string" ? given : formatEnvelope(given));
  writeFileSync(folder.at("alice.pub"), spkiPem(ALICE.publicKey));
  writeFileSync(folder.at("bob.pub"), spkiPem(BOB.publicKey));
  writeFileSync(folder.at("plain.json"), policyBytes(POLICY));
  if (policy === undefined) return;
  const dated = {
    issued_at: new Date(Date.now() - DAY).toISOString(),
    expires_at: new Date(Date.now() + DAY).toISOString(),
  };
  const bytes =
    typeof policy === "string"
      ? new TextEncoder().encode(policy)
      : policyBytes({ ...(policy as object), ...dated });
  writeFileSync(folder.at("policy.json"), formatEnvelope(signEnvelope(BOB, POLICY_PAYLOAD_TYPE, bytes)));
}

async function refused(given: Case, code: number, ...codes: string[]): Promise<Seen> {
  const seen = await promote(given);
  expect(seen.code).toBe(code);
  for (const one of codes) expect(seen.codes).toContain(one);
  return seen;
}

describe("evidence", () => {
  test("that is good lets the promotion happen, so that each case below changes one thing", async () => {
    expect((await promote({ policy: POLICY })).code).toBe(0);
  });

  test("case 81: none at all is 7, never 0", async () => {
    await refused({ given: "" }, 7, "no_evidence");
    await refused({ given: "\n\n" }, 7, "no_evidence");
    await refused({ flags: ["--attestation", "none.json"] }, 7, "path_not_found");
  });

  test("case 82: another predicate type is 6, and the one that was seen is named", async () => {
    const predicateType = "https://slsa.dev/provenance/v1";
    const seen = await refused(
      { given: signedBy(ALICE, about({ predicateType })) },
      6,
      "predicate_type_mismatch",
    );
    expect(seen.stderr).toContain(predicateType);
  });

  test("case 83: an unknown key, the right key over another payload type, a payload encoded anew are 6", async () => {
    await refused({ given: signedBy(MALLORY) }, 6, "signature_invalid");
    const bytes = formatStatement(about());
    await refused({ given: signEnvelope(ALICE, "text/plain", bytes) }, 6, "payload_type_mismatch");
    const document = envelopeDocument(signedBy(ALICE));
    const other = JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), null, 1);
    const payload = Buffer.from(other).toString("base64");
    await refused({ given: JSON.stringify({ ...document, payload }) }, 6, "signature_invalid");
  });

  test("case 84: one key twice does not make two of three", async () => {
    const [signature] = envelopeDocument(signedBy(ALICE)).signatures;
    const twice = { ...envelopeDocument(signedBy(ALICE)), signatures: [signature, signature] };
    const keys = ["--key", "alice.pub", "--key", "bob.pub", "--threshold", "2"];
    await refused({ given: JSON.stringify(twice), flags: keys }, 6, "threshold_not_met");
    const both = addSignature(BOB, signedBy(ALICE));
    expect((await promote({ given: both, flags: keys })).code).toBe(0);
  });

  test("case 85: a keyid that claims a trusted key makes nothing trusted", async () => {
    const document = envelopeDocument(signedBy(MALLORY));
    const { keyid } = ALICE.publicKey;
    const signatures = document.signatures.map(({ sig }) => ({ keyid, sig }));
    await refused({ given: JSON.stringify({ ...document, signatures }) }, 6, "signature_invalid");
  });

  test("case 86: of many subjects one that matches by name only is 6", async () => {
    const subjects = [
      { name: "codex", digest: { sha256: digestOf("other") } },
      { name: `codex@${NEW}`, digest: { sha256: digestOf("another") } },
      { name: NEW, digest: { gitCommit: "a".repeat(40) } },
    ];
    await refused({ given: signedBy(ALICE, about({ subjects })) }, 6, "subject_mismatch");
  });

  test("case 87: a subject with a sha512 alone is 6", async () => {
    const subjects = [{ name: "codex", digest: { sha512: "a".repeat(128) } }];
    await refused({ given: signedBy(ALICE, about({ subjects })) }, 6, "subject_mismatch");
  });

  test("case 88: a dirty work tree, and one of which nobody knows, are 5", async () => {
    for (const value of [true, null]) {
      const dirty = captured({ source_dirty: { value, source: "git", reason: null } });
      await refused({ given: signedBy(ALICE, dirty), policy: POLICY }, 5, "policy_denied");
    }
  });

  test("case 89: repositories are compared in one spelling, without credentials and .git", async () => {
    for (const written of [
      "git@github.com:Acme/app.git",
      "https://user:secret@github.com/acme/app.git",
      "ssh://git@github.com/acme/app",
    ]) {
      const seen = await promote({ policy: ruleWith({ repositories: [written] }) });
      expect(seen.code).toBe(0);
      expect(seen.stderr).not.toContain("secret");
    }
    await refused(
      { policy: ruleWith({ repositories: ["git@github.com:acme/application.git"] }) },
      5,
      "policy_denied",
    );
  });

  test("case 90: a fork, and a branch that only CI names, are 5", async () => {
    const fork = captured({ source_repo: { value: "github.com/mallory/app", source: "git", reason: null } });
    await refused({ given: signedBy(ALICE, fork), policy: POLICY }, 5, "policy_denied");
    const claimed = captured(
      { source_ref: { value: "main", source: "ci", reason: null } },
      { ref_full: null },
    );
    await refused(
      { given: signedBy(ALICE, claimed), policy: ruleWith({ refs: ["main"] }) },
      5,
      "policy_denied",
    );
  });
});

describe("case 91: a policy", () => {
  const dated = (from: number, until: number): string =>
    JSON.stringify({
      ...POLICY,
      issued_at: new Date(Date.now() + from * DAY).toISOString(),
      expires_at: new Date(Date.now() + until * DAY).toISOString(),
    });

  test("that has expired, or is not issued yet, allows nothing: 6", async () => {
    await refused({ policy: dated(-2, -1) }, 6, "policy_expired");
    await refused({ policy: dated(1, 2) }, 6, "policy_not_yet_valid");
  });

  test("that nobody signed, or that is something else, is 6; one that is not there is 2", async () => {
    for (const file of ["plain.json", "it.json"]) {
      const flags = ["--policy", file, "--policy-key", "bob.pub"];
      await refused({ flags }, 6, "signature_invalid");
    }
    const flags = ["--policy", "none.json", "--policy-key", "bob.pub"];
    await refused({ flags }, 2, "file_unreadable");
  });

  test("that cannot be understood is 2", async () => {
    await refused({ policy: "{" }, 2, "policy_invalid");
    await refused({ policy: JSON.stringify({ ...POLICY, rulez: [] }) }, 2, "policy_invalid");
  });
});

describe("case 92: a public key of small order or of another kind", () => {
  const identity = `01${"00".repeat(31)}`;
  const rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQDA";

  test("in a policy is 2", async () => {
    const weak = await promote({
      policy: ruleWith({ signers: [{ role: "ci", keys: [identity], threshold: 1 }] }),
    });
    expect(weak.code).toBe(2);
    const other = await promote({
      policy: ruleWith({ signers: [{ role: "ci", keys: [rsa], threshold: 1 }] }),
    });
    expect(other.code).toBe(2);
  });

  test("named by a flag is 2", async () => {
    await refused({ flags: ["--key", identity] }, 2, "key_weak");
    await refused({ flags: ["--key", rsa] }, 2, "key_invalid");
  });
});

describe("case 93: evidence that is too large", () => {
  test("of 300 MB is 10, and is not read", async () => {
    using folder = temporaryFolder();
    place(folder, signedBy(ALICE), undefined);
    truncateSync(folder.at("it.json"), 300_000_000);
    const words = ["promote", "--template", "codex", "--digest", NEW, "--target", "prod=http://127.0.0.1:9"];
    const flags = ["--allow-insecure-http", "--json", "--attestation", "it.json", "--key", "alice.pub"];
    const ran = await runWaybill([...words, ...flags], {
      cwd: folder.path,
      env: { WAYBILL_TOKEN_PROD: "a-token-of-prod" },
    });
    expect([ran.code, jsonOf(ran)["error"]]).toMatchObject([10, { code: "evidence_too_large" }]);
  });

  test("or nested a hundred thousand levels deep is 10", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const bundle = formatBundle(signedBy(ALICE));
    await refused({ given: bundle.replace("{", `{"x":${deep},`) }, 10, "evidence_too_large");
    const payload = Buffer.from(`{"predicate":${deep}}`);
    await refused({ given: signEnvelope(ALICE, STATEMENT_PAYLOAD_TYPE, payload) }, 10, "evidence_too_large");
  });
});
