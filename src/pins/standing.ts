import { isImageDigest, type ImageDigest } from "../base/digest.ts";
import { isMap } from "../base/decode.ts";
import type { Failure } from "../base/failure.ts";
import type { JsonMap, JsonValue } from "../base/json.ts";
import { printable } from "../base/printable.ts";
import { classifyRead, mayReadAgain } from "./classify-read.ts";
import { jsonObject, type Heard } from "./server-text.ts";

/** What must still be so when a write arrives: the row that was read, by its ETag, or that there is none. */
export type Condition = { readonly ifMatch: string } | { readonly ifNoneMatch: "*" };

/** A rule of the server that keeps a pin where it is. */
export type Stop = {
  readonly kind: string;
  readonly reason: string;
  readonly by: string;
  /** The one digest that it keeps out; null for every change. */
  readonly digest: string | null;
};

/** A pin as a server with conditional writes shows it. */
export type Standing = {
  readonly condition: Condition;
  readonly digest: ImageDigest | null;
  readonly stops: readonly Stop[];
};

/** Strong ones only (RFC 9110 §8.8.3): `W/"…"` says that two rows are alike, not that they are the same. */
const STRONG_ETAG = /^"[\u0021\u0023-\u007e]{1,128}"$/u;

/** Whether the server tells versions apart; without this, conditional writes are not even looked for. */
export function hasStrongEtag(headers: Headers): boolean {
  const etag = headers.get("etag");
  return etag !== null && STRONG_ETAG.test(etag);
}

/**
 * What `GET /v1/pins/{template}/{region}` answered: where the pin stands, null on a server that has no such route,
 * or a Failure worth trying again. A server that fails is never taken for one without conditional writes.
 */
export function readStanding(heard: Heard): Standing | Failure | null {
  const { status, headers } = heard;
  const failure = classifyRead(heard, "the pin's own route");
  if (failure !== null && mayReadAgain(failure)) return failure;
  const answer = jsonObject(heard.body);
  if (status === 404 && answer?.["code"] === "pin_not_found") {
    return { condition: { ifNoneMatch: "*" }, digest: null, stops: stopsOf(answer) };
  }
  if (status !== 200 || answer === null || !hasStrongEtag(headers)) return null;
  const digest = answer["image_digest"];
  if (typeof digest !== "string" || !isImageDigest(digest)) return null;
  const ifMatch = headers.get("etag") ?? "";
  return { condition: { ifMatch }, digest, stops: stopsOf(answer) };
}

function stopsOf(answer: JsonMap): Stop[] {
  const stops = answer["stops"];
  if (!Array.isArray(stops)) return [];
  return stops.flatMap((stop: JsonValue) =>
    isMap(stop) && typeof stop["kind"] === "string"
      ? [
          {
            kind: printable(stop["kind"], 40),
            reason: shown(stop["reason"]),
            by: shown(stop["by"]),
            digest: typeof stop["image_digest"] === "string" ? stop["image_digest"] : null,
          },
        ]
      : [],
  );
}

function shown(value: JsonValue | undefined): string {
  return typeof value === "string" ? printable(value, 300) : "";
}
