import { decode, integer, object, string } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../host/clock.ts";
import { formatEnvelope, type Envelope } from "../trust/dsse.ts";
import { classifyRead, mayReadAgain } from "./classify-read.ts";
import { insist } from "./insist.ts";
import { ask, foreseen, named, reader, type Exchange } from "./pin-client.ts";
import { jsonObject, serverText, type Heard } from "./server-text.ts";
import type { Target } from "./target.ts";

export type HandInTools = {
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** How long to try for one exchange, and how long to wait in between, in milliseconds. */
  readonly timeoutMs: number;
  readonly intervalMs: number;
};

/** What became of the evidence in one environment: `failure` is why not all of it is there. */
export type HandedIn = { readonly env: string; readonly count: number; readonly failure: Failure | null };

const POLICY = object({ policy: object({ name: string(), version: integer() }) });

/**
 * Gives the evidence of a promotion to every control plane that holds promotions against a policy of its own. One that
 * does not say so, as those that know no policies, is sent nothing. Throws nothing: whether a promotion is allowed
 * without what was not taken is for the control plane to say.
 */
export async function handIn(
  targets: readonly Target[],
  envelopes: readonly Envelope[],
  tools: HandInTools,
): Promise<HandedIn[]> {
  const handed = await Promise.all(targets.map((target) => handInTo(target, envelopes, tools)));
  return handed.flatMap((one) => (one === null ? [] : [one]));
}

async function handInTo(
  target: Target,
  envelopes: readonly Envelope[],
  tools: HandInTools,
): Promise<HandedIn | null> {
  const { env } = target;
  let count = 0;
  try {
    if (!(await insist(tools, () => enforcesPolicy(target, tools.exchange)))) return null;
    for (; count < envelopes.length; count++) {
      const envelope = envelopes[count];
      if (envelope !== undefined) await insist(tools, () => keep(target, envelope, tools.exchange));
    }
    return { env, count, failure: null };
  } catch (error) {
    return { env, count, failure: foreseen(error) };
  }
}

/** False of every control plane that has no such route, or something else there. */
async function enforcesPolicy(target: Target, exchange: Exchange): Promise<boolean | Failure> {
  try {
    const heard = await ask(target, exchange, { method: "GET", path: "/v1/policy" }, reader(target));
    const failure = classifyRead(heard, "the route of the policy");
    if (failure !== null) return mayReadAgain(failure) ? failure : false;
    return decode(POLICY, jsonObject(heard.body)).ok;
  } catch (error) {
    return foreseen(error);
  }
}

async function keep(target: Target, envelope: Envelope, exchange: Exchange): Promise<true | Failure> {
  try {
    const message = {
      method: "POST",
      path: "/v1/attestations",
      headers: { "content-type": "application/json" },
      body: formatEnvelope(envelope),
    } as const;
    const heard = await ask(target, exchange, message, target.token);
    if (heard.status === 200 || heard.status === 201) return true;
    return named(rejection(heard), target.token);
  } catch (error) {
    return foreseen(error);
  }
}

function rejection(heard: Heard): Failure {
  const failure = classifyRead(heard, "the route of statements");
  if (failure !== null && failure.code !== "answer_unexpected") return failure;
  return new Failure("request_rejected", `the control plane answered ${heard.status} to a statement`, {
    serverText: serverText(heard.body),
  });
}
