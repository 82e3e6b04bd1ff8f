import { integer, narrowed, object, string } from "../base/decode.ts";
import { isSha256 } from "../base/digest.ts";
import { rememberNewest } from "./newest-seen.ts";
import { policyRises, type SeenPolicy } from "./policy.ts";

const SCHEMA = "waybill.policy-seen/v1";
const SEEN = object(
  {
    schema: string(SCHEMA, (text) => text === SCHEMA),
    name: string(),
    version: integer(),
    sha256: narrowed("64 lower-case hex", isSha256),
  },
  "refused",
);

/**
 * Holds a policy against the newest one that was seen here, which is remembered in `file` (made when it is not there).
 * Throws Failure `policy_rollback`, or as `rememberNewest`.
 */
export function refuseOldPolicy(found: SeenPolicy, from: string, file: string): void {
  rememberNewest({
    file,
    name: "policy state",
    decoder: SEEN,
    rises: (seen) => policyRises(seen, found, from),
    document: { schema: SCHEMA, ...found },
  });
}
