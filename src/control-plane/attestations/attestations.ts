import type { Sha256 } from "../../base/digest.ts";
import { sha256Of } from "../../base/hashing.ts";
import type { JsonMap } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Database, Sql } from "../storage/database.ts";
import { pageEnd } from "../storage/fitting.ts";
import { PutTable } from "../storage/put-rows.ts";
import type { SignedStatement } from "./envelope.ts";
import { recordChange, type By } from "../events/events.ts";
import { WireRefusal } from "../http/wire.ts";

/** A signed statement that is kept, by the digest of its envelope. */
export type Attestation = {
  readonly sha256: string;
  readonly predicate_type: string;
  readonly stored_at: string;
  readonly stored_by: string;
};

type Row = Attestation & { readonly envelope_json: string };

const SUBJECTS = new PutTable("INSERT INTO attestation_subjects (env, subject_sha256, sha256) VALUES", 3);

/** Keeps a statement; `added` is false when the same one was there. Throws WireRefusal `too_many_attestations`. */
export function keepAttestation(
  database: Database,
  env: string,
  { envelope, predicateType, subjects }: SignedStatement,
  by: By,
): Promise<{ readonly attestation: Attestation; readonly added: boolean }> {
  const envelope_json = JSON.stringify(envelope);
  const sha256 = sha256Of(envelope_json);
  return database.write(async (sql) => {
    const [known] = await sql.rows<Attestation>(
      "SELECT sha256, predicate_type, stored_at, stored_by FROM attestations WHERE env = $1 AND sha256 = $2",
      env,
      sha256,
    );
    if (known !== undefined) return { attestation: known, added: false };
    await refuseCrowded(sql, env, subjects);
    const seq = recordChange(sql, by, {
      action: "attestation.keep",
      subject: sha256,
      before: null,
      after: { predicate_type: predicateType, subjects: subjects.slice(0, 100) },
    });
    await sql.run(
      `INSERT INTO attestations (env, sha256, predicate_type, envelope_json, stored_at, stored_by, seq)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      env,
      sha256,
      predicateType,
      envelope_json,
      by.at,
      by.actor,
      seq,
    );
    for (const subject of subjects) sql.put(SUBJECTS, `${env} ${subject} ${sha256}`, [env, subject, sha256]);
    const attestation = { sha256, predicate_type: predicateType, stored_at: by.at, stored_by: by.actor };
    return { attestation, added: true };
  });
}

/**
 * Subjects that are looked at with one statement: ten thousand of them would be as many, and every other write waits.
 */
const AT_ONCE = 64;
const PLACES = Array.from({ length: AT_ONCE }, (_, at) => `$${at + 2}`).join(", ");

/** Throws WireRefusal `too_many_attestations`. */
async function refuseCrowded(sql: Sql, env: string, subjects: readonly Sha256[]): Promise<void> {
  for (let at = 0; at < subjects.length; at += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, index) => subjects[at + index] ?? "");
    const [full] = await sql.rows<{ subject: string }>(
      `SELECT subject_sha256 AS subject FROM attestation_subjects WHERE env = $1 AND subject_sha256 IN (${PLACES})
       GROUP BY subject_sha256 HAVING count(*) >= ${LIMITS.attestationsOfSubject} LIMIT 1`,
      env,
      ...some,
    );
    if (full === undefined) continue;
    const text = `sha256:${full.subject} has ${LIMITS.attestationsOfSubject} statements already`;
    throw new WireRefusal("too_many_attestations", text);
  }
}

type Shown = Attestation & { readonly envelope: JsonMap };

const COLUMNS = "a.sha256, a.predicate_type, a.envelope_json, a.stored_at, a.stored_by";

function fromRow({ envelope_json, ...row }: Row): Shown {
  const envelope: JsonMap = JSON.parse(envelope_json);
  return { ...row, envelope };
}

/** The statements about a digest (64 hex), the newest first. */
export async function attestationsOf(
  { rows: read }: Pick<Sql, "rows">,
  env: string,
  subject: string,
): Promise<Shown[]> {
  const rows = await read<Row>(
    `SELECT ${COLUMNS} FROM attestations a JOIN attestation_subjects s ON s.env = a.env AND s.sha256 = a.sha256
     WHERE s.env = $1 AND s.subject_sha256 = $2 ORDER BY a.seq DESC`,
    env,
    subject,
  );
  return rows.map(fromRow);
}

/** Of a statement without its envelope, generously. */
const NAMES_CHARS = 1_000;

/**
 * At most `limit` statements about a digest that were kept before event `before`,
 * the newest first, fewer when they are long: a hundred of them may be a hundred
 * megabytes. `next` is the event before which there may be more; null at the end.
 */
export function attestationPage(
  database: Database,
  env: string,
  subject: string,
  before: number,
  limit: number,
): Promise<{ readonly attestations: Shown[]; readonly next: number | null }> {
  const of = `FROM attestations a JOIN attestation_subjects s ON s.env = a.env AND s.sha256 = a.sha256
     WHERE s.env = $1 AND s.subject_sha256 = $2 AND a.seq < $3`;
  return database.read(async (sql) => {
    const sizes = await sql.rows<{ seq: number; chars: number }>(
      `SELECT a.seq, length(a.envelope_json) + ${NAMES_CHARS} AS chars ${of} ORDER BY a.seq DESC LIMIT $4`,
      env,
      subject,
      before,
      limit,
    );
    const { last, next } = pageEnd(sizes, limit);
    if (last === null) return { attestations: [], next: null };
    const rows = await sql.rows<Row>(
      `SELECT ${COLUMNS} ${of} AND a.seq >= $4 ORDER BY a.seq DESC`,
      env,
      subject,
      before,
      last.seq,
    );
    return { attestations: rows.map(fromRow), next: next?.seq ?? null };
  });
}
