import { mkdirSync, rmSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, reason } from "../../host/files.ts";
import { acquireLock, type Lock } from "../../host/locks.ts";

/** Where a control plane keeps everything. */
export type DataDirectory = {
  readonly path: string;
  readonly database: string;
  readonly artifacts: string;
  readonly contexts: string;
  /** Uploads that are not complete. On the same file system as the two above, so that a rename finishes them. */
  readonly incoming: string;
  readonly lock: string;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of `--data`, or the default one of this user. Decides only: nothing is opened. Throws Failure. */
export function dataDirectoryPath(
  flag: string | undefined,
  env: Environment,
  cwd: string,
  isRoot: boolean,
): string {
  if (flag !== undefined) return resolve(cwd, flag);
  if (isRoot) return "/var/lib/waybill/control-plane";
  // A relative XDG_DATA_HOME must be ignored (XDG base directory specification).
  const xdg = env["XDG_DATA_HOME"] ?? "";
  if (isAbsolute(xdg)) return join(xdg, "waybill");
  const home = env["HOME"] ?? "";
  if (isAbsolute(home)) return join(home, ".local/share/waybill");
  throw new Failure(
    "data_dir_invalid",
    "there is no default data folder: neither HOME nor XDG_DATA_HOME is set",
    {
      hint: "name one with --data DIR",
    },
  );
}

function layout(path: string): DataDirectory {
  return {
    path,
    database: join(path, "control-plane.sqlite"),
    artifacts: join(path, "artifacts"),
    contexts: join(path, "contexts"),
    incoming: join(path, "incoming"),
    lock: join(path, "server.lock"),
  };
}

/** The folder; with `create` it is made, mode 0700, when it is not there. Throws Failure `data_dir_invalid`. */
export function openDataDirectory(path: string, create: boolean): DataDirectory {
  try {
    if (create) mkdirSync(path, { recursive: true, mode: 0o700 });
    const status = statSync(path);
    // Whoever can write here can replace the database, and with it every token.
    if ((status.mode & 0o002) !== 0) {
      throw new Failure("data_dir_invalid", `the data folder ${quoted(path)} can be written by everybody`, {
        hint: `run: chmod o-w ${quoted(path)}`,
      });
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    const found = errorCode(error) === "EEXIST" ? "it is not a folder" : reason(error);
    throw new Failure("data_dir_invalid", `the data folder ${quoted(path)} cannot be used: ${found}`, {
      cause: error,
    });
  }
  return layout(path);
}

/** Makes this process the one server of the folder until `release`. Throws Failure `lock_held`. */
export async function lockDataDirectory(directory: DataDirectory, stop: AbortSignal): Promise<Lock> {
  const what = `the data folder ${quoted(directory.path)}`;
  try {
    return await acquireLock({ path: directory.lock, what, budgetMs: 0, stop });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "lock_held") throw error;
    throw new Failure("lock_held", `another server runs on ${what}`, {
      hint: "stop it, or name another folder with --data",
    });
  }
}

/** Makes the folders of the server; what a crash left of unfinished uploads goes. Only for who holds the lock. */
export function prepareDataDirectory(directory: DataDirectory): void {
  try {
    rmSync(directory.incoming, { recursive: true, force: true });
    for (const folder of [directory.artifacts, directory.contexts, directory.incoming]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  } catch (error) {
    throw new Failure("data_dir_invalid", `${quoted(directory.path)} cannot be prepared: ${reason(error)}`, {
      cause: error,
    });
  }
}
