/**
 * What the control plane takes: durable promotions beside one transaction for each and beside an echo, and the polls
 * of hosts beside a bare 304. The server has one processor, the load the other.
 */
import { join } from "node:path";
import { ControlPlane, LANES, Load, promotion, startPeer } from "./harness/control-plane.ts";
import { record, roundsOr } from "./harness/record.ts";
import type { Way } from "./harness/rounds.ts";
import { compilePeer, inNewFolder } from "./harness/workshop.ts";

const rounds = roundsOr(5);
const WRITES = 20_000;
const POLLS = 40_000;
const HOSTS = 10_000;

const DURABLE = "waybill serve, durable promotions";
const EACH = "an fsync for each promotion";
const ECHO = "a bare Bun.serve, an echo";
const POLLED = "waybill serve, polls of hosts";
const BARE = "a bare Bun.serve, 304";

await inNewFolder(async (folder) => {
  await using grouped = await ControlPlane.start(join(folder, "grouped"));
  await using each = await startPeer("serve-each.ts", join(folder, "each"));
  await using bare = await startPeer("serve-bare.ts");
  await record("serve", async (book) => {
    const load = new Load(folder);
    const write = promotion(grouped.newToken());
    const otherWrite = promotion(grouped.newToken(join(folder, "each")));
    const onServer = "those of the server, which has one processor to itself; the load has another";
    // No commit can hold more than what waits for an answer at once.
    const commits = Math.ceil(WRITES / LANES);
    const syncs: Way = {
      name: `at the least: ${commits} fdatasync, one for each ${LANES} promotions`,
      role: "limit",
      words: [compilePeer("limits", folder), "fdatasync", join(folder, "synced"), String(commits)],
    };
    await book.compare({
      title: `${WRITES.toLocaleString("en-US")} promotions over ${LANES} connections`,
      rounds,
      work: { amount: WRITES, unit: "promotions" },
      costsOf: onServer,
      ways: [
        load.way({
          name: DURABLE,
          role: "ours",
          server: grouped,
          count: WRITES,
          status: 200,
          request: write,
        }),
        load.way({ name: EACH, server: each, count: WRITES, status: 200, request: otherWrite }),
        load.way({ name: ECHO, server: bare, count: WRITES, status: 200, request: write }),
        syncs,
      ],
      goals: [
        { of: DURABLE, against: EACH, timesFaster: 9 },
        { of: DURABLE, against: ECHO, most: 1 / 0.4 },
      ],
    });
    await grouped.assignTenAddons();
    const request = await grouped.poll();
    const poll = { count: POLLS, status: 304, request, distinct: HOSTS, awake: true };
    await book.compare({
      title: `${POLLS.toLocaleString("en-US")} conditional polls of ${HOSTS.toLocaleString("en-US")} hosts over ${LANES} connections`,
      rounds,
      work: { amount: POLLS, unit: "polls" },
      costsOf: onServer,
      ways: [
        load.way({ name: POLLED, role: "ours", server: grouped, ...poll }),
        load.way({ name: BARE, server: bare, ...poll }),
      ],
      goals: [
        {
          anyOf: [
            { of: POLLED, leastPerSecond: 10_000 },
            { of: POLLED, against: BARE, most: 1 / 0.6 },
          ],
        },
      ],
    });
  });
});
