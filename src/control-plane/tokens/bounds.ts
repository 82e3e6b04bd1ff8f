import { quoted } from "../../base/printable.ts";
import { isWithin, type TokenBounds } from "./token-bounds.ts";
import { WireRefusal } from "../http/wire.ts";

const NOUNS = { templates: "template", repos: "repository", hosts: "host" } as const;

/** Throws WireRefusal `forbidden` when the token is confined to other names; null is no name at all. */
export function refuseOutside(bounds: TokenBounds, kind: keyof TokenBounds, name: string | null): void {
  if (isWithin(bounds[kind], name)) return;
  const what = name === null ? `every ${NOUNS[kind]}` : `the ${NOUNS[kind]} ${quoted(name)}`;
  throw new WireRefusal("forbidden", `forbidden: the token is not for ${what}`);
}
