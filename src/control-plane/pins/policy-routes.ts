import type { Route } from "../router.ts";
import { json } from "../http/wire.ts";

/** The trust policy that this server enforces: what a promotion has to prove is no secret to those who promote. */
export const POLICY_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/policy",
    access: "pins:read",
    action: "policy.read",
    answer: async (_, { trustPolicy }) => {
      const enforced = trustPolicy();
      if (enforced === null) return json({ policy: null });
      const { policy, sha256 } = enforced;
      return json({
        policy: {
          name: policy.name,
          version: policy.version,
          sha256,
          issued_at: policy.issuedAt.toISOString(),
          expires_at: policy.expiresAt.toISOString(),
          rules: policy.rules.map(({ name, level, environments, templates }) => ({
            name,
            level,
            environments,
            templates,
          })),
        },
      });
    },
  },
];
