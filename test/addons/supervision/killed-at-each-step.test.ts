import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { HAS_STRACE } from "../../support/faults.ts";
import { AgentHost, STAYS } from "./agent-process.ts";

/**
 * The agent is killed at the Nth call of some kind on its way from version 1 to version 2: taking over what runs,
 * staging, ending the old program, starting the new one, its window, the commit. The next agent ends the same way, and
 * at no time there are two.
 */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const MANIFEST = {
  health: { interval_ms: 50, ready_ms: 5_000, window_ms: 150, stop_ms: 300, probe: { kind: "process" } },
};

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** More than one upgrade makes: those behind the last one are an upgrade that nobody disturbs. */
const POINTS: readonly (readonly [calls: string, at: readonly number[]])[] = [
  ["rename,renameat,renameat2", FULL ? upTo(16) : [3, 9]],
  ["symlink,symlinkat", FULL ? [1] : []],
  ["unlink,unlinkat,rmdir", FULL ? upTo(4) : [2]],
  ["fsync,fdatasync", FULL ? upTo(26).filter((at) => at % 2 === 0) : []],
  ["kill", FULL ? upTo(2) : [1]],
  ["clone,clone3,vfork,fork", FULL ? upTo(6) : []],
  ["pidfd_open,waitid,wait4", FULL ? [1] : []],
];

describe.skipIf(!HAS_STRACE)("case 87: an agent that is killed on its way to another version", () => {
  const cases = POINTS.flatMap(([calls, at]) => at.map((when): [string, number] => [calls, when]));
  test.each(cases)(
    "at %s number %i",
    async (calls, when) => {
      using host = new AgentHost();
      host.assign(await host.bundle("1", STAYS, MANIFEST));
      host.start();
      await host.until(({ last_known_good: good, state }) => good === "1" && state === "running");
      await host.stop("SIGKILL");
      host.assign(await host.bundle("2", STAYS, MANIFEST));
      const inject = `inject=${calls}:signal=KILL:when=${when}`;
      // What it starts is let go of, and only what it does itself counts.
      host.startUnder([
        "strace",
        "-f",
        "-b",
        "execve",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        `trace=${calls}`,
        "-e",
        inject,
      ]);
      for (let tries = 0; tries < 400 && !host.hasEnded && host.report()?.last_known_good !== "2"; tries++) {
        await Bun.sleep(25);
      }
      // The full sweep goes on behind the last call.
      if (!FULL) expect(host.hasEnded).toBe(true);
      if (!host.hasEnded) {
        const [agent] = readFileSync(`/proc/${host.agentPid}/task/${host.agentPid}/children`, "utf8").split(
          " ",
        );
        if (agent !== undefined && agent !== "") process.kill(Number(agent), "SIGKILL");
      }
      await host.stop("SIGCONT");
      host.start();
      await host.until(
        ({ has, last_known_good: good, state }) =>
          has?.version === "2" && good === "2" && state === "running",
      );
      expect(existsSync(host.state("double"))).toBe(false);
      expect(host.report()).toMatchObject({ blocked: [], on_trial: false });
      const starts = readFileSync(host.state("starts"), "utf8").trim().split("\n");
      expect(starts.filter((version) => version === "2")).toHaveLength(1);
      expect(await host.stop()).toBe(0);
      expect(host.processes()).toEqual([]);
    },
    60_000,
  );
});
