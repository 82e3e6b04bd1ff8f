import { isMap } from "../base/decode.ts";
import { isImageDigest, type ImageDigest, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { parseJson } from "../base/json.ts";
import { quoted } from "../base/printable.ts";
import type { Clock } from "../host/clock.ts";
import type { HttpAnswer } from "../host/http.ts";
import { StatusFailure } from "./http-status.ts";
import { isForPlatform, platformOf, readManifest } from "./image-manifest.ts";
import { MANIFEST_BYTES } from "./manifest-document.ts";
import { nameOfReference, type OciReference } from "./oci-reference.ts";
import { Registry } from "./oci-registry.ts";
import { registryBase, type Read, type RegistryAccess } from "./registry-request.ts";

/** What has to hold of an image, and how long to try to find out. */
export type ImageRule = {
  /** `os/arch[/variant]` that it has to run on. */
  readonly platforms: readonly string[];
  /** Take the bytes at their own digest when the registry says another one, or none. */
  readonly trustBytes: boolean;
  readonly attemptTimeoutMs: number;
  /** Requests for one answer, and the pause between them in milliseconds. */
  readonly tries: number;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly stop: AbortSignal;
};

/** An image that was read: its manifest's bytes have this digest. */
export type ProvenImage = {
  /** `registry/repository:tag` or `registry/repository@sha256:…`, as it was asked for. */
  readonly name: string;
  readonly digest: ImageDigest;
  readonly kind: "index" | "image";
  readonly mediaType: string;
  /** Of the manifest. */
  readonly bytes: number;
  readonly platforms: readonly string[];
  /** What the registry said of the digest, beside the bytes. */
  readonly header: "equal" | "absent" | "different";
};

/** Worth asking again: says nothing about the image. */
const AGAIN = new Set<Failure["code"]>([
  "connection_failed",
  "connection_lost",
  "deadline_passed",
  "name_not_resolved",
  "rate_limited",
  "server_failed",
]);

/**
 * Reads the manifest that a reference names; the digest is over the bytes that came. Throws Failure:
 * `artifact_absent` only when the registry says 404; `digest_header_mismatch`, `hash_mismatch`, `platform_missing`,
 * or an auth, protocol, transport or server code.
 */
export async function proveImage(
  reference: OciReference,
  access: RegistryAccess,
  rule: ImageRule,
): Promise<ProvenImage> {
  const name = nameOfReference(reference);
  const registry = new Registry(registryBase(reference.host, access), reference.repository, access);
  const read: Read = { deadlineMs: rule.attemptTimeoutMs, stop: rule.stop };
  const again = <T>(ask: () => Promise<T>): Promise<T> => patiently(ask, rule);
  const asked = reference.digest;
  const answer = await again(() =>
    registry.manifest(asked === null ? (reference.tag ?? "") : `sha256:${asked}`, read),
  ).catch(async (error: unknown) => {
    throw await absent(error, name, asked, registry, read);
  });
  const { digest, header } = identityOf(answer, name, asked, rule.trustBytes);
  const facts = readManifest(answer.body, answer.headers.get("content-type"), name);
  const { kind, mediaType } = facts;
  const found: Omit<ProvenImage, "platforms"> = {
    name,
    digest,
    kind,
    mediaType,
    bytes: answer.body.length,
    header,
  };
  if (facts.kind === "index") {
    const platforms = facts.entries.map(({ platform }) => platform);
    for (const wanted of rule.platforms) {
      const entry = facts.entries.find(({ platform }) => isForPlatform(platform, wanted));
      if (entry === undefined) throw platformMissing(name, wanted, platforms);
      // An index may outlive what it lists.
      await again(() => registry.manifest(`sha256:${entry.digest}`, read)).catch((error: unknown) => {
        throw error instanceof StatusFailure && error.status === 404
          ? new Failure("artifact_absent", `${name} lists ${wanted}, and its manifest is not there`)
          : error;
      });
    }
    return { ...found, platforms };
  }
  if (rule.platforms.length === 0) return { ...found, platforms: [] };
  const config = await again(() => registry.document(facts.config, MANIFEST_BYTES, read));
  const what = `the configuration of ${name}`;
  const document = parseJson(config, { what, code: "answer_malformed", maxBytes: MANIFEST_BYTES });
  const platform = isMap(document) ? platformOf(document) : null;
  const platforms = platform === null ? [] : [platform];
  const lacking = rule.platforms.find((wanted) => platform === null || !isForPlatform(platform, wanted));
  if (lacking !== undefined) throw platformMissing(name, lacking, platforms);
  return { ...found, platforms };
}

async function patiently<T>(ask: () => Promise<T>, rule: ImageRule): Promise<T> {
  for (let left = rule.tries - 1; ; left--) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Failure) || !AGAIN.has(error.code) || left <= 0) throw error;
      await rule.clock.sleep(rule.intervalMs, rule.stop);
    }
  }
}

/** What a failed read means: absent only when the registry said so. */
async function absent(
  error: unknown,
  name: string,
  asked: Sha256 | null,
  registry: Registry,
  read: Read,
): Promise<unknown> {
  if (!(error instanceof StatusFailure)) return error;
  const { status, code, message, hint } = error;
  if (status !== 404 && code !== "server_failed" && code !== "rate_limited") return error;
  // Some registries fail over such a digest in place of saying that it is no manifest.
  const isBlob = asked !== null && status !== 429 && (await registry.hasBlob(asked, read));
  const looks =
    "it has a blob with this digest: this looks like an image ID ({{.Id}}) or a layer; pass the digest that the push printed";
  if (status !== 404) {
    return new Failure(code, `${message}: an unread registry is not an absent image`, {
      hint: isBlob ? looks : hint,
    });
  }
  const pushed =
    asked === null
      ? "check the tag, and that the push ended before this"
      : "check that the push ended before this; an image ID ({{.Id}}) is no digest of an image";
  return new Failure("artifact_absent", `the registry has no image ${name}`, {
    hint: isBlob ? looks : pushed,
  });
}

/** The digest of what came, held against what was asked for and what the registry says. */
function identityOf(
  answer: HttpAnswer,
  name: string,
  asked: Sha256 | null,
  trustBytes: boolean,
): Pick<ProvenImage, "digest" | "header"> {
  const encoding = answer.headers.get("content-encoding") ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity") {
    throw new Failure("answer_unexpected", `${name} came with content-encoding ${quoted(encoding, 40)}`);
  }
  const digest = `sha256:${sha256Of(answer.body)}`;
  if (!isImageDigest(digest)) throw new RangeError("no digest");
  if (asked !== null && digest !== `sha256:${asked}`) {
    throw new Failure("hash_mismatch", `${name} came with the bytes of ${digest}`);
  }
  const said = answer.headers.get("docker-content-digest");
  const header = said === null ? "absent" : said === digest ? "equal" : "different";
  if (header === "equal" || trustBytes) return { digest, header };
  const found = said === null ? "none" : quoted(said, 100);
  throw new Failure(
    "digest_header_mismatch",
    `${name} has the digest ${digest} by its bytes; the registry's Docker-Content-Digest is ${found}`,
    { hint: "pass --trust-bytes to go by the bytes when this registry is known to say it wrong" },
  );
}

function platformMissing(name: string, wanted: string, found: readonly string[]): Failure {
  const shown = found
    .slice(0, 12)
    .map((one) => quoted(one))
    .join(", ");
  return new Failure(
    "platform_missing",
    `${name} is not for ${wanted}, only for ${shown === "" ? "no platform that it names" : shown}`,
  );
}
