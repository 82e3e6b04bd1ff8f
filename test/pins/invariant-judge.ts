import type { Leg } from "../../src/pins/leg.ts";
import type { WantedPin } from "../../src/pins/pin.ts";
import type { Received, ScriptedServer, Sent } from "../support/scripted-server.ts";
import { LIST } from "./rows.ts";

/** What a run is asked for beside the pin. */
export type Asked = {
  readonly seq: number | undefined;
  readonly dryRun: boolean;
  readonly touch: boolean;
  /** Of a verification: any digest but this one. */
  readonly not: boolean;
};
/**
 * The judge, written from the contract alone and knowing nothing of the code under test: in these bytes is exactly
 * one row for the pin, it holds the digest, and no member name occurs twice.
 */
export function proves(body: Uint8Array, { template, region, digest, unwanted }: WantedPin): boolean {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    value = JSON.parse(text);
  } catch {
    return false;
  }
  // In valid JSON a string before a colon is a member name; a name that was read twice is counted once below.
  const written = text.match(/"(?:[^"\\]|\\.)*"\s*:/gu)?.length ?? 0;
  if (written !== members(value)) return false;
  const rows: unknown = Array.isArray(value) ? value : (value as { pins?: unknown } | null)?.pins;
  if (!Array.isArray(rows)) return false;
  const mine = rows.filter(
    (row: Record<string, unknown> | null) =>
      row?.["template_name"] === template &&
      (row["region"] === region || (region === "global" && !Object.hasOwn(row, "region"))),
  );
  const found: unknown = mine.length === 1 ? mine[0].image_digest : null;
  if (unwanted !== true) return found === digest;
  return typeof found === "string" && /^sha256:[0-9a-f]{64}$/u.test(found) && found !== digest;
}

/** A 200 that was sent whole, from no cache, and whose headers say nothing against its bytes or its end. */
function isPlain({ status, whole, headers }: Sent): boolean {
  const { "content-encoding": coding = "identity", age = "0" } = headers;
  const ends = "content-length" in headers || "transfer-encoding" in headers;
  return status === 200 && whole && coding === "identity" && age === "0" && !ends;
}

function members(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside = Object.values(value).reduce<number>((sum, item) => sum + members(item), 0);
  return inside + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

/** Whether the last listing that was sent has exactly one row for the pin, of a higher build number than `seq`. */
function outdated(server: ScriptedServer, { template, region }: WantedPin, seq: number): boolean {
  const last = server.sent.findLast(({ request }) => `${request.method} ${request.path}` === LIST);
  if (last === undefined || !isPlain(last)) return false;
  const value: unknown = JSON.parse(new TextDecoder().decode(last.body));
  const rows: unknown = Array.isArray(value) ? value : (value as { pins?: unknown }).pins;
  if (!Array.isArray(rows)) return false;
  const mine = rows.filter(
    (row: Record<string, unknown>) =>
      row["template_name"] === template && (row["region"] ?? "global") === region,
  );
  return mine.length === 1 && Number.isSafeInteger(mine[0].seq) && mine[0].seq > seq;
}

/** The digest that an answer shows of the pin, null for no row; undefined for an answer that shows nothing. */
function shownDigest(sent: Sent | undefined, { template, region }: WantedPin): unknown {
  if (sent === undefined || !isPlain(sent)) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(sent.body));
    const rows: unknown = Array.isArray(value) ? value : (value as { pins?: unknown }).pins;
    if (!Array.isArray(rows)) return undefined;
    const mine = rows.filter(
      (row: Record<string, unknown>) =>
        row["template_name"] === template && (row["region"] ?? "global") === region,
    );
    return mine.length > 1 ? undefined : (mine[0]?.image_digest ?? null);
  } catch {
    return undefined;
  }
}

/** A plain write that is sent again follows a read, which shows what was there before the first one. */
export function overwritesNobody(server: ScriptedServer, wanted: WantedPin): boolean {
  let over: unknown;
  let shown: unknown;
  let isRepeat = false;
  for (const request of server.requests) {
    const sent = server.sent.find((one) => one.request === request);
    if (request.method === "POST") {
      if (isRepeat && (shown === undefined || shown !== over)) return false;
      isRepeat = true;
    }
    shown = `${request.method} ${request.path}` === LIST ? shownDigest(sent, wanted) : undefined;
    if (!isRepeat && shown !== undefined) over = shown;
  }
  return true;
}

/** Everything that a leg without a failure says must have been so. */
export function holds(leg: Leg, server: ScriptedServer, stable: number, asked: Asked): boolean {
  const writes = server.requests.filter(({ method }) => method !== "GET");
  if (leg.outcome === "would_change") return asked.dryRun && writes.length === 0;
  if (leg.outcome === "superseded") return asked.seq !== undefined && outdated(server, leg.wanted, asked.seq);
  return proven(server, leg.wanted, stable);
}

/** A window that is called closed was closed: the last write named what it replaced. */
export function isHonest(leg: Leg, server: ScriptedServer): boolean {
  if (leg.raceWindow !== "closed") return true;
  const last = server.requests.findLast(({ method }) => method !== "GET");
  const { "if-match": match, "if-none-match": none } = last?.headers ?? {};
  return last?.method === "PUT" && (match !== undefined || none === "*");
}

/** How a leg may fail after a write of which nobody knows: 14, or by what the row and its version tell. */
const OPEN_ENDS = new Set([
  ...["outcome_unknown", "written_unverified"],
  ...["superseded", "previous_differs", "policy_denied"],
]);
/** And when a later write was accepted: by what was read after it. */
const ACCEPTED_ENDS = new Set(["pin_mismatch", "row_missing", "moved_after_write"]);

/** A plain write without a definite answer is never told as one that did not happen. */
export function admitsOpen({ failure }: Leg, server: ScriptedServer): boolean {
  const status = (request: Received): number =>
    server.sent.find((one) => one.request === request)?.status ?? 0;
  const writes = server.requests.filter(({ method }) => method !== "GET");
  const isOpen = writes
    .filter(({ method }) => method === "POST")
    .some((write) => status(write) < 200 || status(write) === 408 || status(write) >= 500);
  if (!isOpen || failure === null || OPEN_ENDS.has(failure.code)) return true;
  const last = writes.at(-1);
  const wasAccepted = last !== undefined && status(last) >= 200 && status(last) < 300;
  return wasAccepted && ACCEPTED_ENDS.has(failure.code);
}

/** Whether the last `stable` reads of a run were all answered with a whole proof. */
export function proven(server: ScriptedServer, wanted: WantedPin, stable: number): boolean {
  const reads = server.requests.filter(({ method, path }) => `${method} ${path}` === LIST).slice(-stable);
  return (
    reads.length === stable &&
    reads.every((read) => {
      const sent = server.sent.find(({ request }) => request === read);
      return sent !== undefined && isPlain(sent) && proves(sent.body, wanted);
    })
  );
}
