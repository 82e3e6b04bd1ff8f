import { asFailure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { request } from "../../host/http.ts";
import { asStranger, connectionFor, type Reach } from "../../stores/http-object.ts";
import { failureOfStatus } from "../../stores/http-status.ts";
import type { HostStatus } from "./status-report.ts";

/** Tells a control plane how this host is. One that does not listen changes nothing here. */
export class ReportClient {
  readonly #plane: URL;
  readonly #reach: Reach;
  readonly #token: string | undefined;
  readonly #warn: (text: string) => void;
  /** The same trouble is not told after every round. */
  #told = "";

  /** Of `reach` everything but the identity, which is shown to stores alone. */
  constructor(plane: URL, reach: Reach, token: string | undefined, warn: (text: string) => void) {
    this.#plane = plane;
    this.#reach = asStranger(reach);
    this.#token = token;
    this.#warn = warn;
  }

  async send(status: HostStatus, deadlineMs: number, stop: AbortSignal): Promise<void> {
    const trouble = await this.#put(status, deadlineMs, stop);
    // What a stop cut off says nothing of the server.
    if (stop.aborted) return;
    if (trouble !== "" && trouble !== this.#told) this.#warn(trouble);
    this.#told = trouble;
  }

  async #put(status: HostStatus, deadlineMs: number, stop: AbortSignal): Promise<string> {
    const url = new URL(`/v1/hosts/${encodeURIComponent(status.host)}/status`, this.#plane);
    try {
      const { status: code, headers } = await request({
        method: "PUT",
        url,
        headers: {
          "content-type": "application/json",
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        body: JSON.stringify(status),
        ...connectionFor(this.#reach, url),
        deadlineMs,
        maxBytes: LIMITS.apiAnswerBytes,
        stop,
      });
      return code >= 200 && code <= 299
        ? ""
        : `the state of this host is not taken: ${failureOfStatus(code, headers, url).message}`;
    } catch (error) {
      return `the state of this host was not sent: ${asFailure(error).message}`;
    }
  }
}
