import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { presign } from "../../src/stores/s3-presign.ts";
import { answers, freePort } from "../support/programs.ts";
import type { TemporaryFolder } from "../support/temporary.ts";

export const HAS_CEPH: boolean = ["radosgw", "ceph-mon", "ceph-osd", "monmaptool"].every(
  (name) => Bun.which(name) !== null,
);

export type Ceph = AsyncDisposable & {
  readonly url: string;
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
};

const KEYS = { accessKeyId: "AK", secretAccessKey: "secret-key-1", sessionToken: undefined };

/**
 * A Ceph object gateway with one monitor and one store in memory, without authentication among the three; a bucket
 * `addons` and one user. About 15 s to start and 115 MB.
 */
export async function startCeph(folder: TemporaryFolder): Promise<Ceph> {
  const [monitor, gateway] = [await freePort(), await freePort()];
  const home = folder.at("ceph");
  const env = { ...process.env, CEPH_CONF: `${home}/ceph.conf` };
  const id = crypto.randomUUID();
  for (const name of ["", "/mon.a", "/osd.0"]) mkdirSync(`${home}${name}`);
  writeFileSync(`${home}/ceph.conf`, configOf(home, id, monitor, gateway));
  const run = (words: readonly string[]): boolean =>
    Bun.spawnSync([...words], { cwd: home, env, stdout: "ignore", stderr: "ignore", timeout: 60_000 })
      .success;
  const must = (words: readonly string[]): void => {
    if (!run(words)) throw new Error(`${words.join(" ")} failed`);
  };
  const url = `http://127.0.0.1:${gateway}`;
  const stop = async (): Promise<void> => {
    const pids = readdirSync(home).filter((name) => name.endsWith(".pid"));
    const running = pids.map((name) => Number(readFileSync(`${home}/${name}`, "utf8")));
    for (const pid of running) kill(pid, "SIGTERM");
    for (let tries = 0; tries < 200 && running.some(isRunning); tries++) await Bun.sleep(50);
    for (const pid of running.filter(isRunning)) kill(pid, "SIGKILL");
  };
  try {
    must([
      "monmaptool",
      "--create",
      "--clobber",
      "--fsid",
      id,
      "--addv",
      "a",
      `[v1:127.0.0.1:${monitor}]`,
      "monmap",
    ]);
    must([
      "ceph-authtool",
      "--create-keyring",
      "keyring",
      "--gen-key",
      "-n",
      "mon.",
      "--cap",
      "mon",
      "allow *",
    ]);
    must(["ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring"]);
    must(["ceph-mon", "-i", "a"]);
    const osd = crypto.randomUUID();
    await until(() => run(["timeout", "10", "ceph", "osd", "new", osd, "0"]));
    must(["ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd]);
    await until(() => run(["ceph-osd", "-i", "0"]));
    must(["radosgw", "-c", "ceph.conf", "-n", "client.rgw"]);
    await until(() => answers(url));
    const user = [
      "--uid=t",
      "--display-name=t",
      `--access-key=${KEYS.accessKeyId}`,
      `--secret-key=${KEYS.secretAccessKey}`,
    ];
    await until(
      () =>
        run(["timeout", "60", "radosgw-admin", "user", "create", ...user]) ||
        run(["timeout", "30", "radosgw-admin", "user", "info", "--uid=t"]),
    );
    const put = async (key: string, bytes: Uint8Array | null): Promise<void> => {
      const place = new URL(url);
      place.pathname = `/addons${key === "" ? "" : `/${key}`}`;
      const signed = presign("PUT", place, "us-east-1", KEYS, new Date());
      const answer = await fetch(signed, {
        method: "PUT",
        ...(bytes === null ? {} : { body: new Uint8Array(bytes) }),
      });
      if (!answer.ok) throw new Error(`PUT ${place.pathname}: ${answer.status} ${await answer.text()}`);
    };
    await put("", null);
    return { url, put, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 120; tries++) {
    if (await done()) return;
    await Bun.sleep(500);
  }
  throw new Error("Ceph did not come up");
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid > 1) process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Daemons are nobody's children, so that an ended one may stay as an entry of the process table. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /u.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function configOf(home: string, id: string, monitor: number, gateway: number): string {
  return `[global]
fsid = ${id}
mon host = [v1:127.0.0.1:${monitor}]
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
mon allow pool size one = true
mon max pg per osd = 1000
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
ms bind ipv6 = false
public addr = 127.0.0.1
run dir = ${home}
admin socket = ${home}/$name.asok
log file = ${home}/$name.log
pid file = ${home}/$name.pid
keyring = ${home}/keyring
mon data = ${home}/mon.a
osd data = ${home}/osd.0
mon data avail crit = 1
mon data avail warn = 2
mon pg warn min per osd = 0
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw dns name = localhost
rgw run sync thread = false
`;
}
