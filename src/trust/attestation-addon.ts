import { decode, integer, object, optional, parsed, string } from "../base/decode.ts";
import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { instantOf } from "../base/instant.ts";
import type { JsonMap } from "../base/json.ts";
import { ADDON_TYPE } from "./attestation-types.ts";
import type { Statement } from "./statement.ts";

/**
 * What a publisher says of an artifact beyond its bytes. A signature over bytes alone is as good for another id, for
 * an older version, and for ever.
 */
export type AddonClaims = {
  readonly addonId: string;
  readonly version: string;
  /** As Go spells them: `linux`, `amd64`. */
  readonly os: string;
  readonly arch: string;
  /** Bytes of the artifact. */
  readonly size: number;
  readonly issued: Date;
  /** From then on nobody stages it any more; null for never. */
  readonly expires: Date | null;
  /** No host that saw this statement stages an older version again; "" for none. */
  readonly minimumVersion: string;
};

/** The statement of an artifact; its subject is the bytes. */
export function addonStatement(sha256: Sha256, claims: AddonClaims): Statement {
  const { addonId, version, os, arch, size, issued, expires, minimumVersion } = claims;
  const predicate: JsonMap = {
    addon_id: addonId,
    version,
    os,
    arch,
    size,
    issued: issued.toISOString(),
    ...(expires === null ? {} : { expires: expires.toISOString() }),
    ...(minimumVersion === "" ? {} : { minimum_version: minimumVersion }),
  };
  const subject = { name: `${addonId} ${version} ${os}/${arch}`, digest: { sha256 } };
  return { subjects: [subject], predicateType: ADDON_TYPE, predicate };
}

const instant = parsed("a time such as 2026-12-31T00:00:00.000Z", instantOf);
const word = string("text", (text) => text !== "");

const predicate = object({
  addon_id: word,
  version: word,
  os: word,
  arch: word,
  size: integer(),
  issued: instant,
  expires: optional(instant),
  minimum_version: optional(word),
});

/** The claims of a statement that was verified. Throws Failure `statement_invalid`. */
export function addonClaims(statement: Statement): AddonClaims {
  const decoded = decode(predicate, statement.predicate);
  if (!decoded.ok) {
    throw new Failure(
      "statement_invalid",
      `the statement of the add-on is malformed: ${decoded.problems.slice(0, 3).join("; ")}`,
    );
  }
  const { addon_id: addonId, expires = null, minimum_version: minimumVersion = "", ...rest } = decoded.value;
  return { ...rest, addonId, expires, minimumVersion };
}
