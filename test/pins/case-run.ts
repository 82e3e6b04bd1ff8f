import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";
import { NEW } from "./rows.ts";

export const TOKEN: string = "write-token-1234";
/** Nothing waits long, so that a budget is over soon; and not less, since an answer takes a while on a busy machine. */
export const QUICK: readonly string[] = ["--retry-interval", "5ms", "--timeout", "500ms"];

export type LegShown = {
  readonly env: string;
  readonly ok: boolean;
  readonly outcome: string;
  readonly exit_code: number;
  readonly before: { readonly digest: string; readonly remarks: readonly string[] } | null;
  readonly after: {
    readonly digest: string;
    readonly reads: number;
    readonly remarks: readonly string[];
  } | null;
  readonly attempts: readonly {
    readonly method: string;
    readonly status: number | null;
    readonly result: string;
    readonly retry_in_ms?: number;
  }[];
  readonly proxy?: { readonly address: string; readonly from: string } | null;
  readonly race_window: string | null;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly server_text?: string;
  } | null;
};

/** A run of the program in one environment called prod: `told` is its outcome, exit code, failure and requests. */
export type CaseRun = Finished & {
  readonly leg: LegShown;
  readonly told: string;
  readonly server: ScriptedServer;
};

type Settings = { readonly env?: Readonly<Record<string, string>>; readonly digest?: string };

export async function runCase(
  words: readonly string[],
  plan: Plan,
  more: readonly string[] = [],
  settings: Settings = {},
): Promise<CaseRun> {
  await using server = await scriptedServer(plan);
  return { ...(await runOn(words, server.url, more, settings)), server };
}

/** The same against a server, or an address without one, that the test brings. */
export async function runOn(
  words: readonly string[],
  url: string,
  more: readonly string[] = [],
  { env = {}, digest = NEW }: Settings = {},
): Promise<Omit<CaseRun, "server">> {
  const pin = ["--pin", "--not", "--image"].some((flag) => more.includes(flag)) ? [] : ["--digest", digest];
  const template = more.includes("--pin") ? [] : ["--template", "codex"];
  // A verification without --for reads once, and may take its time: only what is tried again has a budget to use up.
  const patience = words === VERIFY_WORDS && !more.includes("--for") ? ["--timeout", "20s"] : [];
  const given = more.includes("--timeout") ? more : [...more, ...patience];
  const flags = ["--target", `prod=${url}`, "--allow-insecure-http", "--json", ...withDefaults(given)];
  const run = await runWaybill([...words, ...template, ...pin, ...flags], {
    env: { WAYBILL_TOKEN_PROD: TOKEN, ...env },
  });
  const document = jsonOf(run) as { legs?: readonly LegShown[]; error?: LegShown["error"] };
  const [leg = NOTHING] = document.legs ?? [];
  const failure = leg.error?.code ?? document.error?.code ?? "";
  const sent = leg.attempts.map(({ method }) => method).join(" ");
  return { ...run, leg, told: `${leg.outcome} ${run.code} ${failure}: ${sent}`.replace(" :", ":") };
}

const NOTHING: LegShown = {
  env: "",
  ok: false,
  outcome: "nothing",
  exit_code: 2,
  before: null,
  after: null,
  attempts: [],
  race_window: null,
  warnings: [],
  error: null,
};

function withDefaults(more: readonly string[]): string[] {
  const flags = [...more];
  for (const [index, flag] of QUICK.entries()) {
    if (index % 2 === 0 && !more.some((word) => word.split("=")[0] === flag))
      flags.push(flag, QUICK[index + 1] ?? "");
  }
  return flags;
}

export const PROMOTE_WORDS: readonly string[] = ["promote"];
export const VERIFY_WORDS: readonly string[] = ["verify", "pin"];
