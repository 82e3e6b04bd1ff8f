import { isSha256 } from "../../base/digest.ts";
import { LIMITS } from "../../base/limits.ts";
import { attestationPage, keepAttestation } from "./attestations.ts";
import { readEnvelope } from "./envelope.ts";
import { pageLimit, wholeNumber } from "../http/query.ts";
import { readJsonBody } from "../http/request-body.ts";
import type { Route } from "../router.ts";
import { json, WireRefusal } from "../http/wire.ts";

/** Signed statements, found by what they are about. */
export const ATTESTATION_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/attestations",
    access: "attestations:write",
    action: "attestation.keep",
    answer: async ({ request, env, by }, { database }) => {
      const statement = readEnvelope(await readJsonBody(request));
      const { attestation, added } = await keepAttestation(database, env, statement, by);
      const subjects = statement.subjects.map((sha256) => `sha256:${sha256}`);
      return json({ ...attestation, subjects }, added ? 201 : 200);
    },
  },
  {
    method: "GET",
    path: "/v1/attestations/{subject}",
    access: "attestations:read",
    action: "attestation.list",
    answer: async ({ env, params, query }, { database }) => {
      const subject = (params["subject"] ?? "").replace(/^sha256:/u, "");
      if (!isSha256(subject)) throw new WireRefusal("invalid_field", "the subject must be sha256:<64 hex>");
      const limit = pageLimit(query, LIMITS.attestationsOfSubject, LIMITS.attestationsOfSubject);
      const before = wholeNumber(query, "before", Number.MAX_SAFE_INTEGER, 1);
      const { attestations, next } = await attestationPage(database, env, subject, before, limit);
      return json({ attestations, next_before: next });
    },
  },
];
