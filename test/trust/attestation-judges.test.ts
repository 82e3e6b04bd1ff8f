import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { formatBundle } from "../../src/trust/bundle.ts";
import { envelopeDocument, formatEnvelope } from "../../src/trust/dsse.ts";
import { encodePkcs8 } from "../../src/trust/key-der.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { pem } from "../../src/trust/pem.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "../../src/trust/statement.ts";
import { runProgram } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";
import {
  ALICE,
  bundleOf,
  envelopeOf,
  judge,
  MALLORY,
  statement,
  type BundleDocument,
} from "./attestations.ts";
import { sigstoreTakes } from "./judges.ts";

/** Programs that others wrote, in both directions: they take what we sign, and we take what they sign. */
const HAS_OPENSSL = Bun.which("openssl") !== null;
const python = HAS_OPENSSL ? await runProgram(["python3", "-c", "import cryptography"]) : null;
const HAS_PYTHON = python?.code === 0;

const said = formatStatement(statement());

async function opensslCheck(message: Uint8Array, signature: string, key = ALICE): Promise<number> {
  using folder = temporaryFolder();
  writeFileSync(folder.at("message"), message);
  writeFileSync(folder.at("signature"), Buffer.from(signature, "base64"));
  writeFileSync(folder.at("key.pem"), spkiPem(key.publicKey));
  const words = "pkeyutl -verify -pubin -inkey key.pem -rawin -in message -sigfile signature";
  return (await runProgram(["openssl", ...words.split(" ")], { cwd: folder.path })).code;
}

const unlabelled = (bytes: Buffer): string =>
  JSON.stringify({
    payload: Buffer.from(said).toString("base64"),
    payloadType: STATEMENT_PAYLOAD_TYPE,
    signatures: [{ sig: bytes.toString("base64") }],
  });

describe.skipIf(!HAS_OPENSSL)("openssl", () => {
  const { signatures } = envelopeDocument(envelopeOf());
  const signature = signatures[0]?.sig ?? "";
  // Put together by hand from the specification, not by the code under test.
  const byHand = Buffer.concat([
    Buffer.from(`DSSEv1 ${STATEMENT_PAYLOAD_TYPE.length} ${STATEMENT_PAYLOAD_TYPE} ${said.length} `),
    said,
  ]);

  test("takes our signature over the encoding of the specification, and no other", async () => {
    expect(await opensslCheck(byHand, signature)).toBe(0);
    expect(await opensslCheck(said, signature)).not.toBe(0);
    expect(await opensslCheck(Buffer.concat([byHand, Buffer.from(" ")]), signature)).not.toBe(0);
    expect(await opensslCheck(byHand, signature, MALLORY)).not.toBe(0);
  });

  test("makes an envelope that we take, and one with a changed byte that we do not", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("message"), byHand);
    writeFileSync(folder.at("key.pem"), pem("PRIVATE KEY", encodePkcs8(ALICE.seed())));
    const words = "pkeyutl -sign -inkey key.pem -rawin -in message -out signature";
    expect((await runProgram(["openssl", ...words.split(" ")], { cwd: folder.path })).code).toBe(0);
    const sig = Buffer.from(await Bun.file(folder.at("signature")).arrayBuffer());
    expect(judge(unlabelled(sig)).accepted).toHaveLength(1);
    expect(
      judge(unlabelled(Buffer.from(sig.map((byte, at) => (at === 40 ? byte ^ 1 : byte))))).accepted,
    ).toEqual([]);
  });
});

const PYTHON = `
import base64, json, sys
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
def pae(t, p): return b"DSSEv1 %d %s %d %s" % (len(t.encode()), t.encode(), len(p), p)
given = json.load(sys.stdin)
if given["do"] == "verify":
    e = json.loads(given["envelope"])
    key = load_pem_public_key(given["key"].encode())
    key.verify(base64.b64decode(e["signatures"][0]["sig"], validate=True), pae(e["payloadType"], base64.b64decode(e["payload"], validate=True)))
else:
    key, payload = load_pem_private_key(given["key"].encode(), None), given["payload"].encode()
    sig = key.sign(pae(given["type"], payload))
    print(json.dumps({"payload": base64.urlsafe_b64encode(payload).decode(), "payloadType": given["type"], "signatures": [{"keyid": "py", "sig": base64.urlsafe_b64encode(sig).decode()}]}, indent=1))
`;

const ask = (given: object): ReturnType<typeof runProgram> =>
  runProgram(["python3", "-c", PYTHON], { stdin: JSON.stringify(given) });
const verify = (envelope: string, key = ALICE): ReturnType<typeof runProgram> =>
  ask({ do: "verify", envelope, key: spkiPem(key.publicKey) });

describe.skipIf(!HAS_PYTHON)("python3-cryptography", () => {
  test("takes our envelope, and neither another key nor another payload type", async () => {
    const envelope = formatEnvelope(envelopeOf());
    expect((await verify(envelope)).code).toBe(0);
    expect((await verify(envelope, MALLORY)).code).toBe(1);
    expect((await verify(envelope.replace("vnd.in-toto+json", "vnd.in-toto+JSON"))).code).toBe(1);
  });

  test("makes an envelope, URL-safe and over several lines, that we take", async () => {
    const key = pem("PRIVATE KEY", encodePkcs8(ALICE.seed()));
    const made = await ask({
      do: "sign",
      key,
      payload: new TextDecoder().decode(said),
      type: STATEMENT_PAYLOAD_TYPE,
    });
    expect(judge(made.stdout).accepted).toHaveLength(1);
  });
});

describe("@sigstore/verify", () => {
  test("takes our bundle", () => {
    expect(sigstoreTakes(JSON.parse(formatBundle(envelopeOf())))).toBe(true);
  });

  const changes: [string, (bundle: BundleDocument) => void][] = [
    ["another payload", (bundle) => (bundle.dsseEnvelope.payload = Buffer.from("{}").toString("base64"))],
    ["another payload type", (bundle) => (bundle.dsseEnvelope.payloadType = "text/plain")],
    [
      "another signature",
      (bundle) => (bundle.dsseEnvelope.signatures = bundleOf(undefined, MALLORY).dsseEnvelope.signatures),
    ],
    ["another hint", (bundle) => (bundle.verificationMaterial.publicKey = { hint: "x" })],
    ["no signature", (bundle) => (bundle.dsseEnvelope.signatures = [])],
    ["another media type", (bundle) => (bundle.mediaType = "application/json")],
    ["no key", (bundle) => (bundle.verificationMaterial = {})],
  ];
  test.each(changes)("and we refuse the same bundle with %s", (_what, change) => {
    const bundle = bundleOf();
    change(bundle);
    expect(sigstoreTakes(bundle)).toBe(false);
    expect(judge(JSON.stringify(bundle)).accepted).toEqual([]);
  });

  test("and we refuse another key", () => {
    expect(sigstoreTakes(bundleOf(), MALLORY)).toBe(false);
  });
});
