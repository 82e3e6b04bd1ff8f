import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { findingsOf } from "../../src/commands/doctor-findings.ts";
import type { Machine } from "../../src/host/machine.ts";
import { BINARY, jsonOf, runWaybill } from "../support/binary.ts";

setDefaultTimeout(120_000);

const GOOD: Machine = {
  platform: "linux/x64",
  libc: "glibc",
  proc: true,
  temporary: { path: "/tmp", problem: null, freeBytes: 1e10 },
  memoryLimit: null,
  openFiles: 1024,
  resolver: true,
  flock: true,
};
const FINE = { hashing: true, signatures: true, git: true };
const NOW = new Date("2027-01-01T00:00:00Z");

type Change = Partial<{
  machine: Partial<Machine>;
  env: Record<string, string>;
  tests: Partial<typeof FINE>;
  built: Date;
}>;

function notFine({ machine, env, tests, built }: Change): string[] {
  return findingsOf(
    { ...GOOD, ...machine },
    { HOME: "/root", ...env },
    { ...FINE, ...tests },
    NOW,
    built ?? null,
  )
    .filter(({ state }) => state !== "ok")
    .map(({ name, state, hint }) => `${name} ${state}${hint === undefined ? " without a hint" : ""}`);
}

describe("what the doctor finds", () => {
  const cases: [string, Change, string[]][] = [
    ["nothing on a good machine", {}, []],
    ["no /proc", { machine: { proc: false } }, ["proc limited"]],
    ["/proc where there is none", { machine: { proc: null } }, []],
    [
      "a temporary folder that cannot be written",
      { machine: { temporary: { path: "/tmp", problem: "EROFS", freeBytes: null } } },
      ["temporary folder limited"],
    ],
    [
      "a full temporary folder",
      { machine: { temporary: { path: "/tmp", problem: null, freeBytes: 10 } } },
      ["temporary folder limited"],
    ],
    ["little memory", { machine: { memoryLimit: 1e8 } }, ["memory limited"]],
    ["enough memory", { machine: { memoryLimit: 268_435_456 } }, []],
    ["few files", { machine: { openFiles: 64 } }, ["open files limited"]],
    ["no name server", { machine: { resolver: false } }, ["names limited"]],
    ["no locks", { machine: { flock: false } }, ["locks limited"]],
    ["another system", { machine: { platform: "darwin/arm64", libc: undefined } }, ["platform limited"]],
    ["no git", { tests: { git: false } }, ["git limited"]],
    ["hashes that disagree", { tests: { hashing: false } }, ["hashing unfit"]],
    ["signatures that disagree", { tests: { signatures: false } }, ["signatures unfit"]],
    ["a clock before the build", { built: new Date("2027-01-02T00:00:00Z") }, ["clock unfit"]],
    ["no HOME", { env: { HOME: "" } }, []],
    ["a preloaded library", { env: { LD_PRELOAD: "/x.so" } }, ["$LD_PRELOAD limited"]],
    [
      "certificates turned off",
      { env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } },
      ["$NODE_TLS_REJECT_UNAUTHORIZED limited"],
    ],
  ];
  test.each(cases)("%s", (_what, change, wanted) => {
    expect(notFine(change)).toEqual(wanted);
  });
});

describe("waybill doctor", () => {
  test("names the digest of the executable that runs", async () => {
    const finished = await runWaybill(["doctor", "--json"]);
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    const document = jsonOf(finished);
    if (BINARY !== null) {
      const digest = new Bun.CryptoHasher("sha256").update(await Bun.file(BINARY).bytes()).digest("hex");
      expect(document).toMatchObject({ executable: BINARY, sha256: digest });
    }
    expect(document["checked"]).toBeGreaterThan(10);
  });

  test("shows names of variables and never what is in them", async () => {
    const env = {
      LD_LIBRARY_PATH: "/nonexistent/secret-place",
      HTTPS_PROXY: "http://user:secret-word@127.0.0.1:1",
    };
    const finished = await runWaybill(["doctor"], { env });
    expect(finished.code).toBe(0);
    expect(finished.stdout).toContain("$LD_LIBRARY_PATH");
    expect(finished.stdout).not.toMatch(/secret-(?:place|word)/u);
  });
});
