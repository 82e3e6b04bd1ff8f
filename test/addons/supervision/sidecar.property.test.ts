import { expect, test } from "bun:test";
import fc from "fast-check";
import { USUAL_HEALTH, type Health } from "../../../src/addons/supervision/health.ts";
import {
  LONGEST_PAUSE_MS,
  sidecarStep,
  STOPPED,
  type SidecarAction,
  type SidecarEvent,
} from "../../../src/addons/supervision/sidecar.ts";

const health: Health = { ...USUAL_HEALTH, interval_ms: 1_000, ready_ms: 5_000, stop_ms: 2_000, misses: 3 };
const want: SidecarEvent = { kind: "wanted", health, anew: false };

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
