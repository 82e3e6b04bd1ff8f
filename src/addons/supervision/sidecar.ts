import { USUAL_HEALTH, type Health } from "./health.ts";

/** In the original's words. */
export type SidecarState =
  | "stopped"
  | "starting"
  | "running"
  | "degraded"
  | "unhealthy"
  | "restarting"
  | "circuit_open";

/** One supervised program. All times are milliseconds of a clock that never goes back. */
export type Sidecar = {
  readonly state: SidecarState;
  /** Whether it shall run. */
  readonly wanted: boolean;
  /** Whether a process of it is there, or is being started. */
  readonly alive: boolean;
  /** Whether its end is our doing, so that it says nothing about it. */
  readonly planned: boolean;
  readonly health: Health;
  readonly startedMs: number;
  /** Since when every probe found it well; null when the last one did not. */
  readonly wellSinceMs: number | null;
  /** Probes in a row that found it ill. */
  readonly misses: number;
  /** The last answer since it was ready; null before, and when nobody could tell. */
  readonly answer: Exclude<Answer, "unknown"> | null;
  /** What was wrong with it, until it was well for a minute or is another one. */
  readonly fault: Fault | null;
  readonly nextProbeMs: number;
  /** The next pause before it is started again. */
  readonly pauseMs: number;
  /** When it was started again within the last minute. */
  readonly restartsMs: readonly number[];
  /** When a pause or an open circuit ends. */
  readonly untilMs: number;
  /** When it is killed, if it has not ended by then; null while it is not being stopped. */
  readonly killMs: number | null;
};

/** `unknown`: whoever was asked could not tell, for a reason that is not the program's. */
export type Answer = "well" | "degraded" | "ill" | "unknown";

export type SidecarEvent =
  /** It shall run; `anew` when it runs already and has to be another one. */
  | { readonly kind: "wanted"; readonly health: Health; readonly anew: boolean }
  | { readonly kind: "unwanted" }
  /** Found alive by a supervisor that did not start it. */
  | { readonly kind: "adopted"; readonly health: Health }
  | { readonly kind: "started" }
  /** `own` when the program is at fault, and not the machine. */
  | { readonly kind: "not_started"; readonly own: boolean }
  | { readonly kind: "exited" }
  | { readonly kind: "probed"; readonly answer: Answer }
  | { readonly kind: "tick" };

export type SidecarAction =
  | { readonly do: "start" }
  | { readonly do: "terminate" }
  | { readonly do: "kill" }
  | { readonly do: "probe" }
  /** The program is at fault; `weight` says how much that counts against a version on trial. */
  | { readonly do: "blame"; readonly weight: number; readonly why: Fault };

export type Fault = "ended" | "did_not_start" | "never_ready" | "unhealthy";

export type SidecarStep = { readonly next: Sidecar; readonly actions: readonly SidecarAction[] };

/** As in the original: 1 s doubling to 60 s, forgotten after a minute of health; the sixth start in a minute waits. */
export const FIRST_PAUSE_MS = 1_000;
export const LONGEST_PAUSE_MS = 60_000;
export const MOST_RESTARTS = 5;
const MINUTE_MS = 60_000;
/** Between two tries to kill. */
const KILL_AGAIN_MS = 1_000;

/** What counts fully against a version was seen several times already. */
export const FULL_WEIGHT = 3;

export const STOPPED: Sidecar = {
  state: "stopped",
  wanted: false,
  alive: false,
  planned: false,
  health: USUAL_HEALTH,
  startedMs: 0,
  wellSinceMs: null,
  misses: 0,
  answer: null,
  fault: null,
  nextProbeMs: 0,
  pauseMs: FIRST_PAUSE_MS,
  restartsMs: [],
  untilMs: 0,
  killMs: null,
};

/** Nothing of it is known yet. */
const UNTRIED = { pauseMs: FIRST_PAUSE_MS, restartsMs: [], answer: null, fault: null } as const;

/** One event in, the next state and what is to be done out. `random` is in [0, 1). */
export function sidecarStep(sidecar: Sidecar, event: SidecarEvent, now: number, random: number): SidecarStep {
  switch (event.kind) {
    case "wanted":
      return want(sidecar, event.health, event.anew, now);
    case "unwanted":
      return unwant(sidecar, now);
    case "adopted":
      return step({ ...starting(sidecar, now), wanted: true, health: event.health });
    case "started":
      return sidecar.alive ? step({ ...sidecar, startedMs: now, nextProbeMs: now }) : step(sidecar);
    case "not_started":
      return ended(sidecar, event.own ? "did_not_start" : null, now, random);
    case "exited":
      return ended(sidecar, "ended", now, random);
    case "probed":
      return probed(sidecar, event.answer, now);
    case "tick":
    default:
      return tick(sidecar, now);
  }
}

/** How long it has been well. */
export function wellFor({ wellSinceMs }: Sidecar, now: number): number | null {
  return wellSinceMs === null ? null : now - wellSinceMs;
}

function step(next: Sidecar, ...actions: SidecarAction[]): SidecarStep {
  return { next, actions };
}

