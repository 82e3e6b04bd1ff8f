import { statfsSync } from "node:fs";

/** `f_type` of statfs(2), for file systems that several machines may have mounted. */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff53_4d42, "CIFS"],
  [0xfe53_4d42, "SMB"],
  [0x0102_1997, "9p"],
  [0x00c3_6400, "Ceph"],
  [0x0bd0_0bd0, "Lustre"],
  [0x5346_414f, "AFS"],
  [0x0116_1970, "GFS2"],
  [0x7461_636f, "OCFS2"],
  [0x6573_5546, "FUSE"],
]);

/** The name of a file system on which a lock may hold on this machine alone; null for any other type. */
export function remoteKind(type: number): string | null {
  return REMOTE.get(type >>> 0) ?? null;
}

/** The same for the file system that a path lies on; null when it cannot be asked. */
export function remoteDisk(path: string): string | null {
  try {
    return remoteKind(statfsSync(path).type);
  } catch {
    return null;
  }
}
