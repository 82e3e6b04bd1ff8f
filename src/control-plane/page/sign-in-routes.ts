import { idOfDigest, refusalOf } from "../tokens/token.ts";
import { sha256Of } from "../../base/hashing.ts";
import { isTokenText } from "../tokens/token-text.ts";
import { findToken } from "../tokens/tokens.ts";
import { wholeBody } from "../http/request-body.ts";
import type { Deps, Route } from "../router.ts";
import { WireRefusal } from "../http/wire.ts";
import { page } from "./frame.ts";
import { endSession, startSession } from "./session.ts";
import { signInView } from "./sign-in-view.ts";

const FORM_BYTES = 8_192;
export const SIGN_IN = "/sign-in";

export const SIGN_IN_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: SIGN_IN,
    access: "open",
    answer: async (_deps, request) =>
      page("Sign in", null, signInView(null, localPath(queryOf(request).get("to")))),
  },
  {
    method: "POST",
    path: SIGN_IN,
    access: "open",
    refused: signInAgain,
    answer: async (deps, request) => {
      refuseOtherSites(request);
      const form = await readForm(request);
      const token = form.get("token")?.trim() ?? "";
      const reason = await refusalOfToken(token, deps);
      if (reason !== null) throw new WireRefusal("unauthorized", `this token opens nothing: ${reason}`);
      return seeOther(localPath(form.get("to")), startSession(token, isSecure(request)));
    },
  },
  {
    method: "POST",
    path: "/sign-out",
    access: "open",
    refused: signInAgain,
    answer: async (_deps, request) => {
      refuseOtherSites(request);
      return seeOther(SIGN_IN, endSession(isSecure(request)));
    },
  },
];

/**
 * The form once more, with what was wrong. Only a token that opens nothing ends the session: a form of another site
 * would sign its visitor out with the very refusal, and a database that is away for a moment everybody.
 */
export function signInAgain(refusal: WireRefusal, request: Request): Response {
  const response = page("Sign in", null, signInView(refusal.message, "/"), refusal.status);
  if (refusal.code === "unauthorized") response.headers.set("set-cookie", endSession(isSecure(request)));
  return response;
}

export function seeOther(location: string, cookie?: string): Response {
  const headers = { location, ...(cookie === undefined ? {} : { "set-cookie": cookie }) };
  return new Response(null, { status: 303, headers });
}

export function isSecure(request: Request): boolean {
  return request.url.startsWith("https:");
}

async function refusalOfToken(token: string, { database, now }: Deps): Promise<string | null> {
  if (!isTokenText(token)) return "it is no token of a control plane (wb_ and 43 characters)";
  const digest = sha256Of(token);
  return refusalOf(digest, await findToken(database, idOfDigest(digest)), now());
}

/** A form on another site could sign its visitor in as somebody else, or out. What every browser says now decides. */
function refuseOtherSites(request: Request): void {
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  const isOwn =
    site === null
      ? origin === null || URL.parse(origin)?.host === request.headers.get("host")
      : site === "same-origin" || site === "none";
  if (!isOwn) throw new WireRefusal("forbidden", "this form was sent from another site");
}

async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new WireRefusal("unsupported_media_type", "send a form");
  }
  const bytes = await wholeBody(request, FORM_BYTES, "the form");
  return new URLSearchParams(Buffer.from(bytes).toString("utf8"));
}

function queryOf(request: Request): URLSearchParams {
  return new URLSearchParams(/\?([^#]*)/u.exec(request.url)?.[1] ?? "");
}

/** A page of this server, else the first one: `//other.example` and `/\other.example` lead away. */
function localPath(to: string | null): string {
  return to !== null && /^\/(?![/\\])[A-Za-z0-9\-._~/?=&%:]*$/u.test(to) ? to : "/";
}
