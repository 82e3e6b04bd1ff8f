import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Whether git would have anything to look at: some folder from this one up has a `.git`, or is a repository itself.
 * Spares the processes that would only say no. What is found here may still be none to git.
 */
export function hasRepositoryAround(folder: string): boolean {
  for (let place = folder; ; place = dirname(place)) {
    if (mayExist(join(place, ".git")) || isBare(place)) return true;
    if (dirname(place) === place) return false;
  }
}

function isBare(place: string): boolean {
  return ["HEAD", "objects", "refs"].every((name) => mayExist(join(place, name)));
}

/** Whether something is there; true as well where we may not look, or a link leads in a circle. */
export function mayExist(place: string): boolean {
  try {
    return lstatSync(place, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // git may know more.
    return true;
  }
}
