import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A control group whose processes the kernel kills when they take more memory than it allows. */
export type MemoryGroup = Disposable & {
  /** Whoever writes its process id here is in it. */
  readonly door: string;
  /** How many the kernel has killed. */
  readonly kills: () => number;
};

const V1 = "/sys/fs/cgroup/memory";
const V2 = "/sys/fs/cgroup";

/** null on a machine that gives us none. */
export function memoryGroup(bytes: number): MemoryGroup | null {
  const isV1 = existsSync(join(V1, "memory.limit_in_bytes"));
  const path = join(isV1 ? V1 : V2, `waybill-test-${process.pid}-${Bun.nanoseconds()}`);
  try {
    if (!isV1 && !readFileSync(join(V2, "cgroup.subtree_control"), "utf8").includes("memory")) return null;
    mkdirSync(path);
    writeFileSync(join(path, isV1 ? "memory.limit_in_bytes" : "memory.max"), String(bytes));
    // Nothing is written elsewhere to make room.
    if (!isV1) writeFileSync(join(path, "memory.swap.max"), "0");
  } catch {
    return null;
  }
  const told = join(path, isV1 ? "memory.oom_control" : "memory.events");
  return {
    door: join(path, "cgroup.procs"),
    kills: () => Number(/^oom_kill (\d+)$/mu.exec(readFileSync(told, "utf8"))?.[1] ?? 0),
    [Symbol.dispose]: () => rmdirSync(path),
  };
}
