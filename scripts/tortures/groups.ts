/** What is injected, by group. The page is written from this and from the counts. */
export type Injection = {
  /** As the test counts it; for whole test files, any. */
  readonly name: string;
  readonly into: string;
  readonly file: string;
  /** Who counts: the test itself with `pointsOf`, or the report, in which each test is a point. */
  readonly per: "point" | "test";
};

export type Group = {
  /** As in `scripts/torture NAME`. */
  readonly name: string;
  readonly title: string;
  /** Paragraphs of the page. */
  readonly how: string;
  readonly survived: string;
  /** With the wider sweeps that an ordinary run of the tests leaves out. */
  readonly isWide: boolean;
  /** What it takes alone on two cores. */
  readonly minutes: number;
  readonly injections: readonly Injection[];
};

export function filesOf({ injections }: Group): string[] {
  return [...new Set(injections.map(({ file }) => file))];
}

const point = (name: string, into: string, file: string): Injection => ({ name, into, file, per: "point" });
const tests = (name: string, into: string, file: string): Injection => ({ name, into, file, per: "test" });

export const GROUPS: readonly Group[] = [
  {
    name: "stage",
    title: "Crashes and failing calls while a host changes",
    how:
      "`strace` kills the program, or makes the call fail, at the Nth call of each kind, for every N until no such " +
      "call is left: folders, opens, writes, modes, fsync, renames, links, removals. Calls are counted for each thread " +
      "and each name, so where two threads of the unpacker do the same at once, the first that gets to N is hit.",
    survived:
      "whatever the fault, `current` names a whole version whose bytes were verified, the old one or the new one; the " +
      "next run, without anybody's help, ends well, shows the wanted version, leaves no temporary file, and " +
      "`verify addon` agrees.",
    isWide: true,
    minutes: 8,
    injections: [
      point(
        "SIGKILL at each call that changes the disk, and at each open",
        "first stage, upgrade, rollback, gc, import, of a program, a .tar.gz and a .tar.zst; fsck --repair",
        "test/addons/crash-operations.test.ts",
      ),
      point(
        "ENOSPC, EIO, EROFS or EDQUOT at each of them",
        "the same, of a .tar.gz (the last two at every fourth)",
        "test/addons/crash-operations.test.ts",
      ),
      tests(
        "SIGKILL and errors, by what was there before",
        "a stage onto nothing, an older version, a damaged one",
        "test/addons/crash.test.ts",
      ),
      tests(
        "SIGKILL at the moments that have a name",
        "a stage, a rollback, a collection, capabilities",
        "test/addons/crash-points.test.ts",
      ),
    ],
  },
  {
    name: "agent",
    title: "Crashes of the agent, and hours of it",
    how:
      "`addon run` is killed on its way from one version to the next: by `strace` at the Nth call, and at moments in " +
      "time. The soak lets a program die again and again while rounds and probes come some hundred times as often as " +
      "usual.",
    survived:
      "the next agent takes over what runs or finishes the upgrade, there are never two of one program, each start was " +
      "counted before it was made, nothing is blocked wrongly, no process is left; memory and descriptors do not grow.",
    isWide: true,
    minutes: 7,
    injections: [
      tests(
        "SIGKILL at the Nth call",
        "an upgrade under supervision",
        "test/addons/supervision/killed-at-each-step.test.ts",
      ),
      point(
        "SIGKILL of the agent at moments of an upgrade",
        "the same",
        "test/addons/supervision/killed-agent.test.ts",
      ),
      tests(
        "soak: two minutes at some hundred times the usual pace",
        "an agent with a program that dies, a list, reports, probes",
        "test/addons/supervision/soak.test.ts",
      ),
    ],
  },
  {
    name: "outputs",
    title: "Crashes and failing calls while a file is written",
    how:
      "As above, for every command that writes a file for its user: archives, manifests, documents, signatures, " +
      "attestations, policies, keys, trust roots, exports, backups, receipts.",
    survived:
      "under the name stands what stood there before, or all of the new, checked byte by byte or by its own reader; 0 " +
      "only with the new one; a call that failed leaves nothing beside it (a kill may leave a hidden `.tmp`, mode 0600, " +
      "which no command takes for anything); the next run writes it.",
    isWide: true,
    minutes: 4,
    injections: [
      point(
        "SIGKILL at each call while a file is written",
        "eighteen ways of writing one",
        "test/binary/torn-outputs.test.ts",
      ),
      point("ENOSPC, EIO or EMFILE at each of them", "the same", "test/binary/torn-outputs.test.ts"),
      tests(
        "places where no archive can be, full disks, signals",
        "capture --archive, --out",
        "test/context/archive-failure.test.ts",
      ),
    ],
  },
  {
    name: "serve",
    title: "Crashes of the control plane",
    how:
      "`serve` is killed with SIGKILL in the middle of a stream of promotions and uploads from twenty clients, at " +
      "another moment in each round, on the same data; then it is started again.",
    survived:
      "each write that was acknowledged is there; the chain of events holds, and goes on from the head that was noted " +
      "before the crash. Each acknowledged write is a point.",
    isWide: true,
    minutes: 2,
    injections: [
      point(
        "SIGKILL of serve in a stream of writes, on SQLite",
        "serve",
        "test/control-plane/storage/killed-server.test.ts",
      ),
      point(
        "SIGKILL of serve in a stream of writes, on PostgreSQL",
        "serve",
        "test/control-plane/storage/killed-server.test.ts",
      ),
      tests(
        "what a crash leaves, databases that are not there, backups while it is written",
        "serve",
        "test/control-plane/storage/serve-storage.test.ts",
      ),
    ],
  },
  {
    name: "keys",
    title: "Changed keys, signatures and documents",
    how:
      "Every single bit of every signed form is turned round by itself; bytes are changed, cut off, put in, doubled, " +
      "at random and from a list of tricks. The program gets them cut at each byte and with a bit of each byte turned: " +
      "artifact, bundle, envelope, minisign, SSHSIG and raw signatures, keys in three forms, trust root, policy. All " +
      "bits, and what is random, go into the readers and judges alone, without a process for each.",
    survived:
      "refused with a failure that has a code; or accepted, and then what was read is the very same as of the untouched " +
      "file (white space, an unsigned comment). Never an accident, never an endless run.",
    isWide: true,
    minutes: 5,
    injections: [
      point(
        "files that are cut at each byte",
        "the program: eleven kinds of files",
        "test/trust/damaged-files.test.ts",
      ),
      point("files with one bit turned in each byte", "the same", "test/trust/damaged-files.test.ts"),
      point(
        "each bit and each cut of policies, trust roots and detached signatures",
        "signed policy, trust root of two keys, minisign, SSHSIG, signify, raw",
        "test/trust/single-bits.test.ts",
      ),
      point(
        "each bit of a bundle and of an envelope, any byte, cuts and insertions",
        "Sigstore bundle, DSSE envelope",
        "test/trust/tampering.property.test.ts",
      ),
      point(
        "each bit of a receipt, bundled and bare",
        "receipts of promotions",
        "test/trust/tampering-table.test.ts",
      ),
      point(
        "keys and signatures of other tools, changed beneath their armor",
        "files of openssl, ssh-keygen, minisign, signify",
        "test/trust/foreign-files.property.test.ts",
      ),
      point(
        "documents with bytes and values changed, cut, doubled, or replaced by a bomb",
        "seventeen readers of what others wrote",
        "test/trust/fuzz.property.test.ts",
      ),
    ],
  },
  {
    name: "clocks",
    title: "Clocks",
    how:
      "The program is run by `faketime` at times before, at and behind each bound, thirty seconds and years away, and in " +
      "1970; a clock is set back on a host; the clock of a running server jumps ten years in both directions.",
    survived:
      "within the bounds it holds, outside it is refused with the code for that; what expired stays expired on a host " +
      "whose clock is set back; the chain of events holds over the jumps.",
    isWide: false,
    minutes: 1,
    injections: [
      point(
        "the clock before, at and behind each bound in time, by seconds and by years",
        "keys of trust roots, allowed signers, policies, ages of attestations, statements of add-ons, certificates",
        "test/binary/clocks.test.ts",
      ),
      point(
        "a clock that jumps forth and back",
        "addon-stage, serve (tokens, record of events)",
        "test/binary/clocks.test.ts",
      ),
    ],
  },
  {
    name: "servers",
    title: "Hostile and broken servers",
    how:
      "Real sockets that send what no server should: wrong lengths, cuts, resets, stalls, redirects, endless headers " +
      "and bodies, other compressions, escape sequences, wrong digests, ranges of another object.",
    survived:
      "exit 0 only when the whole listing with exactly one row and the wanted digest in it was really sent, or the bytes " +
      "have the digest that was asked for; otherwise the right exit code within the deadline, memory bounded, and " +
      "nothing of the server's text active on a terminal or in a log.",
    isWide: false,
    minutes: 3,
    injections: [
      point(
        "servers that answer anything at all, lose answers and let others write in between",
        "promote and verify pin, in one process",
        "test/pins/invariant.property.test.ts",
      ),
      point("the same, against the program", "promote, verify pin", "test/pins/invariant.property.test.ts"),
      tests("answers that no server should give", "verify pin", "test/attacks/pin-answers.test.ts"),
      tests(
        "text of a server that does something",
        "promote, verify pin, capture",
        "test/attacks/server-text.test.ts",
      ),
      tests("TLS that breaks or is not theirs", "promote, verify pin", "test/attacks/spoilt-tls.test.ts"),
      tests("stores over HTTP that lie", "addon-stage", "test/stores/hostile-http.test.ts"),
      tests("transfers that break", "addon-stage", "test/stores/broken-transfer.test.ts"),
      tests("OCI registries that lie", "addon-stage, promote --image", "test/stores/oci-hostile.test.ts"),
      tests("lists of assignments that are wrong", "addon-stage", "test/attacks/addon-assignments.test.ts"),
    ],
  },
  {
    name: "cuts",
    title: "Answers and requests that end at each of their bytes",
    how:
      "A control plane ends the connection, by a close or a reset, after each number of bytes of an answer, its head " +
      "counted in: once, or every time. The write whose answer is cut was done, or it was not. A client of `serve` goes " +
      "away after each byte of a promotion and of an upload.",
    survived:
      "exit 0 only when the write was done and a whole listing showed it; otherwise a code that admits what is open (14), " +
      'or what a whole listing showed (8); never "nothing was sent" of a write that was. Nothing ' +
      "of a request that was cut counts, and nothing of it is left.",
    isWide: true,
    minutes: 2,
    injections: [
      point(
        "an answer that ends at each of its bytes, by a close or a reset",
        "promote: the listing before, the answer to a write that was done or not, the listing after",
        "test/pins/cut-answers.test.ts",
      ),
      point(
        "a request that ends at each of its bytes, by a close or a reset",
        "serve",
        "test/control-plane/http/cut-requests.test.ts",
      ),
    ],
  },
  {
    name: "disks",
    title: "Disks that are full, read-only or odd",
    how:
      "The root of a host, the data of a control plane, or the folder of an archive lies on a small tmpfs: of many sizes, " +
      "so that space ends at another place each time; without inodes, read-only, noexec, nosuid.",
    survived:
      "the old version or the new one, whole, with the code that says why; nothing is left behind; what was acknowledged " +
      "is there, reads go on; with more room the next run, or the same server, goes on. Each write to the server is a point.",
    isWide: true,
    minutes: 2,
    injections: [
      point(
        "an upgrade on a disk that is full after each 16 KiB",
        "addon-stage of a bundle",
        "test/attacks/addon-storage.test.ts",
      ),
      point(
        "writes to a control plane whose disk is full",
        "serve, on ten sizes of disk",
        "test/control-plane/storage/full-disk.test.ts",
      ),
      tests(
        "roots on odd disks, that sweep among them",
        "addon-stage, rollback, verify addon",
        "test/attacks/addon-storage.test.ts",
      ),
      tests(
        "a disk that is full in the middle of an archive",
        "capture",
        "test/context/archive-threads.test.ts",
      ),
    ],
  },
  {
    name: "races",
    title: "Races",
    how:
      "Two or more of them at once: operations on one root, another number of milliseconds apart in each round; servers " +
      "on one data folder and on one database, one of them killed; promotions of one pin.",
    survived:
      "all end with a code that is true; what is shown is whole and verified; one server of four listens; no acknowledged " +
      "write is lost and one chain holds; the pin is what the promotion that says so wrote, and under " +
      "`--expect-previous` exactly one says 0.",
    isWide: true,
    minutes: 3,
    injections: [
      point(
        "two operations on one root, some milliseconds apart",
        "stage, rollback, gc, fsck --repair, import, export, in eight pairs",
        "test/addons/race-rounds.test.ts",
      ),
      tests("many runs on one root, and its lock", "addon-stage, rollback, pin", "test/addons/races.test.ts"),
      point(
        "four serves that start at once on one data folder",
        "serve, on SQLite",
        "test/control-plane/races.test.ts",
      ),
      point(
        "two serves on one PostgreSQL database, one of them killed in a stream of writes",
        "serve",
        "test/control-plane/races.test.ts",
      ),
      point("two promotes of one pin at once", "promote, serve", "test/control-plane/races.test.ts"),
      tests(
        "others that write between a read and a write",
        "promote, verify pin",
        "test/commands/cases-races.test.ts",
      ),
    ],
  },
  {
    name: "archives",
    title: "Hostile archives, trees and repositories",
    how:
      "Archives with names that lead out, links, devices, sizes that lie, bombs, checksums that are wrong; folders and " +
      "repositories that try to run something, to answer for another file, or to hang a reader.",
    survived:
      "refused with a code, or read as what it is; nothing outside the folder changed, nothing of it ran.",
    isWide: false,
    minutes: 2,
    injections: [
      tests("headers of tar", "the unpacker", "test/attacks/tar-headers.test.ts"),
      tests("gzip and zstd streams", "the unpacker", "test/attacks/tar-compression.test.ts"),
      tests("a suite of cases", "the unpacker", "test/attacks/tar-conformance.test.ts"),
      tests("folders that are hostile", "every command", "test/attacks/hostile-folder.test.ts"),
      tests("filters and conversions of git", "capture", "test/attacks/git-filters.test.ts"),
      tests("programs that a repository names", "capture", "test/attacks/git-programs.test.ts"),
    ],
  },
];

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
