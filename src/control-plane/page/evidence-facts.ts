import { isMap } from "../../base/decode.ts";
import { fromBase64 } from "../../base/encoding.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson, type JsonValue } from "../../base/json.ts";
import { CAPTURE_TYPE } from "../../trust/attestation-types.ts";
import type { Sql } from "../storage/database.ts";
import { receiptsOf } from "../pins/pin-receipts.ts";
import type { BuildFact, PinFact } from "./board.ts";
import { receiptFact, type ReceiptFact, type SignedFact } from "./evidence.ts";
import { tokenNames } from "./facts.ts";

/** Statements that a page looks at. */
const MOST = 100;

/** The signed captures about the image of a build, or about the archive that came with it. */
export async function capturesOf(sql: Sql, build: BuildFact): Promise<SignedFact[]> {
  const rows = await sql.rows<{ envelope_json: string }>(
    `SELECT a.envelope_json FROM attestations a JOIN attestation_subjects s ON s.env = a.env AND s.sha256 = a.sha256
     WHERE s.env = $1 AND s.subject_sha256 IN ($2, $3) AND a.predicate_type = $4 ORDER BY a.seq DESC LIMIT ${MOST}`,
    build.env,
    (build.digest ?? "").slice("sha256:".length),
    build.contextSha256,
    CAPTURE_TYPE,
  );
  return rows.flatMap(({ envelope_json: text }) => signedFact(parsed(text)) ?? []);
}

/** The receipts of the version that a pin has, oldest first. */
export async function receiptFacts(sql: Sql, pin: PinFact): Promise<ReceiptFact[]> {
  const place = { template_name: pin.template, region: pin.region };
  const stored = await receiptsOf(sql, pin.env, place, pin.version);
  const names = await tokenNames(
    sql,
    stored.map(({ by }) => by),
  );
  return stored.flatMap((one) => {
    const signed = signedFact(one.envelope);
    return signed === null ? [] : [receiptFact({ ...one, by: names.get(one.by) ?? one.by }, signed)];
  });
}

/** Of an envelope, by itself or in a Sigstore bundle. */
function signedFact(stored: JsonValue): SignedFact | null {
  const envelope = isMap(stored) ? (stored["dsseEnvelope"] ?? stored) : null;
  if (!isMap(envelope)) return null;
  const { payload, signatures } = envelope;
  const bytes = typeof payload === "string" ? fromBase64(payload) : null;
  const statement = bytes === null ? null : parsed(bytes);
  const predicate = isMap(statement) ? statement["predicate"] : undefined;
  if (!isMap(predicate)) return null;
  return { predicate, keyids: Array.isArray(signatures) ? signatures.flatMap(keyidOf) : [] };
}

function keyidOf(signature: JsonValue): string[] {
  const keyid = isMap(signature) ? signature["keyid"] : undefined;
  return typeof keyid === "string" ? [keyid] : [];
}

/** What nobody can read says nothing. */
function parsed(text: string | Uint8Array): JsonValue {
  try {
    return parseJson(text, { what: "a statement", code: "storage_failed" });
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}
