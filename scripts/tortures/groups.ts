import { DISTURBANCES } from "./disturbances.ts";
import type { Group } from "./group.ts";
import { HOSTILE_INPUTS } from "./hostile-inputs.ts";

/** All that is injected, in the order of the page. */
export const GROUPS: readonly Group[] = [...DISTURBANCES, ...HOSTILE_INPUTS];

export const NOT_INJECTED: readonly string[] = [
  "Power loss. It is approximated by killing the process at every call, and by reading with `strace` in which order " +
    "data, names and folders are given to the disk; what a disk does with an fsync that it only pretends to make is not " +
    "seen.",
  "Bits that turn by themselves in memory, and a processor or a kernel that is wrong.",
  "A PostgreSQL server that crashes, loses what it acknowledged, or fails over to a replica that lags: only our side of " +
    "it is killed. The servers of the tests run with fsync off, so that only our process is what crashes.",
  "Crashes between two calls of a thread that change nothing on the disk: they cannot leave anything that the call before " +
    "did not.",
  "Every interleaving of two threads: strace counts for each thread by itself, and races are run many times, not " +
    "enumerated.",
  "Network and FUSE file systems; that a root lies on one is told as a warning.",
  "Memory that runs out for the kernel: the program has ceilings, which its own tests hold, and an agent starts a killed " +
    "program again.",
  "macOS, Windows and other processors: these faults are injected on Linux on the machine named in each group.",
];
