import { readFileSync } from "node:fs";
import type { ControlPlaneProcess } from "../support/control-plane.ts";

export type FleetPlan = {
  readonly hosts: number;
  readonly seconds: number;
  /** How often a host asks; every sixth time it also reports. */
  readonly everyMs: number;
  /** How often an operator assigns another version, so that every host gets a new list. */
  readonly changes: number;
};

export type FleetRecord = {
  polls: number;
  reports: number;
  /** Answers that were not as they should be, counted by what they were. */
  readonly wrong: Map<string, number>;
  /** Milliseconds of every poll. */
  readonly latencies: number[];
  /** Resident bytes of the server, once a second. */
  readonly memory: number[];
  /** Hosts that have the last list at the end. */
  upToDate: number;
};

const LIST = "/v1/addons/assignments";

/**
 * Hosts that ask for their list with the entity tag of the last one, and report what they run, all at their own time.
 */
export async function simulateFleet(
  server: ControlPlaneProcess,
  token: string,
  plan: FleetPlan,
): Promise<FleetRecord> {
  const { hosts, seconds, everyMs, changes } = plan;
  const headers = { authorization: `Bearer ${token}` };
  const record: FleetRecord = {
    polls: 0,
    reports: 0,
    wrong: new Map(),
    latencies: [],
    memory: [],
    upToDate: 0,
  };
  const fail = (what: string): void => void record.wrong.set(what, (record.wrong.get(what) ?? 0) + 1);
  const send = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await fetch(`${server.address}${path}`, { method, headers, body: JSON.stringify(body) });
    await answer.bytes();
    if (!answer.ok) fail(`${method} ${path.split("/").slice(0, 3).join("/")} ${answer.status}`);
  };
  const assign = async (version: number): Promise<void> => {
    const addon = { addon_id: "dns", version: `1.0.${version}`, binary: "dns", delivery: "os_package" };
    await send("POST", "/v1/addons/packages", addon);
    await send("PUT", `${LIST}/dns`, { version: addon.version });
  };
  /** The entity tag of the host's list now. */
  const poll = async (host: string, etag: string): Promise<string> => {
    const started = performance.now();
    const answer = await fetch(`${server.address}${LIST}?platform=linux/amd64&host=${host}`, {
      headers: { ...headers, "if-none-match": etag },
    });
    await answer.bytes();
    record.latencies.push(performance.now() - started);
    record.polls++;
    const found = answer.headers.get("etag") ?? "";
    const expected = answer.status === 304 ? found === etag : answer.status === 200 && found !== etag;
    if (!expected) fail(`a poll was ${answer.status}`);
    return found;
  };
  const report = (host: string, etag: string): Promise<void> => {
    record.reports++;
    const version = { version: "1.0.0", digest: null };
    const addons = [
      {
        ...{ addon_id: "dns", state: "running", has: version, offered: version, last_known_good: "1.0.0" },
        ...{ on_trial: false, blocked: [], last_error: null },
      },
    ];
    const config_version = etag.replaceAll('"', "");
    return send("PUT", `/v1/hosts/${host}/status`, { platform: "linux/amd64", config_version, addons });
  };

  const operate = async (): Promise<void> => {
    for (let version = 1; version <= changes; version++) {
      await Bun.sleep((seconds * 1_000) / (changes + 1));
      await assign(version);
    }
  };

  await assign(0);
  const operated = operate();
  const etags: string[] = [];
  const end = performance.now() + seconds * 1_000;
  const live = async (at: number): Promise<void> => {
    const host = `host-${at}`;
    let etag = '""';
    await Bun.sleep((at / hosts) * everyMs);
    let turn = at;
    // Once at least, also on a machine that stood still for all of the time.
    do {
      const started = performance.now();
      try {
        etag = await poll(host, etag);
        if (turn++ % 6 === 0) await report(host, etag);
      } catch (error) {
        fail(`a connection broke: ${error instanceof Error ? error.name : "?"}`);
      }
      await Bun.sleep(Math.max(0, everyMs - (performance.now() - started)));
    } while (performance.now() < end);
    // A machine that stood still may have changes left to come.
    await operated;
    etag = await poll(host, etag);
    etags.push(etag);
  };
  const watch = async (): Promise<void> => {
    while (performance.now() < end) {
      record.memory.push(residentBytes(server.pid));
      await Bun.sleep(1_000);
    }
  };
  await Promise.all([operated, watch(), ...Array.from({ length: hosts }, (_, at) => live(at))]);
  const newest = await poll("another", '""');
  record.upToDate = etags.filter((etag) => etag === newest).length;
  return record;
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? Number.NaN) * 1_024;
}

/** The value that this part (0 to 1) of all values does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
