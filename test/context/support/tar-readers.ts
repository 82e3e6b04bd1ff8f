import { environment, HANGING_MS } from "./run-capture.ts";

/** One member as python's tarfile reads it; the name in latin1, one character a byte. */
export type Member = {
  readonly name: string;
  readonly type: "file" | "dir" | "link" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly owner: string;
  readonly mtime: number;
  readonly size: number;
  readonly target: string;
  readonly sha256: string | null;
};

export const HAS_PYTHON: boolean = Bun.which("python3") !== null;
export const HAS_GNU_TAR: boolean = succeeds(["tar", "--version"], /GNU tar/u);
export const HAS_BSDTAR: boolean = Bun.which("bsdtar") !== null;
export const HAS_ZSTD: boolean = Bun.which("zstd") !== null;

function succeeds(command: string[], says: RegExp): boolean {
  if (Bun.which(command[0] ?? "") === null) return false;
  return says.test(Bun.spawnSync(command).stdout.toString());
}

const LIST = `
import hashlib, json, sys, tarfile
members = []
with tarfile.open(sys.argv[1], "r:", encoding="utf-8", errors="surrogateescape") as archive:
    for m in archive:
        kind = "file" if m.isreg() else "dir" if m.isdir() else "link" if m.issym() else "other"
        latin = lambda s: s.encode("utf-8", "surrogateescape").decode("latin-1")
        digest = hashlib.sha256(archive.extractfile(m).read()).hexdigest() if m.isreg() else None
        members.append(dict(name=latin(m.name), type=kind, mode=m.mode, uid=m.uid, gid=m.gid,
            owner=m.uname + m.gname, mtime=m.mtime, size=m.size, target=latin(m.linkname), sha256=digest))
json.dump(members, sys.stdout)
`;

/** The members of an uncompressed tar in their order, read by python: a reader that shares no code with us. */
export function listMembers(tar: string): Member[] {
  return JSON.parse(succeed(["python3", "-I", "-c", LIST, tar]).toString()) as Member[];
}

/** Names as the walk tests write them: directories with a slash. */
export function listNames(tar: string): string[] {
  return listMembers(tar).map((member) => (member.type === "dir" ? `${member.name}/` : member.name));
}

/** Runs to success and gives standard output; throws with standard error otherwise. */
export function succeed(command: readonly string[], cwd = "/"): Buffer {
  const ran = Bun.spawnSync([...command], {
    cwd,
    env: environment({ LC_ALL: "C" }),
    stderr: "pipe",
    timeout: HANGING_MS,
  });
  if (ran.exitCode !== 0)
    throw new Error(`${command.join(" ")}: exit ${ran.exitCode}: ${ran.stderr.toString()}`);
  return ran.stdout;
}

export type TarReader = {
  readonly name: string;
  readonly present: boolean;
  extract(tar: string, into: string): void;
};

export const READERS: readonly TarReader[] = [
  {
    name: "GNU tar",
    present: HAS_GNU_TAR,
    extract: (tar, into) => void succeed(["tar", "-xf", tar, "-C", into]),
  },
  {
    name: "bsdtar",
    present: HAS_BSDTAR,
    // In the C locale it refuses names that are not ASCII.
    extract: (tar, into) => void succeed(["env", "LC_ALL=C.UTF-8", "bsdtar", "-xf", tar, "-C", into]),
  },
  {
    name: "python tarfile",
    present: HAS_PYTHON,
    extract: (tar, into) => void succeed(["python3", "-I", "-c", EXTRACT, tar, into]),
  },
];

const EXTRACT = `
import sys, tarfile
with tarfile.open(sys.argv[1], encoding="utf-8", errors="surrogateescape") as archive:
    archive.extractall(sys.argv[2])
`;
