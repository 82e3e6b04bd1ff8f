import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import {
  inPlace,
  mainRefusal,
  nothingFound,
  otherPayloadType,
  otherSubject,
  tooManyTrials,
} from "../../src/trust/attestation-refusals.ts";
import { APP, digestOf, statement } from "./attestations.ts";

describe("what is wrong with an attestation", () => {
  const about = (...digests: Record<string, string>[]): string =>
    otherSubject(statement({ subjects: digests.map((digest) => ({ name: "x", digest })) }), APP).message;
  const numbered = (count: number): Record<string, string>[] =>
    Array.from({ length: count }, (_, at) => ({ sha256: digestOf(`${at}`) }));
  const shown = numbered(3)
    .map(({ sha256 }) => `sha256 ${sha256}`)
    .join(", ");

  test.each([
    ["one digest", about({ sha256: "ab", sha512: "cd" }), '"sha256 ab"; wanted'],
    ["no sha256", about({ sha512: "ab", gitCommit: "cd" }), '"no sha256, but sha512, gitCommit"; wanted'],
    ["three digests", about(...numbered(3)), `"${shown}"; wanted`],
    ["more", about(...numbered(4)), `"${shown}", and 1 more; wanted`],
    ["many more", about(...numbered(9)), `"${shown}", and 6 more; wanted`],
  ])("names the artifact that it is about: %s", (_what, message, found) => {
    expect(message).toBe(`it is about another artifact: ${found} sha256 ${APP}`);
  });

  test.each([
    ["no line at all", 0, "it is empty"],
    ["lines of others", 2, "none of its 2 lines is an attestation"],
  ])("tells emptiness from %s", (_what, lines, found) => {
    expect(nothingFound(lines)).toMatchObject({
      code: "no_evidence",
      message: `there is nothing to verify: ${found}`,
    });
  });

  test("has a code of its own", () => {
    expect([otherPayloadType("x").code, tooManyTrials().code, otherSubject(statement(), APP).code]).toEqual([
      "payload_type_mismatch",
      "evidence_too_large",
      "subject_mismatch",
    ]);
  });

  test("keeps its code and its hint when its place is told", () => {
    const placed = inPlace("line 2", new Failure("key_expired", "too late", { hint: "hurry" }));
    expect([placed.code, placed.message, placed.hint]).toEqual(["key_expired", "line 2: too late", "hurry"]);
  });
});

describe("the refusal that speaks for all", () => {
  const untrusted = new Failure("signature_invalid", "first");
  const later = new Failure("subject_mismatch", "second");
  const denied = new Failure("policy_denied", "third");
  const empty = new Failure("no_evidence", "fourth");
  const other = new Failure("path_not_found", "fifth");

  test.each([
    ["wrong evidence before all others", [empty, denied, untrusted], untrusted],
    ["of two pieces of wrong evidence the first", [denied, untrusted, later], untrusted],
    ["a policy before what is left", [empty, denied, other], denied],
    ["else the first", [empty, other], empty],
  ])("is %s", (_what, refusals, main) => {
    expect(mainRefusal(refusals)).toBe(main);
  });

  test("is none where nothing was refused", () => {
    expect(mainRefusal([])).toBeUndefined();
  });
});
