import { Failure } from "../base/failure.ts";
import { classifyWrite, type WriteAnswer } from "./classify-write.ts";
import { GLOBAL_REGION, type Force, type PinNote, type WantedPin } from "./pin.ts";
import { ask, foreseen, named, pinPath, PROMOTE, reader, type Exchange, type Met } from "./pin-client.ts";
import { retryAfterMs } from "../base/retry-after.ts";
import { readStanding, type Condition, type Standing } from "./standing.ts";
import type { Target } from "./target.ts";

/** Errors in which no byte of the request can have reached the server; all others leave open what became of it. */
const NOT_SENT: ReadonlyMap<Failure["code"], "try_again" | "refused"> = new Map([
  ["connection_failed", "try_again"],
  ["name_not_resolved", "try_again"],
  // As with a read: neither gets better by itself.
  ["tls_failed", "refused"],
  ["proxy_failed", "refused"],
]);

/** Where the pin stands on a server with conditional writes; null on one without. */
export async function readVersion(
  target: Target,
  wanted: WantedPin,
  exchange: Exchange,
): Promise<Met & ({ readonly standing: Standing | null } | { readonly failure: Failure })> {
  try {
    const heard = await ask(target, exchange, { method: "GET", path: pinPath(wanted) }, reader(target));
    const met = { status: heard.status, waitMs: retryAfterMs(heard.headers, Date.now()) };
    const standing = readStanding(heard);
    return standing instanceof Failure ? { ...met, failure: standing } : { ...met, standing };
  } catch (error) {
    return { status: null, waitMs: null, failure: foreseen(error) };
  }
}

export type PinWrite = {
  readonly wanted: WantedPin;
  readonly note: PinNote;
  readonly condition: Condition | null;
  /** Names one intended change, so that a server can tell its repetition from another one. */
  readonly idempotencyKey: string;
};

/** Sends one promotion. What goes wrong is a value, an interruption too: it leaves the outcome open. */
export async function writePin(
  target: Target,
  write: PinWrite,
  exchange: Exchange,
): Promise<WriteAnswer & Met> {
  const { wanted, condition } = write;
  const message = {
    method: condition === null ? "POST" : "PUT",
    path: condition === null ? PROMOTE : pinPath(wanted),
    headers: {
      "content-type": "application/json",
      "idempotency-key": `"${write.idempotencyKey}"`,
      ...(condition === null
        ? {}
        : "ifMatch" in condition
          ? { "if-match": condition.ifMatch }
          : { "if-none-match": condition.ifNoneMatch }),
    },
    body: JSON.stringify(writeDocument(write)),
  } as const;
  try {
    const heard = await ask(target, exchange, message, target.token);
    const met = { status: heard.status, waitMs: retryAfterMs(heard.headers, Date.now()) };
    const meaning = classifyWrite(heard, wanted);
    if (meaning.kind !== "refused") return { ...meaning, ...met };
    return { kind: "refused", failure: named(meaning.failure, target.token), ...met };
  } catch (error) {
    const failure = foreseen(error);
    return {
      kind: NOT_SENT.get(failure.code) ?? "ambiguous",
      failure,
      status: null,
      waitMs: null,
    };
  }
}

function writeDocument({ wanted, note, condition }: PinWrite): Record<string, string | number | boolean> {
  return {
    template_name: wanted.template,
    image_digest: wanted.digest,
    ...(note.gitSha === undefined ? {} : { git_sha: note.gitSha }),
    ...(note.notes === undefined ? {} : { notes: note.notes }),
    // Servers that know no regions refuse the member; "global" is what they mean anyway.
    ...(wanted.region === GLOBAL_REGION ? {} : { region: wanted.region }),
    // What only our own control plane knows goes to its own route alone.
    ...(condition === null || note.seq === undefined ? {} : { seq: note.seq }),
    ...(condition === null || note.force === undefined ? {} : forceDocument(note.force)),
  };
}

function forceDocument({ rollback, breakGlass, reason }: Force): Record<string, string | boolean> {
  return { ...(rollback ? { rollback } : {}), ...(breakGlass ? { break_glass: true } : {}), reason };
}
