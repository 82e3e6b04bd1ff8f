import type { Answer, Plan, Received, Step } from "../support/scripted-server.ts";
import { LIST, listing, PROMOTE, row } from "./rows.ts";

export const PIN = "/v1/pins/codex/global";
export const SHOW: string = `GET ${PIN}`;
export const PUT: string = `PUT ${PIN}`;

/** The state of a control plane with conditional writes and one row: what is written is listed from then on. */
export class VersionedBoard {
  digest: string | null;
  seq: number | null;
  version = 1;
  stops: object[] = [];

  constructor(digest: string | null, seq: number | null = null) {
    this.digest = digest;
    this.seq = seq;
  }

  readonly list: Step = () => ({
    ...(this.digest === null ? listing() : listing(this.row())),
    headers: { etag: `"list-${this.version}"` },
  });

  readonly show: Step = () => {
    if (this.digest === null) {
      return { status: 404, body: JSON.stringify({ error: "x", code: "pin_not_found", stops: this.stops }) };
    }
    const body = JSON.stringify({ ...this.row(), version: this.version, stops: this.stops });
    return { headers: { etag: this.etag() }, body };
  };

  readonly put: Step = (request) => this.#refusal(request) ?? this.#taken(request);

  /** Takes a write without a condition, as servers do that know no versions. */
  readonly post: Step = (request) => this.#taken(request);

  /** Takes the write when its condition holds, and answers otherwise. */
  applied(answer: Answer): Step {
    return (request) => {
      const refusal = this.#refusal(request);
      if (refusal !== null) return refusal;
      this.#taken(request);
      return answer;
    };
  }

  /** Somebody else writes first. */
  after(act: () => void, step: Step): Step {
    return (request) => {
      act();
      return typeof step === "function" ? step(request) : step;
    };
  }

  move(digest: string, seq: number | null = this.seq): void {
    this.digest = digest;
    this.seq = seq;
    this.version++;
  }

  etag(): string {
    return `"${this.version}"`;
  }

  plan(more: Plan = {}): Plan {
    return { [LIST]: this.list, [SHOW]: this.show, [PUT]: this.put, [PROMOTE]: { status: 500 }, ...more };
  }

  row(): object {
    return row(this.digest, this.seq === null ? {} : { seq: this.seq });
  }

  #refusal({ headers, body }: Received): Answer | null {
    const holds =
      headers["if-match"] === undefined
        ? headers["if-none-match"] === "*" && this.digest === null
        : this.digest !== null && headers["if-match"] === this.etag();
    if (headers["if-match"] === undefined && headers["if-none-match"] === undefined) return { status: 428 };
    if (!holds) return { status: 412, body: '{"error":"the pin was changed","code":"stale_version"}' };
    const asked = JSON.parse(body) as { seq?: number; rollback?: boolean };
    const isOlder = asked.seq !== undefined && this.seq !== null && asked.seq < this.seq;
    return isOlder && asked.rollback !== true
      ? { status: 409, body: '{"error":"older","code":"older_build"}' }
      : null;
  }

  #taken({ body }: Received): Answer {
    const asked = JSON.parse(body) as { image_digest: string; seq?: number };
    this.move(asked.image_digest, asked.seq ?? this.seq);
    return { headers: { etag: this.etag() }, body: JSON.stringify(this.row()) };
  }
}
