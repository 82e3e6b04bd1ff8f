import { sha256Of } from "../../base/hashing.ts";

/** One event as it is stored and exported. `before_json` and `after_json` are JSON text, kept to the byte. */
export type ChainedEvent = {
  readonly seq: number;
  readonly at: string;
  readonly env: string | null;
  readonly actor: string;
  readonly action: string;
  readonly decision: string;
  readonly subject: string;
  readonly reason: string | null;
  readonly before_json: string | null;
  readonly after_json: string | null;
  readonly request_id: string | null;
  /** Null for what was recorded before there was a chain. */
  readonly sha256: string | null;
};

/** The last event: whoever notes it elsewhere also sees when events are cut off the end, or all written anew. */
export type EventHead = { readonly seq: number; readonly sha256: string };

export const NO_EVENT: string = "0".repeat(64);

/** The digest of an event over itself and the digest of the one before it. */
export function eventDigest(before: string, event: Omit<ChainedEvent, "sha256">): string {
  const { seq, at, env, actor, action, decision, subject, reason } = event;
  const { before_json, after_json, request_id } = event;
  const members = [
    seq,
    at,
    env,
    actor,
    action,
    decision,
    subject,
    reason,
    before_json,
    after_json,
    request_id,
  ];
  return sha256Of(`waybill.event/v1\n${before}\n${JSON.stringify(members)}`);
}

export type ChainReport = {
  /** Events whose digest was computed and agreed. */
  readonly checked: number;
  /** Events from before the chain: they are shown, and nothing protects them. */
  readonly unchained: number;
  readonly head: EventHead;
  /** What is wrong with the chain; null when it holds. */
  readonly problem: string | null;
};

/**
 * Checks all events from the first one, in the order of their numbers. An event that was taken out, moved, altered or
 * slipped in breaks the digests after it.
 */
export class ChainCheck {
  #checked = 0;
  #unchained = 0;
  #head: EventHead = { seq: 0, sha256: NO_EVENT };
  #problem: string | null = null;
  readonly #wanted: EventHead | null;
  #seen: boolean;

  /** `noted` is a head from an earlier check: that event has to be there still. */
  constructor(noted: EventHead | null) {
    this.#wanted = noted;
    this.#seen = noted === null;
  }

  /** The number of the last event that was added. */
  get seq(): number {
    return this.#head.seq;
  }

  /** Whether there is any use in more events. */
  get holds(): boolean {
    return this.#problem === null;
  }

  add(event: ChainedEvent): void {
    this.#problem ??= this.#problemOf(event);
    if (this.#problem !== null) return;
    this.#head = { seq: event.seq, sha256: event.sha256 ?? NO_EVENT };
    if (event.sha256 === null) this.#unchained++;
    else this.#checked++;
    this.#seen ||= event.seq === this.#wanted?.seq && event.sha256 === this.#wanted.sha256;
  }

  /** `told` is the head that the server keeps beside the events; null when the export has none. */
  report(told: EventHead | null): ChainReport {
    return {
      checked: this.#checked,
      unchained: this.#unchained,
      head: this.#head,
      problem: this.#problem ?? this.#endProblem(told),
    };
  }

  #problemOf({ sha256, ...event }: ChainedEvent): string | null {
    const name = `event ${event.seq}`;
    const last = this.#head.seq;
    if (event.seq <= last) return `${name} comes after event ${last}`;
    if (this.#checked === 0 && sha256 === null) return null;
    if (sha256 === null) return `${name} has no digest, the one before it has`;
    if (last > 0 && event.seq !== last + 1)
      return `between event ${last} and event ${event.seq} some are missing`;
    return eventDigest(this.#head.sha256, event) === sha256
      ? null
      : `${name} is not what was recorded, or not what followed the one before it`;
  }

  #endProblem(told: EventHead | null): string | null {
    const { seq, sha256 } = this.#head;
    if (told !== null && (told.seq !== seq || (this.#checked > 0 && told.sha256 !== sha256))) {
      return `the events end with ${seq}; the server's last one was ${told.seq}`;
    }
    return this.#seen ? null : `event ${this.#wanted?.seq ?? 0} is not the one that was noted earlier`;
  }
}
