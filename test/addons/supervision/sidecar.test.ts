import { describe, expect, test } from "bun:test";
import { USUAL_HEALTH, type Health } from "../../../src/addons/supervision/health.ts";
import {
  sidecarStep,
  STOPPED,
  wellFor,
  type Sidecar,
  type SidecarEvent,
} from "../../../src/addons/supervision/sidecar.ts";

const health: Health = { ...USUAL_HEALTH, interval_ms: 1_000, ready_ms: 5_000, stop_ms: 2_000, misses: 3 };
const want: SidecarEvent = { kind: "wanted", health, anew: false };
const well: SidecarEvent = { kind: "probed", answer: "well" };
const ill: SidecarEvent = { kind: "probed", answer: "ill" };
const degraded: SidecarEvent = { kind: "probed", answer: "degraded" };
const unknown: SidecarEvent = { kind: "probed", answer: "unknown" };
const tick: SidecarEvent = { kind: "tick" };

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
    ["that is degraded is left alone", [...started, [1, well], [2, degraded]], "degraded", ["start"]],
    [
      "of which nothing can be told stays what it is",
      [...started, [1, well], [2, unknown], [3, unknown], [4, unknown]],
      "running",
      ["start"],
    ],
    [
      "that is degraded has all its misses again",
      [...started, [1, well], [2, ill], [3, ill], [4, degraded], [5, ill], [6, ill]],
      "degraded",
      ["start"],
    ],
    [
      "that was not started has not started",
      [
        [0, want],
        [1, { kind: "exited" }],
        [2, { kind: "started" }],
      ],
      "restarting",
      ["start", "ended*1"],
    ],
    [
      "waits for its turn, however often it is wanted",
      [...started, [1, { kind: "exited" }], [2, want], [3, tick]],
      "restarting",
      ["start", "ended*1"],
    ],
    [
      "that was not wanted for a moment is started anew, without a pause",
      [...started, [1, { kind: "unwanted" }], [2, want], [3, { kind: "exited" }]],
      "starting",
      ["start", "terminate", "start"],
    ],
    [
      "that runs for long is not asked to become ready",
      [...started, [1, well], [9_000, tick]],
      "running",
      ["start", "probe"],
    ],
    [
      "that was adopted is started again when it ends",
      [
        [0, { kind: "adopted", health }],
        [1, { kind: "exited" }],
        [1_001, tick],
      ],
      "starting",
      ["ended*1", "start"],
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

  test("that nobody asked for does nothing, and knows nothing", () => {
    expect(feed([[1_000_000, tick]])).toEqual({ sidecar: STOPPED, did: [] });
    expect(feed([[1_000_000, { kind: "started" }]]).sidecar).toEqual(STOPPED);
    expect(STOPPED).toEqual({
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
      pauseMs: 1_000,
      restartsMs: [],
      untilMs: 0,
      killMs: null,
    });
  });

  test.each<[string, (readonly [number, SidecarEvent])[], number[]]>([
    ["often while it starts", [], [0, 500, 1_000]],
    ["as often as it wants once it runs", [[0, well]], [0, 1_000]],
  ])("is asked %s", (_what, before, wanted) => {
    const ticks = [0, 1, 499, 500, 501, 999, 1_000, 1_001].map((at) => [at, tick] as const);
    const asked = ticks.filter((_, index) => {
      const did = (count: number): number =>
        feed([...started, ...before, ...ticks.slice(0, count)]).did.length;
      return did(index + 1) > did(index);
    });
    expect(asked.map(([at]) => at)).toEqual(wanted);
  });

  test("that wants to be asked more often than that is, while it starts as well", () => {
    const often: SidecarEvent = { kind: "wanted", health: { ...health, interval_ms: 100 }, anew: false };
    expect(
      feed([
        [0, often],
        [0, { kind: "started" }],
        [0, tick],
        [99, tick],
        [100, tick],
      ]).did,
    ).toEqual(["start", "probe", "probe"]);
  });

  test("has the time to stop that it wants, before it is killed", () => {
    const stopping = feed([...started, [1_000_000, { kind: "unwanted" }]]).sidecar;
    expect(stopping.killMs).toBe(1_002_000);
    expect(sidecarStep(stopping, tick, 1_001_999, 0.5).actions).toEqual([]);
    expect(sidecarStep(stopping, tick, 1_002_000, 0.5).actions).toEqual([{ do: "kill" }]);
  });

  test("is well since it first was, until it is not", () => {
    const since = feed([...started, [70_001, well], [70_005, well]]).sidecar;
    expect([wellFor(since, 70_009), wellFor(STOPPED, 9)]).toEqual([8, null]);
    expect(wellFor(sidecarStep(since, degraded, 70_010, 0.5).next, 70_011)).toBeNull();
  });

  test.each<[string, SidecarEvent, number, string | null]>([
    ["by its own", { kind: "exited" }, 1, "ended"],
    ["before it was started, by its own fault", { kind: "not_started", own: true }, 1, "did_not_start"],
    ["before it was started, by the machine's", { kind: "not_started", own: false }, 1, "did_not_start"],
  ])("that ends %s is told for that", (_how, event, at, fault) => {
    const { sidecar } = feed([...started, [at, ill], [at, event]]);
    expect<string | null>(sidecar.fault).toBe(fault);
    expect(sidecar.answer).toBeNull();
  });

  test("that was ended because it was ill is told for that, and not for its end", () => {
    const { sidecar } = feed([...started, [1, well], [2, ill], [3, ill], [4, ill], [5, { kind: "exited" }]]);
    expect(sidecar).toMatchObject({ fault: "unhealthy", answer: null, misses: 3 });
    expect(sidecarStep(sidecar, tick, 1_005, 0.5).next).toMatchObject({ state: "starting", misses: 0 });
  });

  test("another one owes nothing for what this one did", () => {
    const anew: SidecarEvent = { kind: "wanted", health, anew: true };
    const nothing = { pauseMs: 1_000, restartsMs: [], answer: null, fault: null };
    const ended = feed([...started, [1, well], [2, { kind: "exited" }]]).sidecar;
    expect(ended).toMatchObject({ pauseMs: 2_000, restartsMs: [2], fault: "ended" });
    expect(sidecarStep(ended, anew, 3, 0.5).next).toMatchObject(nothing);
    const again = feed([...started, [1, { kind: "exited" }], [1_001, tick], [1_002, well]]).sidecar;
    expect(again).toMatchObject({ pauseMs: 2_000, answer: "well" });
    expect(sidecarStep(again, anew, 1_003, 0.5).next).toMatchObject(nothing);
  });

  test.each([
    [0, 750],
    [0.5, 1_000],
    [0.999, 1_250],
  ])("with luck %p it waits %p ms for its second start", (random, pause) => {
    const { next } = sidecarStep(feed(started).sidecar, { kind: "exited" }, 9, random);
    expect(next.untilMs - 9).toBe(pause);
  });

  test("ends that are a minute old do not count", () => {
    const restartsMs = [0, 1, 2, 3, 4];
    const running = { ...feed(started).sidecar, restartsMs };
    const states = [59_999, 60_000].map(
      (now) => sidecarStep(running, { kind: "exited" }, now, 0.5).next.state,
    );
    expect(states).toEqual(["circuit_open", "restarting"]);
  });

  test.each([0, 1_000_000])(
    "opens the circuit at the sixth end within a minute, for a minute (from %i)",
    (from) => {
      let sidecar = feed([[from, want]]).sidecar;
      const states: string[] = [];
      const pauses: number[] = [];
      let now: number = from;
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
    },
  );

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
    expect(sidecarStep(long, well, 61_001, 0.5).next).toMatchObject({ pauseMs: 2_000, restartsMs: [1] });
    expect(sidecarStep(long, well, 61_002, 0.5).next).toMatchObject({ pauseMs: 1_000, restartsMs: [] });
  });
});