function starting(sidecar: Sidecar, now: number): Sidecar {
  return {
    ...sidecar,
    state: "starting",
    alive: true,
    planned: false,
    // Reading its bytes is not its time; that begins with `started`.
    startedMs: Number.POSITIVE_INFINITY,
    wellSinceMs: null,
    misses: 0,
    answer: null,
    nextProbeMs: now,
    killMs: null,
  };
}

function start(sidecar: Sidecar, now: number): SidecarStep {
  return step(starting(sidecar, now), { do: "start" });
}

function want(sidecar: Sidecar, health: Health, anew: boolean, now: number): SidecarStep {
  const wanted = { ...sidecar, wanted: true, health };
  if (!sidecar.alive) {
    // Another program owes nothing for what its predecessor did; the same one waits for its turn.
    return anew || !sidecar.wanted ? start({ ...wanted, ...UNTRIED }, now) : step(wanted);
  }
  if (!anew) return step(wanted);
  return terminate({ ...wanted, ...UNTRIED, planned: true }, now);
}

function unwant(sidecar: Sidecar, now: number): SidecarStep {
  const unwanted = { ...sidecar, wanted: false };
  return sidecar.alive
    ? terminate({ ...unwanted, planned: true }, now)
    : step({ ...unwanted, state: "stopped" });
}

function terminate(sidecar: Sidecar, now: number): SidecarStep {
  if (sidecar.killMs !== null) return step(sidecar);
  return step({ ...sidecar, wellSinceMs: null, killMs: now + sidecar.health.stop_ms }, { do: "terminate" });
}

/** The process is gone, or never was. */
function ended(sidecar: Sidecar, fault: Fault | null, now: number, random: number): SidecarStep {
  if (!sidecar.alive) return step(sidecar);
  const gone = { ...sidecar, alive: false, killMs: null, wellSinceMs: null };
  if (!sidecar.wanted) return step({ ...gone, state: "stopped" });
  if (sidecar.planned) return start(gone, now);
  // One that is being stopped because it was ill has been blamed for that.
  const isNews = sidecar.killMs === null;
  const blamed = fault !== null && isNews;
  const blame: SidecarAction[] = blamed ? [{ do: "blame", weight: 1, why: fault }] : [];
  const restartsMs = [...sidecar.restartsMs.filter((at) => now - at < MINUTE_MS), now];
  const open = restartsMs.length > MOST_RESTARTS;
  const pause = open ? MINUTE_MS : Math.round(sidecar.pauseMs * (0.75 + random / 2));
  const next: Sidecar = {
    ...gone,
    answer: null,
    // The machine may be at fault when it did not start; it does not run for that.
    fault: isNews ? (fault ?? "did_not_start") : sidecar.fault,
    state: open ? "circuit_open" : "restarting",
    restartsMs,
    untilMs: now + pause,
    pauseMs: Math.min(sidecar.pauseMs * 2, LONGEST_PAUSE_MS),
  };
  return step(next, ...blame);
}

function probed(sidecar: Sidecar, answer: Answer, now: number): SidecarStep {
  // An answer about a process that is being stopped, or is gone, came too late.
  if (!sidecar.alive || sidecar.killMs !== null || answer === "unknown") return step(sidecar);
  if (answer === "well") {
    const wellSinceMs = sidecar.wellSinceMs ?? now;
    const settled = now - wellSinceMs >= MINUTE_MS ? UNTRIED : {};
    return step({ ...sidecar, ...settled, state: "running", misses: 0, answer, wellSinceMs });
  }
  if (answer === "degraded") {
    return step({ ...sidecar, state: "degraded", misses: 0, answer, wellSinceMs: null });
  }
  const misses = sidecar.misses + 1;
  const ill = { ...sidecar, misses, wellSinceMs: null };
  // Until it was ready once, only its time to become so counts.
  if (sidecar.state === "starting") return step(ill);
  if (misses < sidecar.health.misses) return step({ ...ill, answer });
  return giveUp({ ...ill, answer, state: "unhealthy" }, "unhealthy", now);
}

function giveUp(sidecar: Sidecar, why: Fault, now: number): SidecarStep {
  const { next, actions } = terminate({ ...sidecar, fault: why }, now);
  return step(next, { do: "blame", weight: FULL_WEIGHT, why }, ...actions);
}

function tick(sidecar: Sidecar, now: number): SidecarStep {
  const { alive, killMs, wanted, untilMs, state, health } = sidecar;
  if (killMs !== null) {
    return now < killMs ? step(sidecar) : step({ ...sidecar, killMs: now + KILL_AGAIN_MS }, { do: "kill" });
  }
  if (alive) {
    if (state === "starting" && now - sidecar.startedMs >= health.ready_ms) {
      return giveUp({ ...sidecar, state: "unhealthy" }, "never_ready", now);
    }
    if (now < sidecar.nextProbeMs) return step(sidecar);
    // While it starts it is asked often: a fleet that waits for its interval wakes up slowly.
    const pause = state === "starting" ? Math.min(health.interval_ms, 500) : health.interval_ms;
    return step({ ...sidecar, nextProbeMs: now + pause }, { do: "probe" });
  }
  return wanted && now >= untilMs ? start(sidecar, now) : step(sidecar);
}
