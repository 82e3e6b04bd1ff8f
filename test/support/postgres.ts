import { SQL } from "bun";
import { afterAll } from "bun:test";
import { chownSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A PostgreSQL server of our own on a unix socket, started by the first test of a file that wants it. */
type Server = { readonly socket: string; readonly admin: SQL; readonly stop: () => Promise<void> };

let starting: Promise<Server> | undefined;
let made = 0;
const free: string[] = [];

// Of the first file alone when one process runs several: the next one has a server of its own, until the process ends.
afterAll(async () => {
  const server = await starting;
  starting = undefined;
  free.length = 0;
  await server?.stop();
});

/** Debian's user without any rights: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

export type TestDatabase = AsyncDisposable & { readonly url: string };

/** An empty database; at the end of the scope it is emptied for the next one, which is quicker than a new one. */
export async function emptyDatabase(): Promise<TestDatabase> {
  const { socket, admin } = await (starting ??= start());
  let name = free.pop();
  if (name === undefined) {
    name = `waybill_${++made}`;
    await admin.unsafe(`CREATE DATABASE ${name}`);
  }
  const own = name;
  const url = `postgres://waybill@localhost/${own}?host=${encodeURIComponent(socket)}`;
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      const sql = new SQL({ url, max: 1 });
      await sql.unsafe("SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
      await sql.close();
      free.push(own);
    },
  };
}

async function start(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-postgres-"));
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(folder, NOBODY, NOBODY);
  // The server goes with the shell that started it, also when that is killed.
  const as = ["setpriv", "--pdeathsig", "QUIT"];
  if (asRoot) as.push("--reuid", "nobody", "--regid", "nogroup", "--clear-groups");
  const data = join(folder, "data");
  const env = { PATH: `${programFolder()}:/usr/bin:/bin`, LC_ALL: "C" };
  const initdb = [...as, "initdb", "-D", data, "-U", "waybill", "-A", "trust", "-E", "UTF8", "--no-sync"];
  const prepared = Bun.spawnSync([...initdb, "--locale=C.UTF-8"], { env, cwd: folder });
  if (prepared.exitCode !== 0) throw new Error(`initdb: ${prepared.stderr.toString()}`);
  // Nothing here outlives the run, so nothing of it has to be on a disk.
  const settings = ["listen_addresses=", "fsync=off", "full_page_writes=off", "track_commit_timestamp=on"];
  const flags = settings.flatMap((one) => ["-c", one]);
  // However this process ends, its end of the pipe closes, and the server goes with its folder.
  const script = '"$@" >log 2>&1 & server=$!; cat; kill -QUIT $server; wait $server; cd /; rm -rf "$FOLDER"';
  const child = Bun.spawn(["sh", "-c", script, "sh", ...as, "postgres", "-D", data, "-k", folder, ...flags], {
    env: { ...env, FOLDER: folder },
    cwd: folder,
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  child.unref();
  const admin = await connected(folder);
  const stop = async (): Promise<void> => {
    await admin.close({ timeout: 0 });
    await child.stdin.end();
    await child.exited;
  };
  return { socket: folder, admin, stop };
}

function programFolder(): string {
  const versions = "/usr/lib/postgresql";
  const newest = readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0] ?? "";
  return join(versions, newest, "bin");
}

/** The server answers as soon as its socket is there; until then connections are refused. */
async function connected(socket: string): Promise<SQL> {
  const url = `postgres://waybill@localhost/postgres?host=${encodeURIComponent(socket)}`;
  for (let tries = 0; ; tries++) {
    const admin = new SQL({ url, max: 1 });
    try {
      await admin.unsafe("SELECT 1");
      return admin;
    } catch (error) {
      await admin.close({ timeout: 0 });
      if (tries === 400) throw error;
      await Bun.sleep(25);
    }
  }
}
