import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import type { JsonValue } from "../base/json.ts";
import { classifyRead } from "./classify-read.ts";
import { ask, foreseen, named, reader, type Exchange } from "./pin-client.ts";
import { jsonObject } from "./server-text.ts";
import type { Target } from "./target.ts";

/** What a control plane recorded of a build; null wherever it says nothing. */
export type BuildRecord = {
  readonly id: string;
  readonly digest: string | null;
  readonly commit: string | null;
  readonly repository: string | null;
  readonly treeHash: string | null;
};

export type BuildFilter = "image_digest" | "working_tree_hash" | "source_commit";

/** The newest builds of one kind that are looked at. */
const LIMIT = 20;

/** The newest build with this value; null for none. What goes wrong is a Failure. */
export async function findBuild(
  target: Target,
  filter: BuildFilter,
  value: string,
  exchange: Exchange,
): Promise<BuildRecord | Failure | null> {
  try {
    const path = `/v5/builds?${filter}=${encodeURIComponent(value)}&limit=${LIMIT}`;
    const heard = await ask(target, exchange, { method: "GET", path }, reader(target));
    if (heard.status === 404) return null;
    const failure = classifyRead(heard, "the list of builds");
    if (failure !== null) return named(failure, reader(target));
    const items = jsonObject(heard.body)?.["items"];
    if (!Array.isArray(items))
      return new Failure("answer_malformed", "the list of builds is not understood: it has no items");
    // A server that does not know the filter sends every build.
    const found = items.find((item: JsonValue) => isMap(item) && item[filter] === value);
    return found === undefined ? null : recordOf(found);
  } catch (error) {
    return foreseen(error);
  }
}

function recordOf(item: JsonValue): BuildRecord | null {
  if (!isMap(item) || typeof item["id"] !== "string") return null;
  return {
    id: item["id"],
    digest: text(item["image_digest"]),
    commit: text(item["source_commit"]),
    repository: text(item["source_repo"]),
    treeHash: text(item["working_tree_hash"]),
  };
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
