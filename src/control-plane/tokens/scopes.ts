/** What a token may do. `admin` stands for all of them but `audit:read`, which sees every environment. */
export const SCOPES = [
  "builds:read",
  "builds:write",
  "pins:read",
  "pins:write",
  "addons:read",
  "addons:write",
  "hosts:read",
  "hosts:report",
  "attestations:read",
  "attestations:write",
  "audit:read",
  "metrics:read",
  "admin",
] as const;

export type Scope = (typeof SCOPES)[number];

const KNOWN: ReadonlySet<string> = new Set(SCOPES);
const ENV_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/u;

export function isScope(text: string): text is Scope {
  return KNOWN.has(text);
}

export function allows(granted: readonly Scope[], wanted: Scope): boolean {
  return granted.includes(wanted) || (wanted !== "audit:read" && granted.includes("admin"));
}

/** The name of an environment: what a token is bound to, and what its pins, packages and builds belong to. */
export function isEnvName(text: string): boolean {
  return ENV_NAME.test(text);
}
