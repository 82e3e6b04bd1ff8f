import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { USUAL_HEALTH, type Health } from "../../../src/addons/supervision/health.ts";
import {
  LONGEST_PAUSE_MS,
  sidecarStep,
  STOPPED,
  type Sidecar,
  type SidecarAction,
  type SidecarEvent,
} from "../../../src/addons/supervision/sidecar.ts";

const health: Health = { ...USUAL_HEALTH, interval_ms: 1_000, ready_ms: 5_000, stop_ms: 2_000, misses: 3 };
const want: SidecarEvent = { kind: "wanted", health, anew: false };
const well: SidecarEvent = { kind: "probed", answer: "well" };
const ill: SidecarEvent = { kind: "probed", answer: "ill" };

/** Feeds events, each with its time, and gives the last state and all actions. */
function feed(events: readonly (readonly [number, SidecarEvent])[]): { sidecar: Sidecar; did: string[] } {
  let sidecar = STOPPED;
  const did: string[] = [];
  for (const [now, event] of events) {
    const { next, actions } = sidecarStep(sidecar, event, now, 0.5);
    sidecar = next;
    did.push(
      ...actions.map((action) => (action.do === "blame" ? `${action.why}*${action.weight}` : action.do)),
    );
  }
  return { sidecar, did };
}

const started: (readonly [number, SidecarEvent])[] = [
  [0, want],
  [0, { kind: "started" }],
];

describe("a sidecar", () => {
  const cases: [string, (readonly [number, SidecarEvent])[], string, string[]][] = [
    ["starts when it is wanted", [[0, want]], "starting", ["start"]],
    [
      "is not started twice",
      [
        [0, want],
        [1, want],
      ],
      "starting",
      ["start"],
    ],
    ["runs once it is well", [...started, [1, well]], "running", ["start"]],
    [
      "is asked by and by",
      [...started, [0, { kind: "tick" }], [100, { kind: "tick" }]],
      "starting",
      ["start", "probe"],
    ],
    [
      "is started again after a pause",
      [...started, [9, { kind: "exited" }], [1_008, { kind: "tick" }], [1_009, { kind: "tick" }]],
      "starting",
      ["start", "ended*1", "start"],
    ],
    [
      "that is degraded is left alone",
      [...started, [1, well], [2, { kind: "probed", answer: "degraded" }]],
      "degraded",
      ["start"],
    ],
    [
      "of which nothing can be told stays what it is",
      [...started, [1, well], [2, { kind: "probed", answer: "unknown" }]],
      "running",
      ["start"],
    ],
    [
      "may miss twice",
      [...started, [1, well], [2, ill], [3, ill], [4, well], [5, ill], [6, ill]],
      "running",
      ["start"],
    ],
    [
      "that misses three times is ended and blamed",
      [...started, [1, well], [2, ill], [3, ill], [4, ill]],
      "unhealthy",
      ["start", "unhealthy*3", "terminate"],
    ],
    [
      "is not blamed twice for one end",
      [...started, [1, well], [2, ill], [3, ill], [4, ill], [5, { kind: "exited" }]],
      "restarting",
      ["start", "unhealthy*3", "terminate"],
    ],
    [
      "that is never ready is ended and blamed",
      [...started, [1, ill], [4_999, ill], [5_000, { kind: "tick" }]],
      "unhealthy",
      ["start", "never_ready*3", "terminate"],
    ],
    [
      "has all its time to be read",
      [
        [0, want],
        [99_999, { kind: "tick" }],
      ],
      "starting",
      ["start", "probe"],
    ],
    [
      "that ignores SIGTERM is killed",
      [
        ...started,
        [1, { kind: "unwanted" }],
        [2_000, { kind: "tick" }],
        [2_001, { kind: "tick" }],
        [2_500, { kind: "tick" }],
        [3_001, { kind: "tick" }],
      ],
      "starting",
      ["start", "terminate", "kill", "kill"],
    ],
    [
      "ends when it is not wanted",
      [...started, [1, { kind: "unwanted" }], [2, { kind: "exited" }], [90_000, { kind: "tick" }]],
      "stopped",
      ["start", "terminate"],
    ],
    [
      "is replaced without a pause and without blame",
      [...started, [1, { kind: "wanted", health, anew: true }], [2, { kind: "exited" }]],
      "starting",
      ["start", "terminate", "start"],
    ],
    [
      "another one does not wait for the pause of this one",
      [...started, [1, { kind: "exited" }], [2, { kind: "wanted", health, anew: true }]],
      "starting",
      ["start", "ended*1", "start"],
    ],
    [
      "that the machine did not start is not blamed",
      [
        [0, want],
        [1, { kind: "not_started", own: false }],
      ],
      "restarting",
      ["start"],
    ],
    [
      "that did not start by its own fault is",
      [
        [0, want],
        [1, { kind: "not_started", own: true }],
      ],
      "restarting",
      ["start", "did_not_start*1"],
    ],
    [
      "that was adopted is not started",
      [
        [0, { kind: "adopted", health }],
        [1, want],
      ],
      "starting",
      [],
    ],
    [
      "that answers too late is not believed",
      [...started, [1, { kind: "unwanted" }], [2, well]],
      "starting",
      ["start", "terminate"],
    ],
  ];
  test.each(cases)("%s", (_name, events, state, actions) => {
    const { sidecar, did } = feed(events);
    expect({ state: sidecar.state, did }).toEqual({ state: state as Sidecar["state"], did: actions });
  });

  test("opens the circuit at the sixth end within a minute, for a minute", () => {
    let sidecar = feed([[0, want]]).sidecar;
    const states: string[] = [];
    const pauses: number[] = [];
    let now = 0;
    while (sidecar.state !== "circuit_open" && states.length < 20) {
      sidecar = sidecarStep(sidecar, { kind: "started" }, now, 0.5).next;
      sidecar = sidecarStep(sidecar, { kind: "exited" }, now, 0.5).next;
      states.push(sidecar.state);
      pauses.push(sidecar.untilMs - now);
      now = sidecar.untilMs;
      if (sidecar.state !== "circuit_open") sidecar = sidecarStep(sidecar, { kind: "tick" }, now, 0.5).next;
    }
    expect(states).toEqual([...Array.from({ length: 5 }, () => "restarting"), "circuit_open"]);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 60_000]);
    expect(sidecarStep(sidecar, { kind: "tick" }, now - 1, 0.5).actions).toEqual([]);
    expect(sidecarStep(sidecar, { kind: "tick" }, now, 0.5).actions).toEqual([{ do: "start" }]);
  });

  test("is ended once however often that is asked for, and its end counts once", () => {
    const unwanted: SidecarEvent = { kind: "unwanted" };
    expect(feed([...started, [1, unwanted], [2, unwanted]]).did).toEqual(["start", "terminate"]);
    expect(feed([...started, [1, { kind: "exited" }], [2, { kind: "exited" }]]).did).toEqual([
      "start",
      "ended*1",
    ]);
  });

  test("has its time to become ready, however often it is asked meanwhile", () => {
    const asked = [1, 2, 3, 4].map((at): readonly [number, SidecarEvent] => [at, ill]);
    expect(feed([...started, ...asked])).toMatchObject({ sidecar: { state: "starting" }, did: ["start"] });
  });

  test("waits a minute at most", () => {
    let sidecar = feed([[0, want]]).sidecar;
    let now = 0;
    for (let times = 0; times < 12; times++) {
      now += 100_000;
      sidecar = sidecarStep(sidecar, { kind: "exited" }, now, 0.5).next;
      expect(sidecar.state).toBe("restarting");
      expect(sidecar.untilMs - now).toBe(Math.min(1_000 * 2 ** times, 60_000));
      sidecar = sidecarStep(sidecar, { kind: "tick" }, sidecar.untilMs, 0.5).next;
      now = sidecar.startedMs === Number.POSITIVE_INFINITY ? now + 60_000 : now;
    }
  });

  test("a minute of health makes the pause short again", () => {
    const long = feed([
      ...started,
      [1, { kind: "exited" }],
      [1_001, { kind: "tick" }],
      [1_001, { kind: "started" }],
      [1_002, well],
    ]).sidecar;
    expect(long.pauseMs).toBe(2_000);
    expect(sidecarStep(long, well, 61_002, 0.5).next).toMatchObject({ pauseMs: 1_000, restartsMs: [] });
  });
});

