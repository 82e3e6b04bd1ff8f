import { pageLimit, single } from "../http/query.ts";
import { WireRefusal } from "../http/wire.ts";
import type { PinPlace } from "./promotion.ts";

/** Which pins to list, in the order of their templates and then regions. */
export type PinQuery = {
  /** Of one template, of one region, alone. */
  readonly filters: Partial<PinPlace>;
  /** Those behind this one, which need not be there. */
  readonly after: PinPlace | null;
  readonly limit: number;
};

/** Parameters that we do not know are ignored. Throws WireRefusal `invalid_query`. */
export function readPinQuery(query: URLSearchParams): PinQuery {
  const [template_name, region] = [single(query, "template"), single(query, "region")];
  return {
    filters: { ...(template_name === null ? {} : { template_name }), ...(region === null ? {} : { region }) },
    after: cursorOf(single(query, "after")),
    limit: pageLimit(query),
  };
}

/** Neither part of it can hold the sign between them. */
export function cursorText({ template_name, region }: PinPlace): string {
  return `${template_name}/${region}`;
}

function cursorOf(text: string | null): PinPlace | null {
  if (text === null) return null;
  const [template_name = "", region = "", ...more] = text.split("/");
  if (template_name !== "" && region !== "" && more.length === 0) return { template_name, region };
  throw new WireRefusal("invalid_query", "after must be TEMPLATE/REGION, as next_after says it");
}
