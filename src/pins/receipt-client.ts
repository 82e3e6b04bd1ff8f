import {
  decode,
  integer,
  isMap,
  list,
  narrowed,
  nullable,
  object,
  optional,
  string,
} from "../base/decode.ts";
import { isImageDigest, isSha256 } from "../base/digest.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import type { JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { parseAttestations, type FoundAttestations } from "../trust/attestation.ts";
import { formatEnvelope, type Envelope } from "../trust/dsse.ts";
import { classifyRead, mayReadAgain } from "./classify-read.ts";
import { ask, foreseen, named, pinPath, reader, type Exchange } from "./pin-client.ts";
import type { WantedPin } from "./pin.ts";
import type { ReceiptedPin } from "./receipt-verdict.ts";
import { jsonObject, serverText, type Heard } from "./server-text.ts";
import type { Target } from "./target.ts";

/** A pin, and everything that was handed in as a receipt of the version that it has. */
export type ReadReceipts = { readonly pin: ReceiptedPin; readonly found: FoundAttestations };

const PLANE = { plane: narrowed("64 lower-case hex", isSha256), env: string() };
const ANSWER = object({
  ...PLANE,
  pin: object({
    image_digest: narrowed("sha256:<64 lower-case hex>", isImageDigest),
    version: integer(),
    promoted_at: optional(nullable(string())),
    promoted_by: optional(nullable(string())),
  }),
  receipts: list(object({ version: integer() }), LIMITS.receiptsOfVersion),
  last_receipted_version: nullable(integer()),
});

/**
 * The receipts of a pin. Null when there is no such pin yet. Throws nothing: what goes wrong is a Failure, and
 * `server_unsupported` one of a control plane that keeps no receipts.
 */
export async function readReceipts(
  target: Target,
  wanted: WantedPin,
  exchange: Exchange,
): Promise<ReadReceipts | Failure | null> {
  let heard: Heard;
  try {
    heard = await ask(target, exchange, { method: "GET", path: receiptsPath(wanted) }, reader(target));
    const answer = jsonObject(heard.body);
    if (heard.status === 404) return answer?.["code"] === "pin_not_found" ? null : keepsNone(target);
    if ([405, 501].includes(heard.status)) return keepsNone(target);
    const failure = classifyRead(heard, "the route of receipts");
    if (failure !== null) return named(failure, reader(target));
    return readAnswer(answer, target, wanted);
  } catch (error) {
    return foreseen(error);
  }
}

function readAnswer(answer: JsonValue, { env }: Target, wanted: WantedPin): ReadReceipts | Failure {
  const decoded = decode(ANSWER, answer);
  if (!decoded.ok)
    return new Failure("answer_malformed", `the receipts are not understood: ${decoded.problems.join("; ")}`);
  const { plane, env: planeEnv, pin, last_receipted_version } = decoded.value;
  const receipts = isMap(answer) ? answer["receipts"] : undefined;
  const lines = (Array.isArray(receipts) ? receipts : []).map((one: JsonValue) =>
    JSON.stringify(isMap(one) ? (one["envelope"] ?? null) : null),
  );
  const { template, region } = wanted;
  return {
    pin: {
      plane: { id: plane, env: planeEnv },
      template,
      region,
      digest: pin.image_digest,
      version: pin.version,
      promotedAt: pin.promoted_at ?? null,
      promotedBy: pin.promoted_by ?? null,
      lastReceipted: last_receipted_version,
    },
    found: parseAttestations(
      new TextEncoder().encode(lines.join("\n")),
      `the receipts of ${template} in ${env}`,
      true,
    ),
  };
}

/** Hands a receipt in for the version that it names; null when it is kept. */
export async function storeReceipt(
  target: Target,
  wanted: WantedPin,
  version: number,
  envelope: Envelope,
  exchange: Exchange,
): Promise<Failure | null> {
  try {
    const heard = await ask(
      target,
      exchange,
      {
        method: "POST",
        path: receiptsPath(wanted),
        headers: { "content-type": "application/json", "if-match": `"${version}"` },
        body: formatEnvelope(envelope),
      },
      target.token,
    );
    if (heard.status === 200 && jsonObject(heard.body)?.["version"] === version) return null;
    return named(rejection(heard), target.token);
  } catch (error) {
    return foreseen(error);
  }
}

function rejection(heard: Heard): Failure {
  const failure = classifyRead(heard, "the route of receipts");
  // A server that is busy may keep it in a moment, and another token at any time.
  if (failure !== null && (mayReadAgain(failure) || failure.exitCode === EXIT.auth)) return failure;
  return new Failure("receipt_not_kept", `the control plane answered ${heard.status} to the receipt`, {
    serverText: serverText(heard.body),
  });
}

function keepsNone({ base }: Target): Failure {
  return new Failure("server_unsupported", `${base.origin} keeps no receipts`, {
    hint: "it is no control plane of waybill, or an older one",
  });
}

function receiptsPath(wanted: WantedPin): string {
  return `${pinPath(wanted)}/receipts`;
}
