import { EXIT } from "../base/exit-codes.ts";
import type { Report, ReportRow, StepOutput } from "../cli/report-rows.ts";
import { exitOfLeg, type Leg } from "../pins/leg.ts";
import type { WantedPin } from "../pins/pin.ts";

const WORD = /^[a-z_]{1,40}$/u;
const DIGEST = /^sha256:[0-9a-f]{64}$/u;
const DIGEST_OR_NONE = /^(?:sha256:[0-9a-f]{64})?$/u;
/** One line of JSON; the name of an environment may be any text where the usual script's variables name it. */
const LEGS_JSON = /^\[(?:\{[^\p{Cc}\u2028\u2029]*\})?\]$/u;

/** What CI systems are told of the legs of a run. */
export function pinReport(pins: readonly WantedPin[], legs: readonly Leg[]): Report {
  return {
    columns: ["environment", "pin", "outcome", "digest", "before", "what happened"],
    rows: legs.map(rowOf),
    outputs: outputsOf(pins, legs),
    outcome: common(legs.map(({ outcome }) => outcome)),
  };
}

function rowOf(leg: Leg): ReportRow {
  const { target, wanted, before, after, failure, attempts } = leg;
  const seen = after?.row.digest ?? wanted.digest;
  return {
    name: `${target.env} ${wanted.template}`,
    group: `waybill.${target.env}`,
    cells: [
      target.env,
      `${wanted.template} (${wanted.region})`,
      leg.outcome,
      seen,
      before?.digest ?? "none",
      failure?.message ??
        (after === null ? "" : `proven by ${after.reads === 1 ? "1 read" : `${after.reads} equal reads`}`),
    ],
    isProven: exitOfLeg(leg) === EXIT.ok,
    failure,
    ms: attempts.reduce((sum, { ms }) => sum + ms, 0),
    details: attempts.map(
      ({ method, status, result, ms }) => `${method} ${status ?? "no answer"} ${result} (${ms} ms)`,
    ),
  };
}

function outputsOf(pins: readonly WantedPin[], legs: readonly Leg[]): StepOutput[] {
  const [only] = pins;
  const digest =
    pins.length === 1 && only !== undefined ? [{ name: "digest", value: only.digest, grammar: DIGEST }] : [];
  const environments = [...new Set(legs.map(({ target }) => target.env))];
  return [
    ...digest,
    { name: "previous_digest", value: previous(legs), grammar: DIGEST_OR_NONE },
    { name: "legs_json", value: JSON.stringify(legs.map(legValue)), grammar: LEGS_JSON },
    ...environments.flatMap((env) => {
      const own = legs.filter(({ target }) => target.env === env);
      const outcome = common(own.map((leg) => leg.outcome));
      return [
        { name: `${nameOf(env)}_outcome`, value: outcome, grammar: WORD },
        { name: `${nameOf(env)}_previous_digest`, value: previous(own), grammar: DIGEST_OR_NONE },
      ];
    }),
  ];
}

function legValue(leg: Leg): Record<string, string | number | boolean | null> {
  return {
    env: leg.target.env,
    template: leg.wanted.template,
    region: leg.wanted.region,
    ok: exitOfLeg(leg) === EXIT.ok,
    outcome: leg.outcome,
    exit_code: exitOfLeg(leg),
    digest: leg.after?.row.digest ?? null,
    previous_digest: leg.before?.digest ?? null,
  };
}

/** Names of outputs have few characters and do not begin with a digit; those of environments may. */
function nameOf(env: string): string {
  const name = env.replace(/[^A-Za-z0-9_-]/gu, "_");
  return /^[A-Za-z_]/u.test(name) ? name : `_${name}`;
}

/** The digest that all legs found; "" when there was none, or not the same one everywhere. */
function previous(legs: readonly Leg[]): string {
  const found = new Set(legs.map(({ before }) => before?.digest ?? ""));
  const [digest = ""] = found;
  return found.size === 1 ? digest : "";
}

function common(words: readonly string[]): string {
  const [word = "none", ...others] = new Set(words);
  return others.length === 0 ? word : "mixed";
}
