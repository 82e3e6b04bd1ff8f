import { isImageDigest, type ImageDigest } from "../../base/digest.ts";
import type { JsonMap, JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/printable.ts";
import { allows, type Scope } from "../tokens/scopes.ts";
import { requireMap, WireRefusal } from "../http/wire.ts";

/** What a promote request asks for, after every check. */
export type Promotion = {
  readonly template_name: string;
  readonly region: string;
  readonly image_digest: ImageDigest;
  readonly git_sha?: string;
  readonly notes?: string;
  /** The number of the build; a lower one is an older build. */
  readonly seq?: number;
  /** What the write may override, and why: an older build, or with `breakGlass` a hold, a veto or a freeze. */
  readonly force?: Force;
};

type Force = { readonly rollback: boolean; readonly breakGlass: boolean; readonly reason: string };

const TEMPLATE = /^[a-z0-9_-]{1,128}$/u;
const REGION = /^[a-z0-9][a-z0-9_-]{0,63}$/u;
const GIT_SHA = /^(?:[0-9a-f]{7,40}|[0-9a-f]{64})$/u;

/**
 * Reads the body of a promote request. The texts are the ones that scripts have printed for years. Members that we
 * do not know are ignored, and so are `promoted_by` and `promoted_at`: only the server says who and when.
 */
export function readPromotion(json: JsonValue): Promotion {
  const body = requireMap(json);
  const template = text(body, "template_name");
  if (template === "") throw refused("template_name is required");
  if (!TEMPLATE.test(template)) throw refused("template_name must match ^[a-z0-9_-]+$");
  const digest = text(body, "image_digest");
  if (!isImageDigest(digest)) throw refused("image_digest must be sha256:<64 hex>");
  const region = text(body, "region");
  if (region !== "" && !REGION.test(region)) throw refused("region must match ^[a-z0-9_-]+$");
  const gitSha = text(body, "git_sha");
  if (gitSha !== "" && !GIT_SHA.test(gitSha)) throw refused("git_sha must be 7..40 lower-case hex");
  const notes = text(body, "notes");
  if (notes.length > LIMITS.notesChars && Array.from(notes).length > LIMITS.notesChars) {
    throw refused(`notes must be <= ${LIMITS.notesChars} chars`);
  }
  const seq = body["seq"] ?? null;
  if (seq !== null && !(typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 0)) {
    throw refused("seq must be a whole number");
  }
  const force = readForce(body);
  return {
    template_name: template,
    region: region === "" ? "global" : region,
    image_digest: digest,
    ...(gitSha === "" ? {} : { git_sha: gitSha }),
    ...(notes === "" ? {} : { notes }),
    ...(seq === null ? {} : { seq }),
    ...(force === null ? {} : { force }),
  };
}

/** Which pin of an environment. */
export type PinPlace = Pick<Promotion, "template_name" | "region">;

/** The pin that a path names. */
export function readPlace(params: Readonly<Record<string, string>>): PinPlace {
  const { template: template_name = "", region = "" } = params;
  if (!TEMPLATE.test(template_name)) throw refused("template_name must match ^[a-z0-9_-]+$");
  if (!REGION.test(region)) throw refused("region must match ^[a-z0-9_-]+$");
  return { template_name, region };
}

/** Breaking the glass takes the scope of those who hang it. */
export function refuseUnscoped({ force }: Promotion, scopes: readonly Scope[]): void {
  if (force?.breakGlass === true && !allows(scopes, "admin"))
    throw new WireRefusal("forbidden", "forbidden: break_glass needs the scope admin");
}

function readForce(body: JsonMap): Force | null {
  const [rollback, breakGlass] = [flag(body, "rollback"), flag(body, "break_glass")];
  return rollback || breakGlass ? { rollback, breakGlass, reason: readReason(body) } : null;
}

/** Why somebody does what the rules would not have; kept in the history. */
export function readReason(body: JsonMap): string {
  const reason = printable(text(body, "reason"), LIMITS.notesChars);
  if (reason === "") throw refused("reason is required");
  return reason;
}

function flag(body: JsonMap, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== "boolean") throw refused(`${name} must be true or false`);
  return value;
}

/** Absent, null and "" mean the same: existing scripts send an empty member for a variable that is not set. */
function text(body: JsonMap, name: string): string {
  const value = body[name] ?? "";
  if (typeof value !== "string") throw refused(`${name} must be a string`);
  // No text of a PostgreSQL database can hold it.
  if (value.includes("\0")) throw refused(`${name} must not hold a NUL character`);
  return value;
}

function refused(message: string): WireRefusal {
  return new WireRefusal("invalid_field", message);
}
