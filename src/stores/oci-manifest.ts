import { isMap } from "../base/decode.ts";
import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import type { JsonMap, JsonValue } from "../base/json.ts";
import { quoted } from "../base/printable.ts";
import { readManifestDocument } from "./manifest-document.ts";
import { parseOciDigest } from "./oci-reference.ts";

/** The content of another document or of an artifact, by its digest. */
export type Descriptor = { readonly digest: Sha256; readonly size: number };

export type Step = { readonly kind: "manifest" | "layer"; readonly descriptor: Descriptor };

/** Where a manifest was read, and what is looked for. */
export type Search = {
  readonly where: string;
  /** The Content-Type of the answer. */
  readonly contentType: string | null;
  /** The digest of the artifact; null when any single layer is it. */
  readonly wanted: Sha256 | null;
  /** `os/arch`. */
  readonly platform: string;
};

/**
 * What follows from a manifest: the manifest of the platform, or the layer that is the artifact. Throws Failure:
 * answer_malformed, answer_ambiguous, answer_unexpected, platform_unsupported, not_found, hash_mismatch.
 */
export function nextOfManifest(bytes: Uint8Array, search: Search): Step {
  const what = `the manifest of ${search.where}`;
  const { kind, document } = readManifestDocument(bytes, search.contentType, what);
  return kind === "index"
    ? { kind: "manifest", descriptor: ofPlatform(listOf(document, "manifests", what), search) }
    : { kind: "layer", descriptor: wantedLayer(listOf(document, "layers", what), search) };
}

function listOf(document: JsonMap, name: string, what: string): readonly JsonMap[] {
  const value = document[name];
  if (Array.isArray(value) && value.length <= 1_000 && value.every((entry: JsonValue) => isMap(entry))) {
    return value;
  }
  throw new Failure("answer_malformed", `${what} has no readable list of ${name}`);
}

function ofPlatform(entries: readonly JsonMap[], search: Search): Descriptor {
  const platforms = entries.map((entry) => platformOf(entry["platform"]));
  const exact = entries.filter((_, index) => platforms[index] === search.platform);
  const unnamed = entries.filter((_, index) => platforms[index] === null);
  const found = exact.length > 0 ? exact : unnamed;
  const [first, second] = found;
  if (first !== undefined && second === undefined) return descriptorOf(first, search.where);
  if (second !== undefined) {
    throw new Failure(
      "answer_ambiguous",
      `${search.where} has ${found.length} manifests for ${search.platform}`,
      {
        hint: "name the one that is meant by its digest",
      },
    );
  }
  const there = [
    ...new Set(platforms.filter((platform) => platform !== null && platform !== "unknown/unknown")),
  ];
  const shown = there
    .slice(0, 8)
    .map((platform) => quoted(platform ?? "", 40))
    .join(", ");
  throw new Failure(
    "platform_unsupported",
    `${search.where} has nothing for ${search.platform}, only for ${shown === "" ? "no platform" : shown}`,
  );
}

/** `os/arch`, or null when it is not said. A variant (arm64/v8) names the same machine in a closer way. */
function platformOf(value: JsonValue | undefined): string | null {
  if (!isMap(value)) return null;
  const { os, architecture } = value;
  return typeof os === "string" && typeof architecture === "string" ? `${os}/${architecture}` : null;
}

function wantedLayer(entries: readonly JsonMap[], search: Search): Descriptor {
  const layers = entries.map((entry) => descriptorOf(entry, search.where));
  const [first, second] = layers;
  if (first === undefined) throw new Failure("not_found", `${search.where} has no layer`);
  if (search.wanted === null && second === undefined) return first;
  const found = layers.find(({ digest }) => digest === search.wanted);
  if (found !== undefined) return found;
  if (search.wanted === null) {
    throw new Failure("answer_ambiguous", `${search.where} has ${layers.length} layers, and none was named`);
  }
  const shown = layers
    .slice(0, 4)
    .map(({ digest }) => digest)
    .join(", ");
  throw new Failure("hash_mismatch", `${search.where} holds ${shown}; assigned is ${search.wanted}`, {
    hint: "the tag was moved since the artifact was assigned, or another one was pushed under it",
  });
}

function descriptorOf(entry: JsonMap, where: string): Descriptor {
  const { digest, size } = entry;
  if (typeof digest !== "string" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new Failure("answer_malformed", `${where} has an entry without a digest and a size`);
  }
  return {
    digest: parseOciDigest(digest, "answer_unexpected"),
    size,
  };
}
