import { closeSync, openSync, readFileSync, statfsSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostLibc } from "./libc.ts";
import { errorCode } from "./files.ts";
import { lockingWorks } from "./locks.ts";
import { randomHex } from "./random.ts";

/** What this machine is, as far as a process can see it without asking anybody. */
export type Machine = {
  readonly platform: string;
  readonly libc: "glibc" | "musl" | undefined;
  /** Whether /proc is mounted; null where there is none by custom. */
  readonly proc: boolean | null;
  readonly temporary: {
    readonly path: string;
    readonly problem: string | null;
    readonly freeBytes: number | null;
  };
  /** Bytes that the control group allows; null without a limit. */
  readonly memoryLimit: number | null;
  /** How many files may be open at once; null when nobody knows. */
  readonly openFiles: number | null;
  /** Whether a name server is configured. */
  readonly resolver: boolean;
  readonly flock: boolean;
};

/** Looks; changes nothing but a file in the temporary folder, which it removes again. */
export function lookAtMachine(): Machine {
  return {
    platform: `${process.platform}/${process.arch}`,
    libc: hostLibc(),
    proc: process.platform === "linux" ? textOf("/proc/self/stat") !== null : null,
    temporary: lookAtTemporary(),
    memoryLimit: memoryLimit(),
    openFiles: openFiles(),
    resolver: /^\s*nameserver\s/mu.test(textOf("/etc/resolv.conf") ?? ""),
    flock: lockingWorks(),
  };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function lookAtTemporary(): Machine["temporary"] {
  const path = tmpdir();
  const probe = join(path, `.waybill-doctor-${randomHex(8)}`);
  try {
    closeSync(openSync(probe, "wx", 0o600));
    unlinkSync(probe);
    const { bavail, bsize } = statfsSync(path);
    return { path, problem: null, freeBytes: bavail * bsize };
  } catch (error) {
    return { path, problem: errorCode(error), freeBytes: null };
  }
}

function memoryLimit(): number | null {
  const groups = textOf("/proc/self/cgroup") ?? "";
  const unified = /^0::(\/.*)$/mu.exec(groups)?.[1] ?? "";
  const first = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/mu.exec(groups)?.[1] ?? "";
  const limits = [
    `/sys/fs/cgroup${unified}/memory.max`,
    `/sys/fs/cgroup/memory${first}/memory.limit_in_bytes`,
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
  ]
    .map((path) => Number.parseInt(textOf(path) ?? "", 10))
    // Version 1 of control groups says "no limit" with a number that no machine has.
    .filter((limit) => Number.isFinite(limit) && limit < 2 ** 60);
  return limits.length === 0 ? null : Math.min(...limits);
}

function openFiles(): number | null {
  const soft = /^Max open files\s+(\d+)/mu.exec(textOf("/proc/self/limits") ?? "")?.[1];
  return soft === undefined ? null : Number(soft);
}
