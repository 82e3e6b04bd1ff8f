import {
  chmodSync,
  copyFileSync,
  constants,
  linkSync,
  openSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { checkRoom } from "../../host/disk-room.ts";
import { fsyncDirectory } from "../../host/files.ts";
import { retainedName } from "../bundle/bundle-format.ts";
import { ownDirectory, strangers, sweep } from "../on-host/directories.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import { FILE_MODE } from "../bundle/unpack.ts";

/** A folder whose files are all verified, complete and on the disk. */
export type Prepared = {
  readonly folder: string;
  readonly binaryName: string;
  /** The files of the bundle, or the program alone. */
  readonly files: readonly string[];
  /** The name of the bytes that were verified. */
  readonly retained: string;
};

export type Place = { readonly folder: string; readonly how: "new" | "replace" | "repair" };

/** Above this many bytes the retained copy of a program shares its bytes with it: twice the disk is too much. */
const COPIED_BYTES = 268_435_456;

/**
 * Keeps the verified bytes of a single program beside it, as `artifact.bin`: a copy, so that damage to one leaves
 * the other whole; a second name of the same bytes when it is very large. Throws Failure `no_space`.
 */
export function retainProgram(folder: string, binaryName: string, size: number): void {
  const [from, to] = [join(folder, binaryName), join(folder, retainedName(null))];
  if (size > COPIED_BYTES) {
    linkSync(from, to);
    return;
  }
  checkRoom(folder, size);
  // The file system shares the blocks where it can.
  copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  makeDurable(to, FILE_MODE);
}

export function makeDurable(path: string, mode: number): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Gives a prepared folder its public name. Everything below is on the disk before the name that makes it visible. */
export function publish(prepared: Prepared, place: Place, paths: AddonPaths): void {
  const { folder } = prepared;
  if (place.how === "repair") {
    repair(prepared, paths, place.folder);
    return;
  }
  ownDirectory(paths.directory);
  ownDirectory(paths.versions);
  chmodSync(folder, 0o755);
  fsyncDirectory(folder);
  renameSync(folder, paths.version(place.folder));
  fsyncDirectory(paths.versions);
}

/**
 * File by file, so that the folder that `current` names is there at every moment. Each file is replaced by what it
 * should have been all along, as the digest of the whole is the same; the program comes first and the record last.
 */
function repair({ folder, binaryName, files, retained }: Prepared, paths: AddonPaths, target: string): void {
  const to = paths.version(target);
  sweep(to, "temporary_files");
  const others = files.filter((name) => name !== binaryName);
  for (const name of [binaryName, ...others, retained, paths.recordName]) {
    renameSync(join(folder, name), join(to, name));
    if (name === binaryName) fsyncDirectory(to);
  }
  removeStrangers(to, new Set([...files, retained]));
  fsyncDirectory(to);
}

/** Files that the bundle has not: a bundle staged here before must not leave it a unit or a configuration. */
function removeStrangers(folder: string, own: ReadonlySet<string>): void {
  for (const name of strangers(readdirSync(folder), own)) rmSync(join(folder, name), { recursive: true });
}
