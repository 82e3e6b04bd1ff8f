import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, type JsonMap } from "../base/json.ts";
import { quoted } from "../base/printable.ts";

/** Bytes of one manifest or image configuration: the ceiling of the registries themselves. */
export const MANIFEST_BYTES = 4_194_304;

const INDEXES = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);
const MANIFESTS = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);
/** For the Accept header. */
export const MANIFEST_TYPES: string = [...INDEXES, ...MANIFESTS].join(", ");

/** A document of a registry, by its media type. */
export type ManifestDocument = {
  readonly kind: "index" | "image";
  readonly mediaType: string;
  readonly document: JsonMap;
};

/** What a manifest is. `what` names it for messages. Throws Failure with a protocol code. */
export function readManifestDocument(
  bytes: Uint8Array,
  contentType: string | null,
  what: string,
): ManifestDocument {
  const document = parseJson(bytes, { what, code: "answer_malformed", maxBytes: MANIFEST_BYTES });
  if (!isMap(document)) throw new Failure("answer_malformed", `${what} is no object`);
  // One reader takes it for an index and another for an image: the digest would cover two things.
  if (document["manifests"] !== undefined && document["layers"] !== undefined) {
    throw new Failure("answer_ambiguous", `${what} has both manifests and layers`);
  }
  const mediaType = mediaTypeOf(document, contentType, what);
  if (INDEXES.has(mediaType)) return { kind: "index", mediaType, document };
  if (MANIFESTS.has(mediaType)) return { kind: "image", mediaType, document };
  throw new Failure("answer_unexpected", `${what} has the media type ${quoted(mediaType, 100)}`, {
    hint: "wanted an OCI or Docker (schema 2) manifest or index; push it with a newer tool",
  });
}

function mediaTypeOf(document: JsonMap, contentType: string | null, what: string): string {
  const said = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  const own = document["mediaType"];
  if (own === undefined) return said;
  if (typeof own !== "string")
    throw new Failure("answer_malformed", `${what} has a media type that is no text`);
  const known = INDEXES.has(said) || MANIFESTS.has(said);
  if (!known || said === own) return own;
  throw new Failure(
    "answer_ambiguous",
    `${what} says ${quoted(own, 100)}, its Content-Type ${quoted(said, 100)}`,
  );
}
