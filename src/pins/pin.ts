import type { ImageDigest } from "../base/digest.ts";

/** What should run where: one template in one region, at exactly this digest. */
export type WantedPin = { readonly template: string; readonly region: string; readonly digest: ImageDigest };

/** What goes along with a pin when it is written. */
export type PinNote = { readonly gitSha: string | undefined; readonly notes: string | undefined };

/** The row that a control plane keeps for (template, region). Members beside the digest are shown, never trusted. */
export type PinRow = {
  readonly template: string;
  readonly region: string;
  readonly digest: ImageDigest;
  readonly gitSha: string | null;
  readonly promotedAt: string | null;
  readonly promotedBy: string | null;
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
