import { isBehindBuild } from "../base/build-time.ts";
import type { Machine } from "../host/machine.ts";

/** `limited`: some commands cannot do all that they are for. `unfit`: no result of this machine can be trusted. */
export type Finding = {
  readonly name: string;
  readonly state: "ok" | "limited" | "unfit";
  readonly found: string;
  readonly hint?: string;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the program tried on itself. */
export type SelfTest = { readonly hashing: boolean; readonly signatures: boolean; readonly git: boolean };

const LEAST_MEMORY = 256 * 1024 * 1024;
const LEAST_FILES = 256;
const LEAST_TEMPORARY = 64 * 1024 * 1024;

/** What the facts mean for those who run waybill here. Pure: the facts come in as values. */
export function findingsOf(
  machine: Machine,
  env: Environment,
  tests: SelfTest,
  now: Date,
  builtAt: Date | null,
): Finding[] {
  return [
    platform(machine),
    tests.hashing
      ? ok("hashing", "the runtime's SHA-256 agrees with @noble/hashes")
      : unfit(
          "hashing",
          "two implementations of SHA-256 disagree",
          "the binary or the processor is damaged; fetch it again",
        ),
    tests.signatures
      ? ok("signatures", "two implementations of Ed25519 agree")
      : unfit(
          "signatures",
          "two implementations of Ed25519 disagree",
          "the binary or the processor is damaged; fetch it again",
        ),
    clock(now, builtAt),
    procFiles(machine),
    temporary(machine),
    machine.flock
      ? ok("locks", "flock of the C library")
      : limited("locks", "no flock", "addon-stage and attest --format jsonl need it; run them on Linux"),
    memory(machine),
    openFiles(machine),
    machine.resolver
      ? ok("names", "/etc/resolv.conf names a server")
      : limited("names", "/etc/resolv.conf names no server", "hosts can be reached by their address only"),
    certificates(env),
    tests.git
      ? ok("git", "is there")
      : limited(
          "git",
          "is not there",
          "capture then reads .git itself and cannot know whether the tree is dirty",
        ),
    home(env),
    ...variables(env),
  ];
}

function ok(name: string, found: string): Finding {
  return { name, state: "ok", found };
}

function limited(name: string, found: string, hint: string): Finding {
  return { name, state: "limited", found, hint };
}

function unfit(name: string, found: string, hint: string): Finding {
  return { name, state: "unfit", found, hint };
}

function platform({ platform: name, libc }: Machine): Finding {
  const found = libc === undefined ? name : `${name}, ${libc}`;
  if (name.startsWith("linux/")) return ok("platform", found);
  return limited("platform", found, "commands about the add-ons of a host are for Linux");
}

function clock(now: Date, builtAt: Date | null): Finding {
  const found = now.toISOString();
  // No run can be earlier than the commit that it was built from.
  return isBehindBuild(now, builtAt)
    ? unfit(
        "clock",
        `${found}, before this binary was made`,
        "set the clock: certificates and expiry cannot be judged",
      )
    : ok("clock", found);
}

function procFiles({ proc }: Machine): Finding {
  if (proc !== false) return ok("proc", proc === null ? "not needed here" : "/proc is mounted");
  return limited(
    "proc",
    "/proc is not mounted",
    "mount it: the runtime may end without a word, and threads are not counted",
  );
}

function temporary({ temporary: { path, problem, freeBytes } }: Machine): Finding {
  const hint =
    "set TMPDIR to a folder that can be written: capture --submit and --digest tar_sha256 need one";
  if (problem !== null) return limited("temporary folder", `${path} cannot be written (${problem})`, hint);
  const mebibytes = Math.floor((freeBytes ?? 0) / 1_048_576);
  return (freeBytes ?? 0) < LEAST_TEMPORARY
    ? limited("temporary folder", `${path} has ${mebibytes} MiB free`, hint)
    : ok("temporary folder", `${path}, ${mebibytes} MiB free`);
}

function memory({ memoryLimit }: Machine): Finding {
  if (memoryLimit === null) return ok("memory", "no limit of a control group");
  const found = `${Math.floor(memoryLimit / 1_048_576)} MiB`;
  return memoryLimit < LEAST_MEMORY
    ? limited("memory", found, "give it 256 MiB: less is not tested")
    : ok("memory", found);
}

function openFiles({ openFiles: most }: Machine): Finding {
  if (most === null) return ok("open files", "unknown");
  return most < LEAST_FILES
    ? limited("open files", String(most), "raise it (ulimit -n 256): a capture has many files open")
    : ok("open files", String(most));
}

function certificates(env: Environment): Finding {
  const named = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"].filter((name) => isSet(env, name));
  return ok(
    "certificates",
    named.length === 0 ? "those inside the binary" : `those inside the binary, and $${named.join(", $")}`,
  );
}

function home(env: Environment): Finding {
  return ok("home", isSet(env, "HOME") ? "HOME is set" : "HOME is not set; nothing here needs it");
}

/** Variables that change what any program does, and what they do to this one. docs/security.md has the whole list. */
const DANGEROUS: Readonly<Record<string, string>> = {
  LD_PRELOAD: "the loader runs foreign code inside this process before waybill can look",
  LD_LIBRARY_PATH: "the loader may take foreign libraries",
  LD_AUDIT: "the loader runs foreign code inside this process before waybill can look",
  BUN_CONFIG_VERBOSE_FETCH: "waybill keeps its own requests silent; unset it all the same",
  NODE_TLS_REJECT_UNAUTHORIZED: "waybill verifies certificates all the same; unset it",
};

function variables(env: Environment): Finding[] {
  return Object.entries(DANGEROUS)
    .filter(([name]) => isSet(env, name))
    .map(([name, what]) => limited(`$${name}`, "is set", what));
}

function isSet(env: Environment, name: string): boolean {
  return (env[name] ?? "") !== "";
}
