import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { nextOfManifest } from "./oci-manifest.ts";
import { nameOfReference, parseOciDigest, splitName, type OciReference } from "./oci-reference.ts";
import { pushArtifact } from "./oci-push.ts";
import { Registry } from "./oci-registry.ts";
import { registryBase, type RegistryAccess } from "./registry-request.ts";
import type { ObjectRead, ObjectStream, ObjectWrite, WritableStore } from "./store.ts";

/** An index in an index in an index is more than anybody needs. */
const DEPTH = 4;

/**
 * Artifacts in an OCI registry. With a tag or a digest: index → manifest of the platform → the layer that has the
 * assigned digest. Without one, and when the key names none either: the blob of that digest.
 */
export class OciStore implements WritableStore {
  readonly name: string;
  readonly #base: URL;
  readonly #reference: OciReference;
  readonly #platform: string;
  readonly #access: RegistryAccess;

  constructor(reference: OciReference, platform: string, access: RegistryAccess) {
    this.#reference = reference;
    this.#platform = platform;
    this.#access = access;
    this.#base = registryBase(reference.host, access);
    this.name = `oci://${nameOfReference(reference)}`;
  }

  async open(read: ObjectRead): Promise<ObjectStream> {
    const { repository, manifest } = this.#named(read.key);
    const registry = new Registry(this.#base, repository, this.#access);
    const digest = manifest === null ? this.#assigned(read) : await this.#layer(registry, manifest, read);
    return registry.blob(digest, read);
  }

  async write(object: ObjectWrite): Promise<void> {
    const { repository, tag, digest } = this.#reference;
    if (tag !== null || digest !== null) {
      throw new Failure("invalid_value", `${this.name} names one image; wanted a repository to write into`);
    }
    await pushArtifact(new Registry(this.#base, repository, this.#access, "pull,push"), object);
  }

  /** The manifest to begin with: of the store itself, or of a key such as `sample:1.0`. */
  #named(key: string): { readonly repository: string; readonly manifest: string | null } {
    const { repository, tag, digest } = this.#reference;
    if (tag !== null || digest !== null) return { repository, manifest: manifestOf(tag, digest) };
    const named = /[:@]/u.test(key) ? splitName(key) : null;
    if (named === null) return { repository, manifest: null };
    return { repository: `${repository}/${named.repository}`, manifest: manifestOf(named.tag, named.digest) };
  }

  #assigned(read: ObjectRead): Sha256 {
    if (read.sha256 !== undefined) return read.sha256;
    throw new Failure("artifact_incomplete", `${quoted(read.key)} names neither a tag nor a digest`);
  }

  async #layer(registry: Registry, first: string, read: ObjectRead): Promise<Sha256> {
    let reference = first;
    let size: number | null = null;
    for (let depth = 0; depth < DEPTH; depth++) {
      const answer = await registry.manifest(reference, read);
      const where = `${this.name} (${reference.slice(0, 80)})`;
      const found = sha256Of(answer.body);
      const asked = reference.startsWith("sha256:") ? reference.slice("sha256:".length) : null;
      const said = answer.headers.get("docker-content-digest");
      const wanted = asked ?? (said === null ? found : parseOciDigest(said, "answer_unexpected"));
      if (found !== wanted || (size !== null && size !== answer.body.length)) {
        throw new Failure("hash_mismatch", `${where} gave a manifest with sha256 ${found}; wanted ${wanted}`);
      }
      const step = nextOfManifest(answer.body, {
        where,
        contentType: answer.headers.get("content-type"),
        wanted: read.sha256 ?? null,
        platform: this.#platform,
      });
      if (step.kind === "layer") {
        if (step.descriptor.size > read.maxBytes) {
          throw new Failure(
            "artifact_too_large",
            `${where} announces ${step.descriptor.size} bytes; at most ${read.maxBytes} are taken`,
          );
        }
        return step.descriptor.digest;
      }
      reference = `sha256:${step.descriptor.digest}`;
      size = step.descriptor.size;
    }
    throw new Failure("answer_unexpected", `${this.name} nests its indexes deeper than ${DEPTH}`);
  }
}

function manifestOf(tag: string | null, digest: Sha256 | null): string | null {
  return digest === null ? tag : `sha256:${digest}`;
}
