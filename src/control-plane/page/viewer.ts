import type { Database } from "../storage/database.ts";
import { allows } from "../tokens/scopes.ts";
import { actorOf, type TokenRecord } from "../tokens/token.ts";
import { environments } from "./facts.ts";
import { WireRefusal } from "../http/wire.ts";
import type { Viewer } from "./frame.ts";

/**
 * What a token shows on the pages: its own environment, as the API does, or with `audit:read` all that there are.
 * That is the scope that sees every environment; an administrator of one is nobody in another.
 */
export async function viewerOf(token: TokenRecord, request: Request, database: Database): Promise<Viewer> {
  const { templates, repos, hosts } = token;
  const url = URL.parse(request.url);
  if (url === null) throw new WireRefusal("invalid_field", "a page needs the name of its server in Host");
  const seesEvery = allows(token.scopes, "audit:read");
  const envs = seesEvery ? await database.read(environments) : [token.env];
  return {
    actor: token.name === "" ? actorOf(token.id) : `${token.name} (${actorOf(token.id)})`,
    env: token.env,
    envs: envs.length === 0 ? [token.env] : envs,
    sees: {
      pins: allows(token.scopes, "pins:read"),
      builds: allows(token.scopes, "builds:read"),
      addons: allows(token.scopes, "addons:read"),
      hosts: allows(token.scopes, "hosts:read"),
      attestations: allows(token.scopes, "attestations:read"),
      // An event may be about any name, so what is confined to some sees what can be held against them: pins.
      all:
        (seesEvery || allows(token.scopes, "admin")) &&
        [templates, repos, hosts].every((bound) => bound === null),
    },
    bounds: { templates, repos, hosts },
    origin: url.origin,
  };
}
