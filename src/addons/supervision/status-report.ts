import type { Spec, Specs } from "../on-host/spec.ts";
import type { Sidecar } from "./sidecar.ts";

/** One add-on as its host tells of it: what it has and what it was offered, apart. */
export type AddonReport = {
  readonly addon_id: string;
  /** How it runs, in the original's words; of what is not run here, how its staging ended. */
  readonly state: string;
  readonly has: { readonly version: string; readonly digest: string | null } | null;
  readonly offered: { readonly version: string; readonly digest: string | null } | null;
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
  readonly addons: readonly AddonReport[];
};

type Reported = {
  readonly id: string;
  readonly specs: Specs;
  readonly outcome: string;
  readonly offered: { readonly version: string; readonly sha256: string } | null;
  /** null for what nobody supervises here. */
  readonly run: {
    readonly sidecar: Sidecar;
    readonly version: string | null;
    readonly pid: number | null;
    readonly starts: number;
    readonly lastError: string | null;
  } | null;
  readonly error: string | null;
};

export function reportOf({ id, specs, outcome, offered, run, error }: Reported): AddonReport {
  const { active, last_known_good: good } = specs;
  const stopping = run !== null && run.sidecar.killMs !== null ? "restarting" : null;
  return {
    addon_id: id,
    state: run === null ? outcome : (stopping ?? run.sidecar.state),
    has: active === null ? hasOf(run) : { version: active.version, digest: digestOf(active.artifact_sha256) },
    offered: offered === null ? null : { version: offered.version, digest: digestOf(offered.sha256) },
    last_known_good: good?.version ?? null,
    on_trial: isNew(active, good),
    blocked: specs.blocked.map((sha256) => `sha256:${sha256}`),
    pid: run?.pid ?? null,
    starts: run?.starts ?? 0,
    last_error: run?.lastError ?? error,
  };
}

function isNew(active: Spec | null, good: Spec | null): boolean {
  return active !== null && active.artifact_sha256 !== good?.artifact_sha256;
}

/** A program of the host has a version and no digest. */
function hasOf(run: Reported["run"]): AddonReport["has"] {
  return run === null || run.version === null ? null : { version: run.version, digest: null };
}

function digestOf(sha256: string): string | null {
  return sha256 === "" ? null : `sha256:${sha256}`;
}

const LONGEST_WAIT_MS = 3_600_000;

/**
 * Milliseconds until the control plane is asked again: the interval, a tenth earlier or later so that a fleet does not
 * come at once, and never before the server said. `random` is in [0, 1).
 */
export function nextPollMs(
  intervalMs: number,
  retryAfter: string | null,
  nowMs: number,
  random: number,
): number {
  const spread = intervalMs * (0.9 + random / 5);
  const after = retryAfter === null ? 0 : waitOf(retryAfter.trim(), nowMs);
  return Math.round(Math.max(spread, Math.min(after, LONGEST_WAIT_MS) * (1 + random / 10)));
}

function waitOf(text: string, nowMs: number): number {
  if (/^\d{1,9}$/u.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowMs);
}
