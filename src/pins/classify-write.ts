import { Failure } from "../base/failure.ts";
import { shownJson, type JsonMap, type JsonValue } from "../base/json.ts";
import { printable, quoted } from "../base/printable.ts";
import { forbidden } from "./classify-read.ts";
import type { WantedPin } from "./pin.ts";
import { isPage, jsonObject, redirectOrigin, serverText, type Heard } from "./server-text.ts";

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
  /** Nothing was written, because the row is no longer the one that was read: read it again. */
  | { readonly kind: "overtaken"; readonly failure: Failure }
  /** Nothing was written: this server takes no write that does not name the row it replaces. */
  | { readonly kind: "condition_wanted"; readonly failure: Failure }
  /** It was not taken, and asking again would not help. */
  | { readonly kind: "refused"; readonly failure: Failure };

/** Codes that our own control plane sends with a 409 or 403 that no retry can cure. */
const POLICY_CODES: ReadonlySet<JsonValue | undefined> = new Set([
  "vetoed",
  "held",
  "frozen",
  "policy_denied",
]);

export function classifyWrite(heard: Heard, wanted: WantedPin): WriteAnswer {
  const { status, body } = heard;
  const answer = jsonObject(body);
  const failure = (code: Failure["code"], message: string, hint?: string): Failure =>
    new Failure(code, message, { serverText: serverText(body), hint });
  // Not a final answer, none that HTTP knows, or the one to a conditional read: it says nothing about the request.
  if (status < 200 || status === 304) {
    return {
      kind: "ambiguous",
      failure: failure("answer_unexpected", `the control plane answered ${status}`),
    };
  }
  if (status < 300) return accepted(answer, wanted, failure);
  const page = isPage(body) ? " with a page" : "";
  if (status < 400) {
    return refused(
      failure(
        "redirect_refused",
        `the control plane answered ${status}: redirects are not followed${redirectOrigin(heard.headers)}`,
        "check the target's URL",
      ),
    );
  }
  switch (status) {
    case 401:
      return refused(failure("unauthorized", "the control plane answered 401 to the promotion"));
    case 403: {
      if (POLICY_CODES.has(answer?.["code"]))
        return refused(failure("policy_denied", `the control plane refused the promotion${why(answer)}`));
      return refused(forbidden(page !== "", "the promotion", { serverText: serverText(body) }));
    }
    case 404:
    case 405:
    case 415:
      return refused(
        failure(
          "server_unsupported",
          `the control plane answered ${status}${page}: its pins can be read, and it takes no promotion here`,
          "is this a control plane that waybill knows?",
        ),
      );
    case 408:
      return { kind: "ambiguous", failure: failure("deadline_passed", "the control plane answered 408") };
    case 409:
      if (answer?.["code"] === "older_build")
        return {
          kind: "overtaken",
          failure: failure("policy_denied", "the control plane has a newer build than this one"),
        };
      if (POLICY_CODES.has(answer?.["code"]))
        return refused(failure("policy_denied", `the control plane refused the promotion${why(answer)}`));
      return {
        kind: "conflict",
        failure: failure("conflict_persisted", "the control plane answered 409: another change is under way"),
      };
    case 412:
      return {
        kind: "overtaken",
        failure: failure("previous_differs", "somebody else changed the pin after it was read (412)"),
      };
    case 425:
    case 429:
      return { kind: "try_again", failure: failure("rate_limited", `the control plane answered ${status}`) };
    case 428:
      return {
        kind: "condition_wanted",
        failure: failure(
          "server_unsupported",
          "the control plane wants a conditional write (428), and names no version of the pin",
        ),
      };
    default:
  }
  if (status >= 500) {
    // The server says itself that it cannot write: no retry brings a database.
    if (status === 503 && serverText(body)?.includes("no database wired") === true)
      return refused(failure("server_failed", "the control plane has no database"));
    return {
      kind: "ambiguous",
      failure: failure("server_failed", `the control plane answered ${status}${page}`),
    };
  }
  return refused(failure("request_rejected", `the control plane rejected the promotion (${status})`));
}

/** Who stopped it and why, as far as the server says so. */
function why(answer: JsonMap | null): string {
  const said = answer?.["error"];
  return typeof said === "string" ? `: ${printable(said, 300)}` : "";
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
