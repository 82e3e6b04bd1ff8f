import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  type Stats,
} from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, fsyncDirectory, reason } from "../../host/files.ts";

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
const DIRECTORY_MODE = 0o755;

/**
 * Makes the root when it is missing, and refuses one in which somebody else could swap what we verified: not ours
 * or root's, writable by group or world, a link, or below such a folder. Throws Failure `root_insecure`.
 */
export function prepareRoot(root: string): void {
  try {
    makeDirectories(root);
    const status = lstatSync(root);
    if (!status.isDirectory()) throw insecure(root, "is not a directory (a link is refused as well)");
    checkOwner(root, status);
    if ((status.mode & OTHERS_WRITE) !== 0) throw insecure(root, `has mode ${octal(status)}`);
    for (let path = dirname(realpathSync(root)); ; path = dirname(path)) {
      checkAncestor(path);
      if (path === dirname(path)) return;
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("root_insecure", `the root ${quoted(root)} cannot be used: ${reason(error)}`, {
      cause: error,
    });
  }
}

/** Above the root a sticky folder (/tmp) is safe: others cannot rename in it what is not theirs. */
function checkAncestor(path: string): void {
  const status = statSync(path);
  checkOwner(path, status);
  // A group of our own (user-private groups) is as good as ourselves.
  const ownGroup = status.gid === 0 || status.gid === process.getegid?.();
  const writable = status.mode & (ownGroup ? 0o002 : OTHERS_WRITE);
  if (writable !== 0 && (status.mode & STICKY) === 0) throw insecure(path, `has mode ${octal(status)}`);
}

function checkOwner(path: string, status: Stats): void {
  const user = process.geteuid?.();
  if (user === undefined || status.uid === user || status.uid === 0) return;
  throw insecure(path, `belongs to user ${status.uid}`);
}

function insecure(path: string, found: string): Failure {
  return new Failure("root_insecure", `${quoted(path)} ${found}; others could swap what runs on this host`, {
    hint: "wanted a directory of this user or root that only its owner may write: chmod 755, chown",
  });
}

function octal(status: Stats): string {
  return (status.mode & 0o7777).toString(8).padStart(4, "0");
}

function makeDirectories(path: string): void {
  try {
    makeDirectory(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    makeDirectories(dirname(path));
    makeDirectory(path);
  }
}

/** Durable, and with its exact mode whatever the umask is. An existing one is left as it is. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (errorCode(error) === "EEXIST") return;
    throw error;
  }
  chmodSync(path, DIRECTORY_MODE);
  fsyncDirectory(dirname(path));
}

/**
 * A directory inside the root, made when it is missing. Something else under its name, such as a planted link to
 * /etc, is `unsafe_path`: nothing is ever written through it.
 */
export function ownDirectory(path: string): void {
  makeDirectory(path);
  checkOwnDirectory(path);
}

/** The same for one that may be missing: false then. */
export function checkOwnDirectory(path: string): boolean {
  let status: Stats;
  try {
    status = lstatSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
  if (!status.isDirectory())
    throw planted(path, status.isSymbolicLink() ? "is a link" : "is not a directory");
  const user = process.geteuid?.();
  if (user !== undefined && status.uid !== user && status.uid !== 0)
    throw planted(path, `belongs to user ${status.uid}`);
  if ((status.mode & OTHERS_WRITE) !== 0) throw planted(path, `has mode ${octal(status)}`);
  return true;
}

export function isOwnDirectory(path: string): boolean {
  try {
    return checkOwnDirectory(path);
  } catch {
    return false;
  }
}

function planted(path: string, found: string): Failure {
  return new Failure(
    "unsafe_path",
    `${quoted(path)} ${found}; wanted a directory that only its owner may write`,
    {
      hint: "somebody else put it there; look at it and remove it",
    },
  );
}

/** What a killed run left behind: our own temporary names, and nothing else. Call it under the lock. */
export function sweep(directory: string, kind: "downloads" | "temporary_files"): void {
  const ours = kind === "downloads" ? DOWNLOAD : TEMPORARY;
  for (const name of readdirSync(directory)) {
    if (ours.test(name)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** `waybill-<16 hex>`, from `stage.ts`; `.<name>.<12 hex>.tmp`, from files.ts, `current-link.ts` and `collect.ts`. */
const DOWNLOAD = /^waybill-[0-9a-f]{16}$/u;
const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/u;

/** Names in a folder that nobody answers for. Names with a dot first are notes of ours and of the original's agent. */
export function strangers(names: readonly string[], own: ReadonlySet<string>): string[] {
  return names.filter((name) => !name.startsWith(".") && !own.has(name));
}