const events = fc.oneof(
  fc.constant<SidecarEvent>(want),
  fc.constant<SidecarEvent>({ kind: "wanted", health, anew: true }),
  fc.constant<SidecarEvent>({ kind: "unwanted" }),
  fc.constant<SidecarEvent>({ kind: "tick" }),
  fc
    .constantFrom("well", "degraded", "ill", "unknown")
    .map((answer): SidecarEvent => ({ kind: "probed", answer })),
  fc.constantFrom("end", "fail", "machine").map((what) => what),
);

test("never two at once, never more than the pauses allow, and it always ends when it is not wanted", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), events), { maxLength: 120 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (script, random) => {
        let sidecar = STOPPED;
        let now = 0;
        let running = 0;
        const take = (event: SidecarEvent): readonly SidecarAction[] => {
          const done = sidecarStep(sidecar, event, now, random);
          sidecar = done.next;
          for (const action of done.actions) {
            if (action.do === "start") running++;
            expect(running).toBeLessThanOrEqual(1);
            if (action.do === "terminate" || action.do === "kill" || action.do === "probe")
              expect(running).toBe(1);
          }
          expect(sidecar.alive).toBe(running === 1);
          expect(sidecar.pauseMs).toBeLessThanOrEqual(LONGEST_PAUSE_MS);
          return done.actions;
        };
        const end = (event: SidecarEvent): void => {
          if (running === 0) return;
          running = 0;
          take(event);
        };
        for (const [wait, event] of script) {
          now += wait;
          if (event === "end") end({ kind: "exited" });
          else if (event === "fail") end({ kind: "not_started", own: true });
          else if (event === "machine") end({ kind: "not_started", own: false });
          else take(event);
        }
        take({ kind: "unwanted" });
        now += 1_000_000;
        if (running === 1) expect(take({ kind: "tick" }).map((action) => action.do)).toEqual(["kill"]);
        end({ kind: "exited" });
        expect(sidecar).toMatchObject({ state: "stopped", alive: false });
        now += 1_000_000;
        expect(take({ kind: "tick" })).toEqual([]);
      },
    ),
  );
});
