import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { Database } from "../storage/database.ts";
import { recordChange, type By } from "../events/events.ts";
import { isScope } from "./scopes.ts";
import type { TokenRecord } from "./token.ts";
import type { TokenBounds } from "./token-bounds.ts";

type Row = Omit<TokenRecord, "scopes" | keyof TokenBounds> & {
  readonly scopes: string;
  readonly templates_json: string | null;
  readonly repos_json: string | null;
  readonly hosts_json: string | null;
};

function names(text: string | null): string[] | null {
  const list: string[] | null = JSON.parse(text ?? "null");
  return list;
}

function fromRow({ templates_json, repos_json, hosts_json, ...row }: Row): TokenRecord {
  return {
    ...row,
    scopes: row.scopes.split(" ").filter(isScope),
    templates: names(templates_json),
    repos: names(repos_json),
    hosts: names(hosts_json),
  };
}

/** Throws Failure `already_exists` when the id is taken: the caller mints another token. */
export function addToken(database: Database, record: TokenRecord, by: By): Promise<void> {
  return database.write(async (sql) => {
    const taken = await sql.rows("SELECT id FROM tokens WHERE id = $1", record.id);
    if (taken.length > 0) throw new Failure("already_exists", `a token with the id ${record.id} exists`);
    await sql.run(
      `INSERT INTO tokens (id, sha256, name, scopes, env, created_at, expires_at, revoked_at,
         templates_json, repos_json, hosts_json)
       VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8, $9, $10)`,
      record.id,
      record.sha256,
      record.name,
      record.scopes.join(" "),
      record.env,
      record.created_at,
      record.expires_at,
      ...[record.templates, record.repos, record.hosts].map((one) => one && JSON.stringify(one)),
    );
    const { name, scopes, env, expires_at, templates, repos, hosts } = record;
    recordChange(sql, by, {
      action: "token.new",
      subject: record.id,
      before: null,
      after: { name, scopes, env, expires_at, templates, repos, hosts },
    });
  });
}

export async function findToken(database: Database, id: string): Promise<TokenRecord | null> {
  const rows = await database.read((sql) => sql.rows<Row>("SELECT * FROM tokens WHERE id = $1", id));
  return rows[0] === undefined ? null : fromRow(rows[0]);
}

/** All of them, oldest first, the expired and revoked ones too. */
export async function listTokens(database: Database): Promise<TokenRecord[]> {
  const rows = await database.read((sql) => sql.rows<Row>("SELECT * FROM tokens ORDER BY created_at, id"));
  return rows.map(fromRow);
}

/** The instant since which it is revoked: an earlier one when it was revoked before. Throws `not_found`. */
export function revokeToken(database: Database, id: string, by: By): Promise<string> {
  return database.write(async (sql) => {
    const [row] = await sql.rows<Row>("SELECT * FROM tokens WHERE id = $1", id);
    if (row === undefined) {
      throw new Failure("not_found", `there is no token ${quoted(id)}`, {
        hint: "see: waybill token list",
      });
    }
    if (row.revoked_at !== null) return row.revoked_at;
    await sql.run("UPDATE tokens SET revoked_at = $1 WHERE id = $2", by.at, id);
    recordChange(sql, by, {
      action: "token.revoke",
      subject: id,
      before: { revoked_at: null },
      after: { revoked_at: by.at },
    });
    return by.at;
  });
}
