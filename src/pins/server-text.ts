import { isMap } from "../base/decode.ts";
import { parseJson, type JsonMap } from "../base/json.ts";
import { printable } from "../base/printable.ts";

/** One answer of a control plane, read to its end. */
export type Heard = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
};

/** Whether it is a page: of a proxy, an edge or a login, whose markup tells nobody anything. */
export function isPage(body: Uint8Array): boolean {
  return /^\ufeff?\s*</u.test(new TextDecoder().decode(body.subarray(0, 64)));
}

/** What the server said, made inert; undefined for nothing and for a page. */
export function serverText(body: Uint8Array): string | undefined {
  const said = isPage(body) ? "" : printable(new TextDecoder().decode(body));
  return said === "" ? undefined : said;
}

/** The body when it is a JSON object, or null. */
export function jsonObject(body: Uint8Array): JsonMap | null {
  try {
    const value = parseJson(body, { what: "the answer", code: "answer_not_json" });
    return isMap(value) ? value : null;
  } catch {
    return null;
  }
}

/** Where a redirect points, by its origin alone: a path or a query may carry a secret. */
export function redirectOrigin(headers: Headers): string {
  const location = headers.get("location") ?? "";
  const url = URL.parse(location);
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return "";
  return ` (to ${printable(url.origin, 200)})`;
}
