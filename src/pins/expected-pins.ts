import { decode, narrowed, record } from "../base/decode.ts";
import { isImageDigest, type ImageDigest } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { printable, quoted } from "../base/printable.ts";
import { GLOBAL_REGION, isRegion, isTemplate } from "./pin.ts";

/** Digests by `template/region`. */
export type ExpectedPins = ReadonlyMap<string, ImageDigest>;

export function placeName(template: string, region: string): string {
  return `${template}/${region}`;
}

const EXPECTED = record(narrowed("sha256:<64 lower-case hex>", isImageDigest));

/**
 * `{"codex": "sha256:…", "codex/eu": "sha256:…"}`: what should be pinned, everywhere. A name without a region is the
 * global one. Throws Failure `config_invalid` with every fault.
 */
export function parseExpectedPins(bytes: Uint8Array, path: string): ExpectedPins {
  const decoded = decode(
    EXPECTED,
    parseJson(bytes, { what: `the file ${quoted(path)}`, code: "config_invalid" }),
  );
  const problems = decoded.ok ? [] : [...decoded.problems];
  const pins = new Map<string, ImageDigest>();
  for (const [name, digest] of Object.entries(decoded.ok ? decoded.value : {})) {
    const [template = "", region = GLOBAL_REGION, ...rest] = name.split("/");
    const place = placeName(template, region);
    if (!isTemplate(template) || !isRegion(region) || rest.length > 0)
      problems.push(`${quoted(name, 100)} is no template, and no template/region`);
    else if (pins.has(place)) problems.push(`${printable(place)} is there twice`);
    else pins.set(place, digest);
  }
  if (problems.length === 0 && pins.size === 0) problems.push("it expects nothing");
  if (problems.length === 0) return pins;
  throw new Failure("config_invalid", `the file ${quoted(path)} is wrong: ${problems.join("; ")}`, {
    hint: 'wanted {"TEMPLATE": "sha256:…", "TEMPLATE/REGION": "sha256:…"}',
  });
}
