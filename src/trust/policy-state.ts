import { decode, integer, narrowed, object, string } from "../base/decode.ts";
import { isSha256, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { isThere, readBounded } from "../host/files.ts";
import { policyRises, type SeenPolicy } from "./policy.ts";
import { writePublicOutput } from "./public-output.ts";

const SCHEMA = "waybill.policy-seen/v1";
const SEEN = object(
  {
    schema: narrowed(SCHEMA, (text): text is typeof SCHEMA => text === SCHEMA),
    name: string(),
    version: integer(),
    sha256: narrowed<Sha256>("64 lower-case hex", isSha256),
  },
  "refused",
);

/**
 * Holds a policy against the newest one that was seen here, which is remembered in `file` (made when it is not there).
 * Throws Failure `policy_rollback`, `config_invalid` or `output_not_written`.
 */
export function refuseOldPolicy(found: SeenPolicy, from: string, file: string): void {
  const seen = readSeen(file);
  if (seen !== null && !policyRises(seen, found, from)) return;
  writePublicOutput(file, `${JSON.stringify({ schema: SCHEMA, ...found })}\n`, {
    name: `policy state ${quoted(file)}`,
  });
}

function readSeen(file: string): SeenPolicy | null {
  if (!isThere(file, "policy state")) return null;
  const what = `policy state ${quoted(file)}`;
  const bytes = readBounded(file, LIMITS.secretBytes, "policy state");
  const decoded = decode(SEEN, parseJson(bytes, { what, code: "config_invalid" }));
  if (!decoded.ok) throw new Failure("config_invalid", `${what}: ${decoded.problems.join("; ")}`);
  const { name, version, sha256 } = decoded.value;
  return { name, version, sha256 };
}
