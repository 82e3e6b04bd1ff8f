import { isMap } from "../../base/decode.ts";
import { isImageDigest } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson, type JsonValue } from "../../base/json.ts";
import { WireRefusal } from "../http/wire.ts";

/** What a build form says besides its archive, after every check. Members that were not given are null. */
export type BuildForm = {
  readonly agent_id: string | null;
  readonly agent_name: string;
  readonly image_name: string;
  readonly image_tag: string;
  readonly image_digest: string | null;
  readonly platform: string | null;
  /** The names only: the values are known to carry secrets, and nobody here needs them. */
  readonly build_arg_names: readonly string[];
  readonly source_repo: string | null;
  readonly source_commit: string | null;
  readonly source_ref: string | null;
  readonly source_subpath: string | null;
  readonly source_dirty: boolean | null;
  readonly working_tree_hash: string | null;
};

/** The text fields that we read; others are ignored. */
export const BUILD_FIELDS: ReadonlySet<string> = new Set([
  "agent_id",
  "agent_name",
  "image_name",
  "image_tag",
  "image_digest",
  "build_args",
  "platform",
  "source_repo",
  "source_commit",
  "source_ref",
  "source_subpath",
  "source_dirty",
  "working_tree_hash",
]);

const PLATFORMS = ["linux/amd64", "linux/arm64", "linux/arm/v7"];
const MAX_FIELD_CHARS = 1_024;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/u;
const IMAGE_TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/u;

/** Reads the fields of `POST /v5/builds`. Throws WireRefusal. */
export function readBuildForm(fields: ReadonlyMap<string, string>): BuildForm {
  const agentId = short(fields, "agent_id");
  const agentName = short(fields, "agent_name");
  if ((agentId === null) === (agentName === null)) {
    throw refused("exactly one of agent_id and agent_name must be given");
  }
  const imageName = short(fields, "image_name");
  if (imageName === null) throw refused("image_name is required");
  const imageTag = short(fields, "image_tag") ?? "latest";
  if (!IMAGE_TAG.test(imageTag)) throw refused("image_tag must be a tag of at most 128 characters");
  const imageDigest = short(fields, "image_digest");
  if (imageDigest !== null && !isImageDigest(imageDigest)) {
    throw refused("image_digest must be sha256:<64 hex>");
  }
  const platform = short(fields, "platform");
  if (platform !== null && !PLATFORMS.includes(platform)) {
    throw refused(`platform must be one of ${PLATFORMS.join(", ")}`);
  }
  return {
    agent_id: agentId,
    // The build object must name an agent; a caller who gave the id alone gets that.
    agent_name: agentName ?? agentId ?? "",
    image_name: imageName,
    image_tag: imageTag,
    image_digest: imageDigest,
    platform,
    build_arg_names: buildArgNames(fields.get("build_args") ?? ""),
    source_repo: short(fields, "source_repo"),
    source_commit: short(fields, "source_commit"),
    source_ref: short(fields, "source_ref"),
    source_subpath: short(fields, "source_subpath"),
    source_dirty: flag(fields, "source_dirty"),
    working_tree_hash: short(fields, "working_tree_hash"),
  };
}

/** Absent and empty mean the same, as generated clients drop empty values. */
function short(fields: ReadonlyMap<string, string>, name: string): string | null {
  const value = fields.get(name) ?? "";
  if (value === "") return null;
  if (value.length > MAX_FIELD_CHARS) throw refused(`${name} must be <= ${MAX_FIELD_CHARS} chars`);
  if (CONTROL.test(value)) throw refused(`${name} must not contain control characters`);
  return value;
}

function flag(fields: ReadonlyMap<string, string>, name: string): boolean | null {
  const value = short(fields, name);
  if (value === null) return null;
  if (value !== "true" && value !== "false") throw refused(`${name} must be true or false`);
  return value === "true";
}

function buildArgNames(text: string): string[] {
  if (text === "") return [];
  let args: JsonValue;
  try {
    args = parseJson(text, { what: "build_args", code: "request_rejected" });
  } catch (error) {
    if (error instanceof Failure) throw refused("build_args must be a JSON object");
    throw error;
  }
  if (!isMap(args)) throw refused("build_args must be a JSON object");
  return Object.keys(args);
}

function refused(message: string): WireRefusal {
  return new WireRefusal("invalid_field", message);
}
