import { isSha256, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/** What `oci://host/repository[:tag][@sha256:…]` names. */
export type OciReference = {
  readonly host: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Sha256 | null;
};

/** As people write it: `host/repository:tag`, or with `@sha256:…`. */
export function nameOfReference({ host, repository, tag, digest }: OciReference): string {
  return `${host}/${repository}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@sha256:${digest}`}`;
}

const HOST =
  /^(?:[a-z0-9]+(?:-+[a-z0-9]+)*(?:\.[a-z0-9]+(?:-+[a-z0-9]+)*)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/iu;
const REPOSITORY = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/u;
const MAX_REPOSITORY = 255;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/u;

/** Names of Docker Hub that people write and that are no name of its server. */
const HUB: ReadonlySet<string> = new Set(["docker.io", "index.docker.io"]);

/** `host[:port]`, as a reference can name it. */
export function isRegistryHost(text: string): boolean {
  return HOST.test(text);
}

/** Throws Failure `url_invalid`. */
export function parseOci(text: string, from: string): OciReference {
  const found = /^oci:\/\/([^/?#@]+)\/([^?#]+)$/iu.exec(text);
  const named = found === null ? null : splitName(found[2] ?? "");
  if (found === null || named === null || !isRegistryHost(found[1] ?? "")) {
    throw new Failure(
      "url_invalid",
      `${from} is ${quoted(text)}; wanted oci://host[:port]/repository[:tag][@sha256:…]`,
    );
  }
  const host = (found[1] ?? "").toLowerCase();
  if (!HUB.has(host)) return { host, ...named };
  const repository = named.repository.includes("/") ? named.repository : `library/${named.repository}`;
  return { ...named, host: "registry-1.docker.io", repository };
}

/**
 * `repository[:tag][@sha256:…]`, or null. Throws Failure `url_invalid` for a digest of another algorithm: it would
 * name the same thing, but nobody here could check it.
 */
export function splitName(text: string): Omit<OciReference, "host"> | null {
  const [name = "", digest, ...more] = text.split("@");
  if (more.length > 0) return null;
  const cut = name.lastIndexOf(":");
  const [repository, tag] = cut === -1 ? [name, null] : [name.slice(0, cut), name.slice(cut + 1)];
  if (repository.length > MAX_REPOSITORY || !REPOSITORY.test(repository)) return null;
  if (tag !== null && !TAG.test(tag)) return null;
  return { repository, tag, digest: digest === undefined ? null : parseOciDigest(digest, "url_invalid") };
}

/** The hex of `sha256:…`. Any other algorithm, sha512 too, is a Failure that says so. */
export function parseOciDigest(text: string, code: "url_invalid" | "answer_unexpected"): Sha256 {
  const hex = text.startsWith("sha256:") ? text.slice("sha256:".length) : "";
  if (isSha256(hex)) return hex;
  const algorithm = /^[a-z0-9+._-]{1,32}(?=:)/u.exec(text)?.[0];
  const found =
    algorithm !== undefined && algorithm !== "sha256"
      ? `a ${algorithm} digest`
      : `the digest ${quoted(text)}`;
  throw new Failure(code, `${found} stands where sha256:<64 lower-case hex> is wanted`, {
    hint: "push the artifact again with sha256 digests; assignments name it by that one",
  });
}
