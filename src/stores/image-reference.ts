import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { isRegistryHost, parseOci, type OciReference } from "./oci-reference.ts";

/**
 * An image as people write it, `registry/repository:tag` or `registry/repository@sha256:…`. The registry has to be
 * named: the same short name means other images on other machines. Throws Failure `invalid_value`.
 */
export function parseImage(text: string, from: string): OciReference {
  const reference = parse(text, from);
  if (reference.tag !== null || reference.digest !== null) return reference;
  throw new Failure("invalid_value", `${from} is ${quoted(text)}, without a tag or a digest`, {
    hint: `write ${text}:TAG; "latest" is not assumed`,
  });
}

/** `registry/repository` and nothing after it. */
export function parseImageRepository(text: string, from: string): OciReference {
  const reference = parse(text, from);
  if (reference.tag === null && reference.digest === null) return reference;
  throw new Failure("invalid_value", `${from} is ${quoted(text)}; wanted registry/repository alone`, {
    hint: "the digest comes from the pin",
  });
}

function parse(text: string, from: string): OciReference {
  const slash = text.indexOf("/");
  const host = text.slice(0, Math.max(slash, 0));
  if (!isRegistryHost(host) || !(/[.:]/u.test(host) || host === "localhost")) {
    throw new Failure("invalid_value", `${from} is ${quoted(text)}, which names no registry`, {
      hint: "wanted registry/repository:tag, such as ghcr.io/org/app:1.2 or docker.io/library/debian:12",
    });
  }
  try {
    return parseOci(`oci://${text}`, from);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(
      "invalid_value",
      `${from} is ${quoted(text)}; wanted registry/repository[:tag][@sha256:<64 lower-case hex>]`,
    );
  }
}
