import { pageLimit, single } from "../http/query.ts";
import { WireRefusal } from "../http/wire.ts";

/** Which builds to list. */
export type BuildQuery = {
  readonly filters: Readonly<Partial<Record<BuildFilter, string>>>;
  readonly limit: number;
  readonly order: "asc" | "desc";
  readonly cursor: {
    readonly side: "after" | "before";
    readonly name: string;
    readonly id: string;
  } | null;
};

/** Members of a build that a list can be asked for, by their exact value. */
export const BUILD_FILTERS = [
  "source_repo",
  "source_commit",
  "working_tree_hash",
  "agent_name",
  "image_digest",
] as const;
type BuildFilter = (typeof BUILD_FILTERS)[number];

/** Reads the query of a list of builds. Parameters that we do not know are ignored. Throws WireRefusal. */
export function readBuildQuery(query: URLSearchParams): BuildQuery {
  const filters: Partial<Record<BuildFilter, string>> = {};
  for (const name of BUILD_FILTERS) {
    const value = single(query, name);
    if (value !== null) filters[name] = value;
  }
  const sortBy = single(query, "sort_by");
  if (sortBy !== null && sortBy !== "created_at") throw refused("sort_by must be created_at");
  const order = single(query, "sort_order") ?? "desc";
  if (order !== "asc" && order !== "desc") throw refused("sort_order must be asc or desc");
  const limit = pageLimit(query);
  return { filters, limit, order, cursor: cursorOf(query) };
}

function cursorOf(query: URLSearchParams): BuildQuery["cursor"] {
  const after = single(query, "starting_after");
  const before = single(query, "ending_before");
  if (after !== null && before !== null) {
    throw refused("starting_after and ending_before exclude each other");
  }
  if (after !== null) return { side: "after", name: "starting_after", id: after };
  return before === null ? null : { side: "before", name: "ending_before", id: before };
}

function refused(message: string): WireRefusal {
  return new WireRefusal("invalid_query", message);
}
