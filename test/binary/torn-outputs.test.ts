import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, runWaybill } from "../support/binary.ts";
import { HAS_STRACE, runFaulty, type Fault, type Faulty } from "../support/faults.ts";
import { pointsOf } from "../support/points.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { OUTPUTS, Workshop, type Output } from "./outputs.ts";

/**
 * Every command that writes a file is killed, and its calls fail, at each call of each kind while it does. What stands
 * under the name afterwards is what stood there before, or all of the new; and the next run writes it.
 */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const KILLED = pointsOf("SIGKILL at each call while a file is written");
const FAILED = pointsOf("ENOSPC, EIO or EMFILE at each of them");

const workshop = new Workshop();
beforeAll(() => workshop.prepare());
afterAll(() => workshop[Symbol.asyncDispose]());

/** Kind of calls, the first of them that is not the runtime's own start, how it fails. */
const CALLS: readonly (readonly [string, number, readonly string[]])[] = [
  ["openat", 18, ["ENOSPC", "EIO", "EMFILE"]],
  ["write,pwrite64,writev,ftruncate", 1, ["ENOSPC", "EIO"]],
  ["fchmod,chmod,fchmodat", 1, ["EIO"]],
  ["fsync,fdatasync", 1, ["ENOSPC", "EIO"]],
  ["rename,renameat,renameat2,link,linkat", 1, ["ENOSPC", "EIO"]],
  ["unlink,unlinkat", 1, ["EIO"]],
  ["mmap", 60, []],
];
const FAULTS: readonly Fault[] = CALLS.flatMap(([calls, from, errors]) =>
  ["signal=KILL", ...errors.map((error) => `error=${error}`)].map((effect) => ({
    calls,
    effect,
    when: from,
  })),
);
const isFew = ({ calls, effect }: Fault): boolean =>
  effect === "signal=KILL"
    ? /^(?:rename|write)/u.test(calls)
    : effect === "error=ENOSPC" && calls.startsWith("write");

const MOST_CALLS = 300;

describe.skipIf(!HAS_STRACE || BINARY === null)("a file that is written by", () => {
  test.concurrent.each(OUTPUTS.map((output): [string, Output] => [output.name, output]))(
    "%s",
    async (_name, output) => {
      const place = workshop.place(output.name);
      for (const fault of FAULTS.filter((one) => FULL || isFew(one))) {
        for (let step = 0; step < (FULL ? MOST_CALLS : 1); step++) {
          const now = { ...fault, when: fault.when + step };
          restore(place, output);
          const ran = await runFaulty([...output.words(workshop), "--json"], now, join(place, "log"), {
            cwd: place,
            env: workshop.env,
          });
          const survive = async (): Promise<void> => {
            check(place, output, ran, now);
            await again(place, output, now);
          };
          if (!ran.wasHit) {
            await survive();
            break;
          }
          await (now.effect === "signal=KILL" ? KILLED : FAILED).try(survive);
        }
      }
    },
    FULL ? 1_800_000 : 60_000,
  );
});

function restore(place: string, { files, before }: Output): void {
  rmSync(join(place, "out"), { recursive: true, force: true });
  mkdirSync(join(place, "out"));
  if (before !== null) for (const file of files) writeFileSync(join(place, "out", file), before);
}

/** What lies in `out`, by name: old, new, gone, or half with the reason. */
function stateOf(place: string, { files, before, isWhole }: Output): Map<string, string> {
  return new Map(
    files.map((file) => {
      let bytes: Buffer | null = null;
      try {
        bytes = readFileSync(join(place, "out", file));
      } catch {
        // It is not there.
      }
      if (bytes === null ? before === null : bytes.toString() === before) return [file, "old"];
      if (bytes === null) return [file, "gone"];
      try {
        return [file, isWhole(bytes, file, workshop) ? "new" : `half: ${bytes.length} bytes`];
      } catch (error) {
        return [file, `half: ${String(error)}`];
      }
    }),
  );
}

function check(place: string, output: Output, ran: Faulty, fault: Fault): void {
  const state = [...stateOf(place, output).values()];
  const told = { ...fault, code: ran.code, name: output.name };
  expect({ ...told, wrong: state.filter((one) => one !== "old" && one !== "new") }).toEqual({
    ...told,
    wrong: [],
  });
  if (ran.code === 0) expect({ ...told, state }).toEqual({ ...told, state: state.map(() => "new") });
  // A full disk is no fault of ours. No disk is full for who opens a file to read it.
  const said = fault.effect === "error=ENOSPC" && fault.calls !== "openat" ? ran.stderr : "";
  expect({ ...told, said, blamed: said.includes("unexpected: ") }).toEqual({ ...told, said, blamed: false });
  // A killed run cleans up nothing, and nobody can when removing itself fails.
  if (ran.code === 137 || fault.calls.startsWith("unlink")) return;
  const others = readdirSync(join(place, "out")).filter((name) => !output.files.includes(name));
  expect({ ...told, others }).toEqual({ ...told, others: [] });
}

async function again(place: string, output: Output, fault: Fault): Promise<void> {
  // What must be free is free again only when its user moves it away.
  const isDone = output.before === null && [...stateOf(place, output).values()].includes("new");
  if (isDone) return;
  const ran = await runWaybill([...output.words(workshop), "--json"], { cwd: place, env: workshop.env });
  const told = { ...fault, name: output.name };
  expect({ ...told, code: ran.code, said: ran.code === 0 ? "" : ran.stdout }).toEqual({
    ...told,
    code: 0,
    said: "",
  });
  for (const [file, state] of stateOf(place, output)) expect([file, state]).toEqual([file, "new"]);
}

test.skipIf(!HAS_STRACE || BINARY === null)(
  "a key gets its name on a file system without hard links too, and never in another's place",
  async () => {
    using folder = temporaryFolder();
    const words = ["key", "new", "--out", "key", "--json"];
    const none: Fault = { calls: "link,linkat", effect: "error=EOPNOTSUPP", when: 1 };
    const made = await runFaulty(words, none, folder.at("log"), { cwd: folder.path });
    expect([made.code, made.wasHit]).toEqual([0, true]);
    expect(readdirSync(folder.path).toSorted()).toEqual(["key", "key.pub", "log"]);
    expect(statSync(folder.at("key")).mode & 0o777).toBe(0o600);
    const shown = await runWaybill(["key", "show", "key", "--json"], { cwd: folder.path });
    expect([shown.code, readFileSync(folder.at("key"), "utf8").length > 100]).toEqual([0, true]);
    rmSync(folder.at("key"));
    // Its public half is in the way, and the private one does not stay alone.
    const again = await runFaulty(words, none, folder.at("log"), { cwd: folder.path });
    expect(JSON.parse(again.stdout)).toMatchObject({ exit_code: 2, error: { code: "file_exists" } });
    expect(readdirSync(folder.path).toSorted()).toEqual(["key.pub", "log"]);
  },
);
