/** What a token is confined to, beside its scopes and its environment; null is everything. */
export type TokenBounds = {
  readonly templates: readonly string[] | null;
  /** Normalised remotes of builds: `github.com/acme/agent`. */
  readonly repos: readonly string[] | null;
  readonly hosts: readonly string[] | null;
};

export const UNBOUND: TokenBounds = { templates: null, repos: null, hosts: null };

/** Names only: what a pattern lets through is seen by nobody until it is used. */
export function isWithin(bound: readonly string[] | null, name: string | null): boolean {
  return bound === null || (name !== null && bound.includes(name));
}
