import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { parseJson, shownJson, type JsonMap, type JsonValue } from "../base/json.ts";
import { printable, quoted } from "../base/printable.ts";
import type { WantedPin } from "./pin.ts";

/** What the answer to a promotion means for what happens next. */
export type WriteAnswer =
  /** The server says it took it. Only a read-back proves it. */
  | { readonly kind: "accepted" }
  /** Somebody else holds the lock: nothing was written, ask again within the conflict budget. */
  | { readonly kind: "conflict"; readonly failure: Failure }
  /** Nothing was written; ask again. */
  | { readonly kind: "try_again"; readonly failure: Failure }
  /** It may or may not have been written: read before anything else. */
  | { readonly kind: "ambiguous"; readonly failure: Failure }
  /** It was not taken, and asking again would not help. */
  | { readonly kind: "refused"; readonly failure: Failure };

/** Codes that our own control plane sends with a 409 or 403 that no retry can cure. */
const POLICY_CODES = new Set(["older_build", "vetoed", "held", "frozen", "policy_denied"]);

function isPolicyCode(code: JsonValue | undefined): boolean {
  return typeof code === "string" && POLICY_CODES.has(code);
}

export function classifyWrite(status: number, body: Uint8Array, wanted: WantedPin): WriteAnswer {
  const answer = jsonObject(body);
  const said = printable(new TextDecoder().decode(body));
  const serverText = said === "" ? undefined : said;
  const failure = (code: Failure["code"], message: string, hint?: string): Failure =>
    new Failure(code, message, { serverText, hint });
  if (status >= 200 && status < 300) return accepted(answer, wanted, failure);
  if (status >= 300 && status < 400) {
    return refused(
      failure(
        "redirect_refused",
        `the control plane answered ${status}: redirects are not followed`,
        "check the target's URL",
      ),
    );
  }
  switch (status) {
    case 401:
      return refused(failure("unauthorized", "the control plane answered 401 to the promotion"));
    case 403: {
      const denied = isPolicyCode(answer?.["code"]);
      return refused(
        failure(denied ? "policy_denied" : "forbidden", "the control plane answered 403 to the promotion"),
      );
    }
    case 404:
    case 405:
    case 415:
      return refused(
        failure(
          "answer_unexpected",
          `the control plane answered ${status}: it has no such route`,
          "check the target's URL",
        ),
      );
    case 408:
      return { kind: "ambiguous", failure: failure("deadline_passed", "the control plane answered 408") };
    case 409: {
      const denied = isPolicyCode(answer?.["code"]);
      if (denied) return refused(failure("policy_denied", "the control plane refused the promotion"));
      return {
        kind: "conflict",
        failure: failure("conflict_persisted", "the control plane answered 409: another change is under way"),
      };
    }
    case 425:
    case 429:
      return { kind: "try_again", failure: failure("rate_limited", `the control plane answered ${status}`) };
    default:
  }
  // Not a final answer, or none that HTTP knows: it says nothing about the request.
  if (status < 200) {
    return {
      kind: "ambiguous",
      failure: failure("answer_unexpected", `the control plane answered ${status}`),
    };
  }
  if (status >= 500) {
    // The server says itself that it cannot write: no retry brings a database.
    if (status === 503 && said.includes("no database wired"))
      return refused(failure("server_failed", "the control plane has no database"));
    return { kind: "ambiguous", failure: failure("server_failed", `the control plane answered ${status}`) };
  }
  return refused(failure("request_rejected", `the control plane rejected the promotion (${status})`));
}

function accepted(
  answer: JsonMap | null,
  wanted: WantedPin,
  failure: (code: Failure["code"], message: string) => Failure,
): WriteAnswer {
  if (answer === null) return { kind: "accepted" };
  if (typeof answer["error"] === "string") {
    return refused(failure("answer_unexpected", "the control plane answered 2xx with an error in the body"));
  }
  // A row that names something else was not written for us, whatever the read-back may find later.
  const echoed: readonly [string, string][] = [
    ["template_name", wanted.template],
    ["image_digest", wanted.digest],
    ["region", wanted.region],
  ];
  for (const [member, value] of echoed) {
    const said = answer[member] ?? null;
    if (said !== null && said !== value) {
      const message = `the control plane wrote ${member} ${shownJson(said)}; wanted ${quoted(value)}`;
      return refused(failure("response_mismatch", message));
    }
  }
  return { kind: "accepted" };
}

function refused(failure: Failure): WriteAnswer {
  return { kind: "refused", failure };
}

function jsonObject(body: Uint8Array): JsonMap | null {
  try {
    const value = parseJson(body, { what: "the answer", code: "answer_not_json" });
    return isMap(value) ? value : null;
  } catch {
    return null;
  }
}

/** The failure that a read's status stands for; null for 200, whose body decides. */
export function classifyRead(status: number, body: Uint8Array): Failure | null {
  if (status === 200) return null;
  const said = printable(new TextDecoder().decode(body));
  const details = { serverText: said === "" ? undefined : said };
  if (status >= 300 && status < 400)
    return new Failure(
      "redirect_refused",
      `the pin listing answered ${status}: redirects are not followed`,
      details,
    );
  if (status === 401) {
    return new Failure("unauthorized", "the pin listing answered 401", {
      ...details,
      hint: "the token is wrong, or may promote but not read: give the target a read token",
    });
  }
  if (status === 403) return new Failure("forbidden", "the pin listing answered 403", details);
  if (status === 404)
    return new Failure("answer_unexpected", "the pin listing answered 404: no such route", {
      ...details,
      hint: "check the target's URL",
    });
  if (status === 429) return new Failure("rate_limited", "the pin listing answered 429", details);
  if (status === 408) return new Failure("deadline_passed", "the pin listing answered 408", details);
  if (status >= 500) return new Failure("server_failed", `the pin listing answered ${status}`, details);
  return new Failure("answer_unexpected", `the pin listing answered ${status}`, details);
}

/** Whether reading again may bring another answer: the network, an overloaded server, a body that was cut off. */
export function mayReadAgain(failure: Failure): boolean {
  return READ_AGAIN.has(failure.code);
}

const READ_AGAIN: ReadonlySet<Failure["code"]> = new Set([
  "connection_failed",
  "connection_lost",
  "deadline_passed",
  "name_not_resolved",
  "rate_limited",
  "server_failed",
  "answer_not_json",
  "answer_empty",
  "row_missing",
]);
