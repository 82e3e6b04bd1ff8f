import { expect, test } from "bun:test";
import {
  ADDON_TYPE,
  CAPTURE_TYPE,
  knownTypes,
  PROMOTION_TYPE,
  roleFor,
} from "../../src/trust/attestation-types.ts";

const PROVENANCE = "https://slsa.dev/provenance/v1";

test.each([
  [CAPTURE_TYPE, "capture"],
  [PROMOTION_TYPE, "promote"],
  [ADDON_TYPE, "addon"],
  [PROVENANCE, "build"],
  ["https://example.com/anything/else", "build"],
])("a statement %p is signed by a key in the role %p", (predicateType, role) => {
  expect(roleFor(predicateType)).toBe(role);
});

test("four kinds of statement are known by name", () => {
  expect(knownTypes()).toEqual([CAPTURE_TYPE, PROMOTION_TYPE, ADDON_TYPE, PROVENANCE]);
});
