import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Failure } from "../../src/base/failure.ts";
import { isForPlatform, platformOf, readManifest } from "../../src/stores/image-manifest.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const DIGEST = `sha256:${"a".repeat(64)}`;
const config = { digest: DIGEST, size: 2, mediaType: "x" };
const image = { schemaVersion: 2, mediaType: IMAGE, config, layers: [] };
const entry = (os: string, architecture: string, variant?: string): object => ({
  digest: DIGEST,
  size: 2,
  platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
});
const index = (...manifests: unknown[]): object => ({ schemaVersion: 2, mediaType: INDEX, manifests });

function read(document: unknown, contentType: string | null = null): string {
  const bytes = Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
  try {
    const facts = readManifest(bytes, contentType, "x");
    return facts.kind === "image" ? "image" : facts.entries.map(({ platform }) => platform).join(" ");
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
}

const CASES: readonly [string, unknown, string | null, string][] = [
  ["an image", image, IMAGE, "image"],
  ["an image of Docker", { ...image, mediaType: DOCKER }, `${DOCKER}; charset=utf-8`, "image"],
  ["an image that says its type in the header alone", { ...image, mediaType: undefined }, IMAGE, "image"],
  [
    "an index",
    index(entry("linux", "amd64"), entry("linux", "arm", "v7")),
    INDEX,
    "linux/amd64 linux/arm/v7",
  ],
  ["an index of Docker", { ...index(entry("linux", "amd64")), mediaType: LIST }, LIST, "linux/amd64"],
  [
    "an index with attestations",
    index(entry("linux", "amd64"), entry("unknown", "unknown")),
    null,
    "linux/amd64",
  ],
  ["an index that names no platforms", index({ digest: DIGEST }), null, ""],
  ["an index of nothing", index(), null, "artifact_incomplete"],
  ["an index with layers too", { ...index(entry("a", "b")), layers: [] }, null, "answer_ambiguous"],
  ["two types", image, INDEX, "answer_ambiguous"],
  [
    "schema 1",
    { schemaVersion: 1, mediaType: "application/vnd.docker.distribution.manifest.v1+prettyjws" },
    null,
    "answer_unexpected",
  ],
  ["no type", { ...image, mediaType: undefined }, "application/json", "answer_unexpected"],
  ["a type that is a number", { ...image, mediaType: 1 }, null, "answer_malformed"],
  ["no configuration", { ...image, config: undefined }, null, "answer_malformed"],
  [
    "a configuration with another algorithm",
    { ...image, config: { digest: `sha512:${"a".repeat(128)}` } },
    null,
    "answer_malformed",
  ],
  ["an index with a text in it", index("x"), null, "answer_malformed"],
  ["an index without a list", { ...index(), manifests: {} }, null, "answer_malformed"],
  [
    "an index that is too long",
    index(...Array.from({ length: 1_001 }, () => entry("a", "b"))),
    null,
    "answer_malformed",
  ],
  ["a member twice", `{"mediaType":"${IMAGE}","mediaType":"${INDEX}"}`, null, "answer_malformed"],
  ["a list", [], null, "answer_malformed"],
  ["a page", "<html>", "text/html", "answer_malformed"],
  ["nothing", "", null, "answer_malformed"],
];
test.each(CASES)("%s", (_what, document, contentType, wanted) => {
  expect(read(document, contentType)).toBe(wanted);
});

test("whatever comes is read or refused, and never anything else", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.json(), fc.string()),
      fc.option(fc.constantFrom(INDEX, IMAGE, "x")),
      (text, type) => {
        expect(read(text, type)).toMatch(/^(?:image|[a-z_]+|(?:[^ ]+ ?)*)$/u);
      },
    ),
  );
});

describe("a platform", () => {
  test.each([
    ["linux/arm64", "linux/arm64", true],
    ["linux/arm64/v8", "linux/arm64", true],
    ["linux/arm64", "linux/arm64/v8", false],
    ["linux/arm", "linux/arm64", false],
    ["linux/arm64", "linux/arm", false],
  ])("%s is for %s: %p", (found, wanted, is) => {
    expect(isForPlatform(found, wanted)).toBe(is);
  });
  test("is inert", () => {
    expect(platformOf({ os: "::stop-commands::x\n", architecture: "b" })).toBe(": :stop-commands::x /b");
    expect(platformOf({ os: "linux" })).toBe(null);
    expect(platformOf(null)).toBe(null);
  });
});
