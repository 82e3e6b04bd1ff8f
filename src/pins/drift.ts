import type { ImageDigest } from "../base/digest.ts";
import { placeName, type ExpectedPins } from "./expected-pins.ts";
import type { PinRow } from "./pin.ts";

/** Every pin of one environment. */
export type Listed = { readonly env: string; readonly rows: readonly PinRow[] };

/** One pin, and what it is in each environment that was read; null where it is not. */
export type Compared = {
  readonly template: string;
  readonly region: string;
  readonly expected: ImageDigest | null;
  readonly found: readonly { readonly env: string; readonly digest: ImageDigest | null }[];
  /** `differs` between environments or from what is expected, `absent` somewhere, `unexpected` by the file. */
  readonly drift: readonly ("differs" | "absent" | "unexpected")[];
};

/**
 * Compares every pin of every environment: with the expected digests when there are some, with each other
 * otherwise. A pin that nobody expects is drift too: somebody promoted it, and not by what the file says.
 */
export function compareListings(listed: readonly Listed[], expected: ExpectedPins | null): Compared[] {
  const byEnv = listed.map(({ env, rows }) => ({
    env,
    digests: new Map(rows.map((row) => [placeName(row.template, row.region), row.digest])),
  }));
  const places = new Set([
    ...(expected?.keys() ?? []),
    ...byEnv.flatMap(({ digests }) => [...digests.keys()]),
  ]);
  return [...places].sort().map((place) => {
    const cut = place.lastIndexOf("/");
    const wanted = expected?.get(place) ?? null;
    const found = byEnv.map(({ env, digests }) => ({ env, digest: digests.get(place) ?? null }));
    return {
      template: place.slice(0, cut),
      region: place.slice(cut + 1),
      expected: wanted,
      found,
      drift: driftOf(found, wanted, expected !== null),
    };
  });
}

function driftOf(
  found: Compared["found"],
  wanted: ImageDigest | null,
  hasExpectations: boolean,
): Compared["drift"] {
  if (hasExpectations && wanted === null) return ["unexpected"];
  const digests = found.flatMap(({ digest }) => digest ?? []);
  const first = wanted ?? digests[0];
  return [
    ...(digests.some((digest) => digest !== first) ? (["differs"] as const) : []),
    ...(digests.length < found.length ? (["absent"] as const) : []),
  ];
}
