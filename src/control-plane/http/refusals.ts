import { Failure } from "../../base/failure.ts";
import { WireRefusal } from "./wire.ts";

/** What a client is told of whatever a handler threw. */
export function asRefusal(error: unknown): WireRefusal {
  if (error instanceof WireRefusal) return error;
  if (error instanceof Failure && error.code === "storage_failed") {
    const text = "the database does not answer, or takes no write";
    return new WireRefusal("unavailable", text, { "retry-after": "5" });
  }
  if (error instanceof Failure && error.code === "object_store_unavailable") {
    const text = "the store of the bytes does not answer";
    return new WireRefusal("unavailable", text, { "retry-after": "5" });
  }
  // The sender went away; nobody will read this, and nothing is wrong here.
  if (error instanceof Error && error.name === "AbortError") {
    return new WireRefusal("upload_aborted", "the connection was closed before the body was complete");
  }
  return new WireRefusal("internal_error", "internal error");
}

const DENIALS: ReadonlySet<string> = new Set([
  "unauthorized",
  "forbidden",
  "policy_denied",
  "version_conflict",
  "older_build",
  "held",
  "vetoed",
  "frozen",
]);

/** Somebody was kept from something: who has no right to it, or whose bytes would replace published ones. */
export function isDenial(refusal: WireRefusal): boolean {
  return DENIALS.has(refusal.code);
}
