import { decode, isMap, list, object, optional, string, type Decoder } from "../../base/decode.ts";
import { isSha256, type Sha256 } from "../../base/digest.ts";
import { fromBase64 } from "../../base/encoding.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson, type JsonMap, type JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { WireRefusal } from "../http/wire.ts";

/** What an envelope says it is about. Its signatures are not checked here, but by whoever acts on it. */
export type SignedStatement = {
  readonly envelope: JsonMap;
  readonly predicateType: string;
  readonly subjects: readonly Sha256[];
};

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const signature = object({ sig: string(), keyid: optional(string()) });
const envelope = object({
  payloadType: string(PAYLOAD_TYPE, (text) => text === PAYLOAD_TYPE),
  payload: string(),
  signatures: list(signature, LIMITS.envelopeSignatures),
});
const statement: Decoder<{ predicateType: string; subject: { digest: { sha256?: string | undefined } }[] }> =
  object({
    predicateType: string("a type URI", (text) => text !== "" && text.length <= 512 && !text.includes("\0")),
    subject: list(
      object({ digest: object({ sha256: optional(string("64 lower-case hex", isSha256)) }) }),
      LIMITS.attestationSubjects,
    ),
  });

/**
 * Reads a DSSE envelope with an in-toto statement, by itself or in a Sigstore bundle. Of a bundle the envelope alone is
 * kept: what else it holds is checked by nobody here. Throws WireRefusal.
 */
export function readEnvelope(body: JsonValue): SignedStatement {
  const inBundle = isMap(body) ? body["dsseEnvelope"] : undefined;
  const found = inBundle ?? body;
  if (!isMap(found)) throw new WireRefusal("invalid_json", "the body must be a DSSE envelope");
  const outer = decode(envelope, found);
  if (!outer.ok) throw refused(outer.problems.join("; "));
  if (outer.value.signatures.length === 0) throw refused("it has no signature");
  const payload = fromBase64(outer.value.payload);
  if (payload === null) throw refused("its payload is not base64");
  const inner = decode(statement, parsed(payload));
  if (!inner.ok) throw refused(inner.problems.slice(0, 5).join("; "));
  const digests = inner.value.subject.flatMap(({ digest: { sha256 } }) =>
    sha256 !== undefined && isSha256(sha256) ? [sha256] : [],
  );
  if (digests.length === 0) throw refused("it names no subject by sha256");
  return { envelope: found, predicateType: inner.value.predicateType, subjects: [...new Set(digests)] };
}

function parsed(payload: Uint8Array): JsonValue {
  try {
    return parseJson(payload, { what: "the statement", code: "request_rejected" });
  } catch (error) {
    if (error instanceof Failure) throw refused(error.message);
    throw error;
  }
}

function refused(why: string): WireRefusal {
  return new WireRefusal("invalid_field", `that is no signed statement: ${why}`);
}
