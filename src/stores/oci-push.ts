import type { Sha256 } from "../base/digest.ts";
import { sha256Of } from "../base/hashing.ts";
import type { Registry } from "./oci-registry.ts";
import type { Read } from "./registry-request.ts";
import type { ObjectWrite } from "./store.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const EMPTY_CONFIG = new TextEncoder().encode("{}");

/**
 * Pushes a file as a blob, and a manifest with a tag that names it: a registry throws blobs away that no manifest
 * has. What is there already is not sent again.
 */
export async function pushArtifact(registry: Registry, object: ObjectWrite): Promise<void> {
  const config = sha256Of(EMPTY_CONFIG);
  await pushBlob(registry, object.sha256, Bun.file(object.file), object);
  await pushBlob(registry, config, EMPTY_CONFIG, object);
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: "application/vnd.waybill.addon.v1",
    config: {
      mediaType: "application/vnd.oci.empty.v1+json",
      digest: `sha256:${config}`,
      size: EMPTY_CONFIG.length,
    },
    layers: [{ mediaType: "application/octet-stream", digest: `sha256:${object.sha256}`, size: object.size }],
  };
  await registry.change(
    `manifests/${tagOf(object.key)}`,
    {
      method: "PUT",
      headers: { "content-type": MANIFEST_TYPE },
      body: JSON.stringify(manifest),
      success: 201,
    },
    object,
  );
}

async function pushBlob(
  registry: Registry,
  sha256: Sha256,
  body: Blob | Uint8Array,
  read: Read,
): Promise<void> {
  if (await registry.hasBlob(sha256, read)) return;
  const begun = await registry.change("blobs/uploads/", { method: "POST", success: 202 }, read);
  const place = registry.uploadPlace(begun);
  place.searchParams.set("digest", `sha256:${sha256}`);
  const headers = { "content-type": "application/octet-stream" };
  await registry.change(place, { method: "PUT", headers, body, success: 201 }, read);
}

/** One tag for one key: tags are flat, and of 128 characters. The end of a key tells most. */
function tagOf(key: string): string {
  return key
    .replaceAll(/[^A-Za-z0-9_.-]/gu, "-")
    .slice(-128)
    .replace(/^[.-]+/u, "");
}
