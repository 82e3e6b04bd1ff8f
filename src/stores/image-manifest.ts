import { isMap } from "../base/decode.ts";
import { isSha256, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import type { JsonMap, JsonValue } from "../base/json.ts";
import { printable } from "../base/printable.ts";
import { readManifestDocument } from "./manifest-document.ts";

/** Manifests that one index may list. */
const INDEX_ENTRIES = 1_000;

/** `os/arch` or `os/arch/variant`, with the digest of the manifest that is for it. */
export type PlatformEntry = { readonly platform: string; readonly digest: Sha256 };

export type ManifestFacts =
  | { readonly kind: "index"; readonly mediaType: string; readonly entries: readonly PlatformEntry[] }
  /** The platform of a single image stands in its configuration. */
  | { readonly kind: "image"; readonly mediaType: string; readonly config: Sha256 };

/**
 * What a manifest says of itself. Throws Failure: a protocol code, or `artifact_incomplete` for an index of nothing.
 */
export function readManifest(bytes: Uint8Array, contentType: string | null, where: string): ManifestFacts {
  const what = `the manifest of ${where}`;
  const { kind, mediaType, document } = readManifestDocument(bytes, contentType, what);
  if (kind === "index") return { kind, mediaType, entries: entriesOf(document, what) };
  return { kind, mediaType, config: digestOf(document["config"], what) };
}

function entriesOf(document: JsonMap, what: string): PlatformEntry[] {
  const list = document["manifests"];
  if (!Array.isArray(list) || list.length > INDEX_ENTRIES) {
    throw new Failure("answer_malformed", `${what} has no list of at most ${INDEX_ENTRIES} manifests`);
  }
  const entries = list.map((entry: JsonValue) => ({
    platform: platformOf(isMap(entry) ? entry["platform"] : undefined),
    digest: digestOf(entry, what),
  }));
  if (entries.length === 0) throw new Failure("artifact_incomplete", `${what} is an index of nothing`);
  // What builders attach to an image (attestations) runs nowhere.
  return entries.flatMap(({ platform, digest }) =>
    platform === null || platform.startsWith("unknown/") ? [] : [{ platform, digest }],
  );
}

function digestOf(value: JsonValue | undefined, what: string): Sha256 {
  const digest = isMap(value) ? value["digest"] : undefined;
  const hex = typeof digest === "string" && digest.startsWith("sha256:") ? digest.slice(7) : "";
  if (isSha256(hex)) return hex;
  throw new Failure("answer_malformed", `${what} has an entry without a sha256 digest`);
}

/** `os/arch[/variant]` of an index entry or an image configuration, or null when it is not said. */
export function platformOf(value: JsonValue | undefined): string | null {
  if (!isMap(value)) return null;
  const { os, architecture, variant } = value;
  if (typeof os !== "string" || typeof architecture !== "string") return null;
  const name =
    typeof variant === "string" && variant !== ""
      ? `${os}/${architecture}/${variant}`
      : `${os}/${architecture}`;
  return printable(name, 60);
}

/** Whether something for `found` runs where `wanted` is asked for: a variant names the same machine in a closer way. */
export function isForPlatform(found: string, wanted: string): boolean {
  return found === wanted || found.startsWith(`${wanted}/`);
}
