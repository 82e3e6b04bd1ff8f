import { statfsSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/** Left free whatever we do, so that what runs on the host can still write: a hundredth, within these bounds. */
const LEAST_RESERVE = 262_144;
const MOST_RESERVE = 67_108_864;
/** Files that we may make beside the large one: notes, links, folders. */
const INODES = 32;

/** Throws Failure `no_space` unless the file system of `folder` has room for `bytes` and the host's own needs. */
export function checkRoom(folder: string, bytes: number): void {
  const status = statfsSync(folder);
  const free = status.bavail * status.bsize;
  const reserve = Math.min(
    Math.max(Math.floor((status.blocks * status.bsize) / 100), LEAST_RESERVE),
    MOST_RESERVE,
  );
  if (free < bytes + reserve) {
    throw new Failure(
      "no_space",
      `${quoted(folder)} has ${free} bytes free; wanted ${bytes} and ${reserve} in reserve`,
      { hint: "remove old versions with: waybill addon gc" },
    );
  }
  // Some file systems (btrfs) have no number of inodes: 0 of 0.
  if (status.files > 0 && status.ffree < INODES) {
    throw new Failure("no_space", `${quoted(folder)} has ${status.ffree} inodes free; wanted ${INODES}`, {
      hint: "many small files use them up; remove some, or run: waybill addon gc",
    });
  }
}
