import { NO_MARK } from "../../src/addons/on-host/signer-mark.ts";
import type { Facts } from "../../src/addons/staging/next-step.ts";

/** A host that has nothing of an add-on yet, and asks one key for a signature. */
export const FRESH: Facts = {
  current: null,
  staged: null,
  replacement: null,
  signedBefore: false,
  keys: 1,
  threshold: 1,
  rootVersion: 0,
  signerMark: NO_MARK,
  allowUnsigned: false,
  replace: false,
  active: null,
  highestVersion: "",
  blocked: [],
  pinned: null,
  stated: null,
  statedBefore: false,
  minimumVersion: "",
  now: new Date("2026-06-01T00:00:00Z"),
};
