import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { isPage, redirectOrigin, serverText as textOf, type Heard } from "./server-text.ts";

/** The failure that a read's status and headers stand for; null for a 200 whose body may decide. */
export function classifyRead({ status, headers, body }: Heard, what = "the pin listing"): Failure | null {
  if (status === 200) return unfit(headers, what);
  const details = { serverText: textOf(body) };
  const page = isPage(body) ? " with a page" : "";
  if (status === 304)
    return new Failure(
      "answer_unexpected",
      `${what} answered 304: it says that nothing changed, which nobody asked`,
      details,
    );
  if (status >= 300 && status < 400)
    return new Failure(
      "redirect_refused",
      `${what} answered ${status}: redirects are not followed${redirectOrigin(headers)}`,
      details,
    );
  if (status === 401) {
    return new Failure("unauthorized", `${what} answered 401`, {
      ...details,
      hint: "the token is wrong, or may promote but not read: name a read token with --read-token-env",
    });
  }
  if (status === 403) return forbidden(page !== "", what, details);
  if (status === 404)
    return new Failure("answer_unexpected", `${what} answered 404${page}: no such route`, {
      ...details,
      hint: "check the target's URL",
    });
  if (status === 425 || status === 429)
    return new Failure("rate_limited", `${what} answered ${status}`, details);
  if (status === 408) return new Failure("deadline_passed", `${what} answered 408`, details);
  if (status >= 500) return new Failure("server_failed", `${what} answered ${status}${page}`, details);
  return new Failure("answer_unexpected", `${what} answered ${status}${page}`, details);
}

/** A 403 in the control plane's own words, or the page of something that stands before it. */
export function forbidden(
  isFromEdge: boolean,
  what: string,
  details: { serverText: string | undefined },
): Failure {
  if (!isFromEdge) return new Failure("forbidden", `the control plane answered 403 to ${what}`, details);
  return new Failure(
    "edge_blocked",
    `something before the control plane answered 403 with a page to ${what}`,
    {
      hint: "a firewall may refuse unknown clients: try --user-agent",
    },
  );
}

/** Why the body of a 200 is not the state of the control plane in plain bytes, as its headers say; null for nothing. */
function unfit(headers: Headers, what: string): Failure | null {
  const coding = headers.get("content-encoding");
  if (coding !== null && !/^identity$/iu.test(coding)) {
    // Also where the bytes happen to be JSON: whoever believes the header reads something else.
    return new Failure("answer_malformed", `${what} came as ${quoted(coding, 40)}, which nobody asked for`, {
      hint: "something between here and the control plane compresses what it should hand on",
    });
  }
  // Only a cache sends an age (RFC 9111 §5.1), and the pin may have moved since.
  const age = headers.get("age");
  if (age === null || /^0*$/u.test(age)) return null;
  return new Failure("answer_cached", `${what} came from a cache, ${quoted(age, 20)} seconds old`, {
    hint: "have whatever stands before the control plane keep nothing of it",
  });
}

/**
 * What a 404 of the listing comes to, by the status of the route beside it: with both gone this is no control
 * plane at all; with one of them it is one that we do not know.
 */
export function classifyAbsentListing(listing: Failure, sibling: number | null): Failure {
  if (sibling === null) return listing;
  const { serverText } = listing;
  if (sibling === 404) {
    return new Failure("wrong_base_url", "neither the pin listing nor the route to promote is there (404)", {
      serverText,
      hint: "the target's URL is not that of a control plane; check the host and the port",
    });
  }
  return new Failure(
    "server_unsupported",
    `the pin listing is not there (404), and the route to promote is (${sibling}): what was written could not be read`,
    { serverText, hint: "is this a control plane that waybill knows?" },
  );
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
  "answer_cached",
  "row_missing",
]);
