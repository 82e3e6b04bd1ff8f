import type { ImageDigest } from "../base/digest.ts";

/** What should run where: one template in one region, at exactly this digest, or at any digest but this one. */
export type WantedPin = {
  readonly template: string;
  readonly region: string;
  readonly digest: ImageDigest;
  /** Any other digest satisfies it. */
  readonly unwanted?: true;
};

/** What goes along with a pin when it is written. */
export type PinNote = {
  readonly gitSha: string | undefined;
  readonly notes: string | undefined;
  /** Which build this is: a lower number is an older one. */
  readonly seq?: number | undefined;
  readonly force?: Force | undefined;
};

/** What a write may override, and why: an older build, or a hold, a veto or a freeze. */
export type Force = { readonly reason: string; readonly rollback: boolean; readonly breakGlass: boolean };

/** The row that a control plane keeps for (template, region). Members beside the digest are shown, never trusted. */
export type PinRow = {
  readonly template: string;
  readonly region: string;
  readonly digest: ImageDigest;
  readonly gitSha: string | null;
  /** The highest build number that was promoted here; null on servers that keep none. */
  readonly seq: number | null;
  readonly promotedAt: string | null;
  readonly promotedBy: string | null;
  /** Where the image lies, as the server says it: `registry/repository@digest`. */
  readonly imageRef: string | null;
  /** What a server says of its own about the row, such as "held". */
  readonly state: string | null;
  /** How the listing departed from what servers of today send. */
  readonly remarks: readonly ("bare_array" | "region_missing")[];
  /** Regions with a row of their own at another digest: they do not run what the global row says. */
  readonly shadows: readonly { readonly region: string; readonly digest: string }[];
};

/** The region of rows and requests that name none. */
export const GLOBAL_REGION = "global";

const TEMPLATE = /^[a-z0-9][a-z0-9._-]{0,63}$/u;
const REGION = /^[a-z0-9][a-z0-9-]{0,31}$/u;
const GIT_SHA = /^[0-9a-f]{7,64}$/u;

export function isTemplate(text: string): boolean {
  return TEMPLATE.test(text);
}

export function isRegion(text: string): boolean {
  return REGION.test(text);
}

export function isGitSha(text: string): boolean {
  return GIT_SHA.test(text);
}

/** Whether a row with this digest is what was wanted. */
export function satisfies(digest: ImageDigest, wanted: WantedPin): boolean {
  return (digest === wanted.digest) === (wanted.unwanted !== true);
}

/**
 * Whether two spellings of a commit can be the same one: workflows send 7 characters, others all 40. Fewer name none.
 */
export function isSameCommit(a: string, b: string): boolean {
  return isGitSha(a) && isGitSha(b) && (a.startsWith(b) || b.startsWith(a));
}
