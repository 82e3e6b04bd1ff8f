import { isSelectorText, parseSelector, selectorText } from "../hosts/labels.ts";
import { pageLimit, single } from "../http/query.ts";
import { WireRefusal } from "../http/wire.ts";
import { isHostName } from "./addon-fields.ts";
import type { Audience } from "./assignment-request.ts";

/** Which assignments of an add-on to list: the general one, then by host name or selector. */
export type AssignmentQuery = {
  /** Those behind this one, which need not be there. */
  readonly after: Audience | null;
  readonly limit: number;
};

/** Every host, whose own spelling is empty and would say nothing in a query. No host name and no selector. */
const EVERY_HOST = "*";

/** Parameters that we do not know are ignored. Throws WireRefusal `invalid_query`. */
export function readAssignmentQuery(query: URLSearchParams): AssignmentQuery {
  return { after: cursorOf(single(query, "after")), limit: pageLimit(query) };
}

export function cursorText(audience: Audience): string {
  return audience === "" ? EVERY_HOST : audience;
}

function cursorOf(text: string | null): Audience | null {
  if (text === null || isHostName(text)) return text;
  if (text === EVERY_HOST) return "";
  if (isSelectorText(text)) return selectorText(parseSelector(text));
  throw new WireRefusal("invalid_query", "after must be *, a host or a selector, as next_after says it");
}
