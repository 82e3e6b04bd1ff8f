import type { Ask } from "../assigned/ask.ts";
import type { Assignment } from "../assigned/assignment.ts";
import { isSafeName } from "../names.ts";
import type { Specs } from "../on-host/spec.ts";

/** A version; what the host brings itself has no digest that anybody knows, and perhaps no version. */
export type ReportedVersion = { readonly version: string; readonly digest: string | null };

/** One add-on as its host tells of it: what it has and what it was offered, apart. */
export type AddonReport = {
  readonly addon_id: string;
  /** How it runs, in the original's words; of what is not run here, how its staging ended. */
  readonly state: string;
  readonly has: ReportedVersion | null;
  readonly offered: ReportedVersion | null;
  readonly last_known_good: string | null;
  readonly on_trial: boolean;
  readonly blocked: readonly string[];
  readonly pid: number | null;
  readonly starts: number;
  readonly last_error: string | null;
};

export type HostStatus = {
  readonly schema: "waybill.host-status/v1";
  readonly host: string;
  /** `os/arch`. */
  readonly platform: string;
  /** Which state of the assignments this host obeys; null when nobody named it. */
  readonly config_version: string | null;
  readonly addons: readonly AddonReport[];
};

/** How a program runs, whoever supervises it. */
export type Running = {
  readonly state: string;
  /** Of a program of the host, which has no spec. */
  readonly version: string | null;
  readonly pid: number | null;
  readonly starts: number;
  readonly lastError: string | null;
};

type Reported = {
  readonly id: string;
  readonly specs: Specs;
  readonly outcome: string;
  readonly offered: ReportedVersion | null;
  /** null for what nobody supervises here. */
  readonly run: Running | null;
  readonly error: string | null;
  /** Whether what runs fails a probe that another version failed here as well. */
  readonly isTroubleOfTheHost: boolean;
};

const ILL = new Set(["starting", "unhealthy", "restarting", "circuit_open"]);

export function reportOf(reported: Reported): AddonReport {
  const { id, specs, outcome, offered, error, isTroubleOfTheHost } = reported;
  const { active, last_known_good: good } = specs;
  const run = isTroubleOfTheHost && reported.run !== null ? degraded(reported.run) : reported.run;
  return {
    addon_id: id,
    state: run?.state ?? outcome,
    has:
      active === null ? ownOf(run) : { version: active.version, digest: `sha256:${active.artifact_sha256}` },
    offered,
    last_known_good: good?.version ?? null,
    on_trial: active !== null && active.artifact_sha256 !== good?.artifact_sha256,
    blocked: specs.blocked.map((sha256) => `sha256:${sha256}`),
    pid: run?.pid ?? null,
    starts: run?.starts ?? 0,
    last_error: run?.lastError ?? error,
  };
}

/** Whoever rolls a version out is not to blame it for what any other one meets here as well. */
function degraded(run: Running): Running {
  if (!ILL.has(run.state)) return run;
  const error = `${run.lastError ?? "it is not well"}; the other version fails the same probe here`;
  return { ...run, state: "degraded", lastError: error };
}

function ownOf(run: Running | null): ReportedVersion | null {
  return run === null || run.version === null || !isSafeName(run.version)
    ? null
    : { version: run.version, digest: null };
}

/** What an assignment offers, as far as it can be told: a name that no folder could have is not passed on. */
export function offeredBy(ask: Ask, { version }: Assignment): ReportedVersion | null {
  if (ask.kind === "artifact") return { version: ask.wanted.version, digest: `sha256:${ask.wanted.sha256}` };
  return isSafeName(version) ? { version, digest: null } : null;
}
