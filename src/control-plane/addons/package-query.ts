import { pageLimit, single } from "../http/query.ts";
import { WireRefusal } from "../http/wire.ts";
import { isSegment } from "./addon-fields.ts";

export type PackageName = { readonly addon_id: string; readonly version: string };

/** Which packages to list, in the order of their ids and then versions. */
export type PackageQuery = {
  /** Of one add-on, of one version, alone. */
  readonly filters: Partial<PackageName>;
  /** Those behind this one, which need not be there. */
  readonly after: PackageName | null;
  readonly limit: number;
};

/** Parameters that we do not know are ignored. Throws WireRefusal `invalid_query`. */
export function readPackageQuery(query: URLSearchParams): PackageQuery {
  const [addon_id, version] = [single(query, "addon_id"), single(query, "version")];
  return {
    filters: { ...(addon_id === null ? {} : { addon_id }), ...(version === null ? {} : { version }) },
    after: cursorOf(single(query, "after")),
    limit: pageLimit(query),
  };
}

/** Neither part of it can hold the sign between them. */
export function cursorText({ addon_id, version }: PackageName): string {
  return `${addon_id}@${version}`;
}

function cursorOf(text: string | null): PackageName | null {
  if (text === null) return null;
  const [addon_id = "", version = "", ...more] = text.split("@");
  if (isSegment(addon_id) && isSegment(version) && more.length === 0) return { addon_id, version };
  throw new WireRefusal("invalid_query", "after must be ADDON_ID@VERSION, as next_after says it");
}
