import { createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { bundleFromJSON, bundleToJSON } from "@sigstore/bundle";
import { DSSEBundleBuilder } from "@sigstore/sign";
import { toSignedEntity, Verifier } from "@sigstore/verify";
import { encodePkcs8 } from "../../src/trust/key-der.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { pem } from "../../src/trust/pem.ts";
import type { SigningKey } from "../../src/trust/signing-key.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "../../src/trust/statement.ts";
import { runProgram, type Finished } from "../support/binary.ts";
import { ALICE, statement } from "./attestations.ts";

/** Libraries that others wrote, as judges and as signers of attestations. */

const NONE = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0, tsaThreshold: 0 };

/** Whether @sigstore/verify accepts a bundle under this key, which it knows by the hint of ALICE. */
export function sigstoreTakes(bundle: unknown, key: SigningKey = ALICE): boolean {
  const publicKey: KeyObject = createPublicKey(spkiPem(key.publicKey));
  const trust = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: (hint: string) => {
      if (hint !== ALICE.publicKey.keyid) throw new Error("no such key");
      return { publicKey, validFor: () => true };
    },
  };
  try {
    new Verifier(trust, NONE).verify(toSignedEntity(bundleFromJSON(bundle)));
    return true;
  } catch {
    return false;
  }
}

/** A bundle that @sigstore/sign puts together; the signature itself is OpenSSL's code, in the runtime. */
export async function sigstoreBundle(
  key: SigningKey = ALICE,
  hint: string = ALICE.publicKey.keyid,
  payload: Uint8Array = formatStatement(statement()),
  type: string = STATEMENT_PAYLOAD_TYPE,
): Promise<Record<string, unknown>> {
  const secret = createPrivateKey(pem("PRIVATE KEY", encodePkcs8(key.seed())));
  const signer = {
    sign: (data: Buffer) =>
      Promise.resolve({
        signature: sign(null, data, secret),
        key: { $case: "publicKey", publicKey: spkiPem(key.publicKey), hint } as const,
      }),
  };
  const builder = new DSSEBundleBuilder({ signer, witnesses: [] });
  const bundle = await builder.create({ data: Buffer.from(payload), type });
  return JSON.parse(JSON.stringify(bundleToJSON(bundle))) as Record<string, unknown>;
}

/** Debian's own interpreter, whose modules scripts/install-test-tools puts there. */
const PYTHON = "/usr/bin/python3";
export const hasPython = async (modules: string): Promise<boolean> =>
  (await Bun.file(PYTHON).exists()) && (await runProgram([PYTHON, "-c", `import ${modules}`])).code === 0;
export const HAS_SSLIB: boolean = await hasPython("securesystemslib.keys, nacl");

export function askPython(program: string, given: object): Promise<Finished> {
  return runProgram([PYTHON, "-c", program], { stdin: JSON.stringify(given) });
}

// Debian's version has the keys and no envelopes: the encoding is written out here, the verdict is theirs.
export const SSLIB: string = `
import base64, json, sys
from securesystemslib import keys
def pae(t, p): return b"DSSEv1 %d %s %d %s" % (len(t.encode()), t.encode(), len(p), p)
given = json.load(sys.stdin)
key = {"keytype": "ed25519", "scheme": "ed25519", "keyid": "ab" * 32, "keyval": {"public": given["public"], "private": given.get("private", "")}}
if "envelope" in given:
    e = json.loads(given["envelope"])
    sig = base64.b64decode(e["signatures"][0]["sig"], validate=True)
    data = pae(e["payloadType"], base64.b64decode(e["payload"], validate=True))
    sys.exit(0 if keys.verify_signature(key, {"keyid": key["keyid"], "sig": sig.hex()}, data) else 1)
payload = given["payload"].encode()
made = keys.create_signature(key, pae(given["type"], payload))
print(json.dumps({"payload": base64.b64encode(payload).decode(), "payloadType": given["type"], "signatures": [
    {"keyid": made["keyid"], "sig": base64.b64encode(bytes.fromhex(made["sig"])).decode()}]}))
`;
