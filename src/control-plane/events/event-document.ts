import { decode, integer, list, nullable, object, string, type Decoder } from "../../base/decode.ts";
import { isSha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson, type JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import type { ChainedEvent, EventHead } from "./event-chain.ts";

/** A page of the record of a server, from the first event after the one that was asked for. */
export type EventPage = {
  readonly events: readonly ChainedEvent[];
  /** The last event of the whole record. */
  readonly head: EventHead;
};

const digest = string("64 lower-case hex", isSha256);
const head: Decoder<EventHead> = object({ seq: integer(), sha256: digest });
const event: Decoder<ChainedEvent> = object({
  seq: integer(),
  at: string(),
  env: nullable(string()),
  actor: string(),
  action: string(),
  decision: string(),
  subject: string(),
  reason: nullable(string()),
  before_json: nullable(string()),
  after_json: nullable(string()),
  request_id: nullable(string()),
  sha256: nullable(digest),
});
const page: Decoder<EventPage> = object({ events: list(event, LIMITS.eventsOfPage), head });
const lastLine = object({ head });

/** The answer of `GET /v1/events`. Throws Failure `answer_malformed`. */
export function readEventPage(body: Uint8Array, from: string): EventPage {
  const what = `the events of ${from}`;
  const value = parseJson(body, { what, code: "answer_malformed", maxBytes: LIMITS.eventPageBytes });
  const decoded = decode(page, value);
  if (decoded.ok) return decoded.value;
  throw new Failure("answer_malformed", `${what}: ${decoded.problems[0] ?? "malformed"}`);
}

export type ExportLine = { readonly event: ChainedEvent } | { readonly head: EventHead };

/** One line of an exported record: an event, or at the end the head. Throws Failure `audit_broken`. */
export function readExportLine(line: string, number: number): ExportLine {
  const what = `line ${number}`;
  const value: JsonValue = parseJson(line, { what, code: "audit_broken", maxBytes: LIMITS.eventPageBytes });
  const end = decode(lastLine, value);
  if (end.ok) return end.value;
  const decoded = decode(event, value);
  if (decoded.ok) return { event: decoded.value };
  throw new Failure("audit_broken", `${what}: ${decoded.problems[0] ?? "malformed"}`);
}
