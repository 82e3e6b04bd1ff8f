import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";

/** What an error of the client, or of the server behind it, stands for. `name` is the store, `host` its server. */
export function natsFailure(error: unknown, name: string, host: string): Failure {
  if (error instanceof Failure) return error;
  const kind = error instanceof Error ? error.name : "";
  const message = printable(error instanceof Error ? error.message : String(error), 160);
  if (/Authorization|Authentication/u.test(kind) || /authorization|authentication/iu.test(message)) {
    return new Failure("unauthorized", `${name} refused the credential`, {
      hint: "check --nats-creds, its expiry, and --store-token-env",
    });
  }
  // A request that was denied comes as an error of the request, which only quotes the other one.
  if (kind === "PermissionViolationError" || /^permissions violation/iu.test(message)) {
    return new Failure("forbidden", `${name} does not allow this user to read objects: ${message}`);
  }
  if (/stream not found|object store not found|bucket not found/iu.test(message)) {
    return new Failure("not_found", `${name}: there is no such object store`);
  }
  if (/certificate|self.signed|altname|'tls'|tls/iu.test(message)) {
    return new Failure("tls_failed", `the connection to ${host} cannot be secured: ${message}`, {
      hint: "pass the issuing certificate with --cacert",
    });
  }
  if (
    /jetstream (?:is )?not enabled|no responders/iu.test(`${kind} ${message}`) ||
    kind === "NoRespondersError"
  ) {
    return new Failure("object_store_unavailable", `${name}: the server has no JetStream`);
  }
  if (kind === "TimeoutError") return new Failure("deadline_passed", `${name} did not answer: ${message}`);
  const refused = /refused|connect/iu.test(message) && kind === "ConnectionError";
  const code = refused ? "connection_failed" : "connection_lost";
  return new Failure(code, `the exchange with ${name} broke: ${message}`);
}
