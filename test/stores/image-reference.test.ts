import { describe, expect, test } from "bun:test";
import { parseImage, parseImageRepository } from "../../src/stores/image-reference.ts";

const HEX = "a".repeat(64);

function read(text: string): string {
  const { host, repository, tag, digest } = parseImage(text, "--image");
  return `${host} ${repository} ${tag ?? "-"} ${digest === null ? "-" : "digest"}`;
}

describe("an image", () => {
  test.each([
    ["ghcr.io/org/app:1.2", "ghcr.io org/app 1.2 -"],
    ["localhost:5000/app:latest", "localhost:5000 app latest -"],
    ["localhost/app:x", "localhost app x -"],
    ["127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000 a/b/c x -"],
    ["GHCR.io/app:X_y.z-1", "ghcr.io app X_y.z-1 -"],
    [`reg.example/app@sha256:${HEX}`, "reg.example app - digest"],
    [`reg.example/app:1@sha256:${HEX}`, "reg.example app 1 digest"],
    ["docker.io/debian:12", "registry-1.docker.io library/debian 12 -"],
    ["docker.io/org/app:12", "registry-1.docker.io org/app 12 -"],
    // Docker's own old name for it.
    ["index.docker.io/debian:12", "registry-1.docker.io library/debian 12 -"],
    ["index.docker.io/org/app:12", "registry-1.docker.io org/app 12 -"],
    ["[::1]:5000/app:1", "[::1]:5000 app 1 -"],
    ["a-b.x--y.example/app:1", "a-b.x--y.example app 1 -"],
    [`h.x/${"a".repeat(255)}:${"t".repeat(128)}`, `h.x ${"a".repeat(255)} ${"t".repeat(128)} -`],
  ])("%s", (text, wanted) => {
    expect(read(text)).toBe(wanted);
  });

  test.each([
    "",
    "app:1",
    "org/app:1",
    "ghcr.io/app",
    "ghcr.io/App:1",
    "ghcr.io/app:",
    "ghcr.io/app:a b",
    "ghcr.io/app:-x",
    "ghcr.io//app:1",
    "ghcr.io/app/:1",
    "ghcr.io/../app:1",
    "https://ghcr.io/app:1",
    "oci://ghcr.io/app:1",
    "user:pw@ghcr.io/app:1",
    "ghcr.io/app:1?x=y",
    "ghcr.io/app:1#x",
    "ghcr.io/app@sha256:aa",
    `ghcr.io/app@sha256:${HEX.toUpperCase()}`,
    `ghcr.io/app@sha512:${HEX}${HEX}`,
    `ghcr.io/app@sha256:${HEX}@sha256:${HEX}`,
    "ghcr.io\n/app:1",
    "ghcr.io/app:1\n",
    "evil.example\\@ghcr.io/app:1",
    `ghcr.io/app:${"x".repeat(129)}`,
    `h.x/${"a".repeat(256)}:1`,
    ...["-h.x", "h-.x", "h.-x", "a..b", ".h", "h.", "h.:80", "h_x.y", "[]", "[1]x", "h.x:"].map(
      (host) => `${host}/app:1`,
    ),
  ])("%j is none", (text) => {
    expect(() => parseImage(text, "--image")).toThrow(expect.objectContaining({ code: "invalid_value" }));
  });
});

test("a repository is one alone", () => {
  expect(parseImageRepository("ghcr.io/org/app", "x")).toEqual({
    host: "ghcr.io",
    repository: "org/app",
    tag: null,
    digest: null,
  });
  for (const text of ["ghcr.io/org/app:1", `ghcr.io/app@sha256:${HEX}`, "app"]) {
    expect(() => parseImageRepository(text, "x")).toThrow(expect.objectContaining({ code: "invalid_value" }));
  }
});
