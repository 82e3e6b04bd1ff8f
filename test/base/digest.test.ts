import { describe, expect, test } from "bun:test";
import { isImageDigest, isSha256, parseImageDigest } from "../../src/base/digest.ts";
import { Failure } from "../../src/base/failure.ts";

const HEX = "0123456789abcdef".repeat(4);

describe("a SHA-256", () => {
  test("is 64 lower-case hex characters", () => {
    expect(isSha256(HEX)).toBe(true);
  });
  test.each([
    ["empty", ""],
    ["one short", HEX.slice(1)],
    ["one long", `${HEX}0`],
    ["upper case", HEX.toUpperCase()],
    ["another letter", `g${HEX.slice(1)}`],
    ["with its algorithm", `sha256:${HEX}`],
    ["with a line break", `${HEX}\n`],
    ["with a space", ` ${HEX}`],
    ["two of them", `${HEX}\n${HEX}`],
  ])("is not %s", (_what, text) => {
    expect(isSha256(text)).toBe(false);
  });
});

describe("an image digest", () => {
  test("is sha256: and 64 lower-case hex characters", () => {
    expect(isImageDigest(`sha256:${HEX}`)).toBe(true);
    expect(String(parseImageDigest(`sha256:${HEX}`, "--digest"))).toBe(`sha256:${HEX}`);
  });

  const refused: [string, string, string][] = [
    ["no algorithm", HEX, `write it with its algorithm: sha256:${HEX}`],
    ["empty", "", "the step that publishes the image exposed no digest; check its output name"],
    ["white space", " \n", "the step that publishes the image exposed no digest; check its output name"],
    [
      "upper-case hex",
      `sha256:${HEX.toUpperCase()}`,
      "a tag or a short digest can move; pass the full digest of the pushed image",
    ],
    [
      "upper-case algorithm",
      `SHA256:${HEX}`,
      "a tag or a short digest can move; pass the full digest of the pushed image",
    ],
    [
      "another algorithm",
      `sha512:${HEX}${HEX}`,
      "a tag or a short digest can move; pass the full digest of the pushed image",
    ],
    [
      "short",
      `sha256:${HEX.slice(0, 12)}`,
      "a tag or a short digest can move; pass the full digest of the pushed image",
    ],
    ["a tag", "v1.2.3", "a tag or a short digest can move; pass the full digest of the pushed image"],
    [
      "a reference",
      `registry/image@sha256:${HEX}`,
      "a tag or a short digest can move; pass the full digest of the pushed image",
    ],
    [
      "a line break",
      `sha256:${HEX}\n`,
      "a tag or a short digest can move; pass the full digest of the pushed image",
    ],
    [
      "a space",
      ` sha256:${HEX}`,
      "a tag or a short digest can move; pass the full digest of the pushed image",
    ],
  ];
  test.each(refused)("is not %s", (_what, text, hint) => {
    expect(isImageDigest(text)).toBe(false);
    const failure = caught(() => parseImageDigest(text, "--digest"));
    expect(failure).toMatchObject({ code: "invalid_value", exitCode: 2, hint });
    expect(failure.message).toStartWith("--digest is ");
    expect(failure.message).toEndWith("; wanted sha256:<64 lower-case hex>");
  });
});

function caught(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
