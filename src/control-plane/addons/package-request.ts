import { isSha256, type Sha256 } from "../../base/digest.ts";
import { fromHexOrBase64 } from "../../base/encoding.ts";
import { isMap } from "../../base/decode.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson, type JsonMap, type JsonValue } from "../../base/json.ts";
import { quoted } from "../../base/printable.ts";
import { isPlatform, readArgs, readConfig, readTexts, refusedField, requireSegment } from "./addon-fields.ts";
import { requireMap } from "../http/wire.ts";

/** What was published for one platform. An entry without its key or its digest is kept and never delivered. */
export type PackageArtifact = {
  readonly object_key?: string;
  readonly sha256?: Sha256;
  readonly signature?: string;
  /** The envelope of a signed statement, as JSON text: hosts judge it, we only keep it. */
  readonly statement?: string;
};

/** A version of an add-on, as it is published and as it is answered. `artifacts` is keyed by `os/arch`. */
export type Package = {
  readonly addon_id: string;
  readonly version: string;
  readonly binary: string;
  readonly delivery: string;
  readonly supervision: string;
  readonly args: readonly string[];
  readonly config_json: JsonMap;
  readonly capabilities: readonly string[];
  readonly artifacts: Readonly<Record<string, PackageArtifact>>;
};

const DELIVERIES = ["compiled_in", "pushed_artifact", "os_package"];
const SUPERVISIONS = [
  "config_toggle",
  "agent_sidecar",
  "systemd_service",
  "systemd_timer",
  "ephemeral_helper",
];
const KEY_SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._+-]+$/u;
const CAPABILITY = /^[a-z0-9][a-z0-9_.:-]{0,127}$/u;
const MAX_PLATFORMS = 64;
const MAX_KEY_CHARS = 1_024;
const SIGNATURE_BYTES = 64;
const MAX_STATEMENT_CHARS = 65_536;

/** Reads the body of `POST /v1/addons/packages`. Throws WireRefusal. */
export function readPackage(body: JsonValue): Package {
  const map = requireMap(body);
  return {
    addon_id: requireSegment(map, "addon_id"),
    version: requireSegment(map, "version"),
    binary: requireSegment(map, "binary"),
    delivery: oneOf(map, "delivery", DELIVERIES, "pushed_artifact"),
    supervision: oneOf(map, "supervision", SUPERVISIONS, "agent_sidecar"),
    args: readArgs(map) ?? [],
    config_json: readConfig(map) ?? {},
    capabilities:
      readTexts(map, "capabilities", (text) => CAPABILITY.test(text), "names in lower case") ?? [],
    artifacts: readArtifacts(map["artifacts"] ?? {}),
  };
}

/** Manifests spell these with hyphens, assignments with underscores; both are taken. */
function oneOf(map: JsonMap, name: string, known: readonly string[], otherwise: string): string {
  const value = map[name] ?? "";
  if (value === "") return otherwise;
  const spelled = typeof value === "string" ? value.replaceAll("-", "_") : "";
  if (!known.includes(spelled)) throw refusedField(`${name} must be one of ${known.join(", ")}`);
  return spelled;
}

function readArtifacts(value: JsonValue): Record<string, PackageArtifact> {
  if (!isMap(value) || Object.keys(value).length > MAX_PLATFORMS) {
    throw refusedField(`artifacts must be an object of at most ${MAX_PLATFORMS} platforms`);
  }
  const artifacts: Record<string, PackageArtifact> = Object.create(null);
  for (const [platform, entry] of Object.entries(value)) {
    if (!isPlatform(platform)) throw refusedField(`artifacts: ${quoted(platform, 60)} is not os/arch`);
    if (!isMap(entry)) throw refusedField(`artifacts[${platform}] must be an object`);
    artifacts[platform] = readArtifact(entry, `artifacts[${platform}]`);
  }
  return artifacts;
}

function readArtifact(entry: JsonMap, where: string): PackageArtifact {
  const key = text(entry, "object_key", where);
  if (key !== "" && !isObjectKey(key)) {
    throw refusedField(`${where}.object_key must be a relative path of plain segments`);
  }
  const sha256 = text(entry, "sha256", where);
  if (sha256 !== "" && !isSha256(sha256)) throw refusedField(`${where}.sha256 must be 64 lower-case hex`);
  const signature = text(entry, "signature", where);
  // Caught here, where its author reads the answer, and not on every host that would refuse it.
  if (signature !== "" && fromHexOrBase64(signature)?.length !== SIGNATURE_BYTES) {
    throw refusedField(`${where}.signature must be ${SIGNATURE_BYTES} bytes in hex or base64`);
  }
  const statement = text(entry, "statement", where);
  if (statement !== "" && !isObjectText(statement)) {
    throw refusedField(
      `${where}.statement must be the JSON of an envelope, at most ${MAX_STATEMENT_CHARS} chars`,
    );
  }
  return {
    ...(key === "" ? {} : { object_key: key }),
    ...(sha256 === "" ? {} : { sha256 }),
    ...(signature === "" ? {} : { signature }),
    ...(statement === "" ? {} : { statement }),
  };
}

function text(entry: JsonMap, name: string, where: string): string {
  const value = entry[name] ?? "";
  if (typeof value !== "string") throw refusedField(`${where}.${name} must be a string`);
  return value;
}

function isObjectText(text: string): boolean {
  try {
    const source = { what: "a statement", code: "request_rejected", maxBytes: MAX_STATEMENT_CHARS } as const;
    return isMap(parseJson(text, source));
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** Hosts resolve the key against a store: it must not lead out of it. */
function isObjectKey(key: string): boolean {
  return key.length <= MAX_KEY_CHARS && key.split("/").every((segment) => KEY_SEGMENT.test(segment));
}
