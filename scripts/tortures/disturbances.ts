import { point, tests, type Group } from "./group.ts";

/** What happens to the program while it works: crashes, failing calls, full disks, others beside it. */
export const DISTURBANCES: readonly Group[] = [
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
      "another moment in each round, on the same data; then it is started again. A day of everything that it does (pins, " +
      "stops, uploads, builds, packages, assignments, labels, reports, statements, tokens) goes on over a kill between every two requests.",
    survived:
      "each write that was acknowledged is there; the chain of events holds, and goes on from the head that was noted " +
      "before the crash. Each acknowledged write is a point. On the day each answer, and the record at its end, is that of " +
      "the same day without a kill.",
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
      point(
        "SIGKILL of serve between every two requests of a day, on SQLite",
        "serve",
        "test/control-plane/killed-day.test.ts",
      ),
      point(
        "SIGKILL of serve between every two requests of a day, on PostgreSQL",
        "serve",
        "test/control-plane/killed-day.test.ts",
      ),
      tests(
        "what a crash leaves, databases that are not there, backups while it is written",
        "serve",
        "test/control-plane/storage/serve-storage.test.ts",
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
];
