/**
 * The kinds of statement that waybill knows by name. `.invalid` is reserved for names that nobody can own (RFC 2606):
 * these are identifiers and no addresses, and no stranger can ever publish something under them.
 */
const NAMESPACE = "https://waybill.invalid/attestation";

/** What was captured of a build context; the predicate is described in docs/attestations.md. */
export const CAPTURE_TYPE: string = `${NAMESPACE}/capture/v1`;
/** That an image was pinned, where, by whom and in place of what. */
export const PROMOTION_TYPE: string = `${NAMESPACE}/promotion/v1`;
/** Which add-on an artifact is, for which platform and until when. */
export const ADDON_TYPE: string = `${NAMESPACE}/addon/v1`;
/** Read and never written: waybill does not run builds, so it could only invent a builder. */
const PROVENANCE_TYPE = "https://slsa.dev/provenance/v1";

const KNOWN: ReadonlySet<string> = new Set([CAPTURE_TYPE, PROMOTION_TYPE, ADDON_TYPE, PROVENANCE_TYPE]);

export function isKnownType(predicateType: string): boolean {
  return KNOWN.has(predicateType);
}

export function knownTypes(): string[] {
  return [...KNOWN];
}

/** The role of a trust root whose keys may sign a statement of this type. */
export function roleFor(predicateType: string): string {
  if (predicateType === CAPTURE_TYPE) return "capture";
  if (predicateType === ADDON_TYPE) return "addon";
  return predicateType === PROMOTION_TYPE ? "promote" : "build";
}
