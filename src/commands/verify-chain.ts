import { resolve } from "node:path";
import { EXIT } from "../base/exit-codes.ts";
import { isSha256 } from "../base/digest.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import type { Outcome, World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { ChainCheck, type ChainReport, type EventHead } from "../control-plane/events/event-chain.ts";
import { readEventPage, readExportLine } from "../control-plane/events/event-document.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { PendingFile, readBounded, whyUnwritten } from "../host/files.ts";
import { readStandardInput } from "../host/standard-input.ts";
import { readPage, type Exchange } from "../pins/pin-client.ts";
import type { Target } from "../pins/target.ts";
import { inEnvironment } from "./leg-words.ts";
import { readExchange, type PLACE_FLAGS } from "./pin-flags.ts";
import { readTargets } from "./pin-targets.ts";

export const CHAIN_FLAGS = {
  chain: { type: "boolean", description: "check the record of events of each control plane" },
  events: { type: "string", valueHint: "FILE|-", description: "check a record that was exported" },
  export: { type: "string", valueHint: "FILE", description: "with --chain, keep what was checked" },
  "expect-head": {
    type: "string",
    valueHint: "SEQ:SHA256",
    description: "an event that an earlier check ended with has to be there still",
  },
} as const;

type Given = Values<typeof PLACE_FLAGS & typeof CHAIN_FLAGS>;

export function asksForChain(flags: Values<typeof CHAIN_FLAGS>): boolean {
  const { chain, events, export: file, "expect-head": head } = flags;
  if (chain && events !== undefined)
    throw new Failure("flags_contradict", "--chain and --events exclude each other");
  if (!chain && events === undefined && (file !== undefined || head !== undefined)) {
    throw new Failure("flag_missing", "--export and --expect-head need --chain or --events");
  }
  if (events !== undefined && file !== undefined) {
    throw new Failure("flags_contradict", "--export keeps what --chain reads");
  }
  return chain || events !== undefined;
}

type Checked = { readonly name: string; readonly report: ChainReport } | { readonly failure: Failure };

/** Checks records of events, of servers or of a file. */
export async function verifyChain(flags: Given, world: World): Promise<Outcome> {
  const noted = readHead(flags["expect-head"]);
  const checked =
    flags.events === undefined
      ? await checkServers(flags, noted, world)
      : [checkFile(flags.events, noted, world)];
  const reports = checked.flatMap((one) => ("report" in one ? [one] : []));
  const failures = checked.flatMap((one) =>
    "failure" in one ? [one.failure] : failuresOf(one.name, one.report),
  );
  const worst = failures.find(({ code }) => code === "audit_broken") ?? failures[0];
  return {
    exit: worst === undefined ? EXIT.ok : worst.exitCode,
    document: {
      checked: reports.reduce((sum, { report }) => sum + report.checked, 0),
      chains: reports.map(({ name, report }) => ({ name, ...report, head: { ...report.head } })),
    },
    text: reports
      .filter(({ report }) => report.problem === null && report.checked > 0)
      .map(
        ({ name, report: { head, checked: n } }) =>
          `OK      ${name}: ${n} events, head ${head.seq}:${head.sha256}\n`,
      )
      .join(""),
    failures,
  };
}

function failuresOf(name: string, { problem, checked }: ChainReport): Failure[] {
  if (problem !== null)
    return [new Failure("audit_broken", `the record of ${name} is not whole: ${problem}`)];
  return checked > 0
    ? []
    : [new Failure("nothing_checked", `the record of ${name} has no event with a digest`)];
}

function readHead(text: string | undefined): EventHead | null {
  if (text === undefined) return null;
  const [, seq = "", sha256 = ""] = /^([1-9]\d{0,14}):(.+)$/u.exec(text) ?? [];
  if (isSha256(sha256)) return { seq: Number(seq), sha256 };
  throw new Failure(
    "invalid_value",
    `--expect-head is ${quoted(text)}; wanted SEQ:SHA256 as an earlier check printed it`,
  );
}

async function checkServers(flags: Given, noted: EventHead | null, world: World): Promise<Checked[]> {
  const targets = readTargets(flags, world);
  if (targets.length !== 1 && (noted !== null || flags.export !== undefined)) {
    throw new Failure("flags_contradict", "--export and --expect-head are about one control plane", {
      hint: `name one target in place of ${targets.length}`,
    });
  }
  const exchange = readExchange(flags, world);
  const timeoutMs = parseDuration(flags.timeout, "--timeout");
  const file = flags.export === undefined ? null : new Export(resolve(world.cwd, flags.export));
  try {
    const checked: Checked[] = [];
    for (const target of targets) checked.push(await checkServer(target, exchange, noted, file, timeoutMs));
    if (checked.every((one) => "report" in one)) file?.commit();
    return checked;
  } finally {
    file?.discard();
  }
}

/** The file of `--export`. Every method throws Failure `file_exists` or `output_not_written`. */
class Export {
  readonly #path: string;
  readonly #file: PendingFile;

  constructor(path: string) {
    this.#path = path;
    this.#file = this.#writing(() => new PendingFile(path, 0o600));
  }

  write(line: object): void {
    this.#writing(() => this.#file.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`)));
  }

  commit(): void {
    this.#writing(() => this.#file.commit());
  }

  discard(): void {
    this.#file.discard();
  }

  #writing<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (error instanceof Failure) throw error;
      const text = `--export: ${quoted(this.#path)} cannot be written: ${whyUnwritten(error)}`;
      throw new Failure("output_not_written", text, { cause: error });
    }
  }
}

async function checkServer(
  target: Target,
  exchange: Exchange,
  noted: EventHead | null,
  file: Export | null,
  timeoutMs: number,
): Promise<Checked> {
  const end = SYSTEM_CLOCK.now() + timeoutMs;
  const check = new ChainCheck(noted);
  try {
    for (;;) {
      const path = `/v1/events?after=${check.seq}`;
      const body = await readPage(target, exchange, {
        path,
        what: "the record of events",
        maxBytes: LIMITS.eventPageBytes,
      });
      const { events, head } = readEventPage(body, target.env);
      for (const event of events) {
        check.add(event);
        file?.write(event);
      }
      // A page that brings nothing new is the last one, whatever the head says of it.
      if (events.length === 0 || !check.holds || check.seq >= head.seq) {
        file?.write({ head });
        return { name: target.env, report: check.report(head) };
      }
      if (SYSTEM_CLOCK.now() >= end) throw tooLong(check.seq, head.seq, timeoutMs);
    }
  } catch (error) {
    return { failure: inEnvironment(target.env, asFailure(error)) };
  }
}

function tooLong(read: number, last: number, timeoutMs: number): Failure {
  const message = `after ${timeoutMs / 1000} s the record of events was read up to ${read} of ${last}`;
  return new Failure("deadline_passed", message, { hint: "give it a longer --timeout" });
}

function checkFile(path: string, noted: EventHead | null, world: World): Checked {
  const bytes =
    path === "-"
      ? readStandardInput(LIMITS.eventExportBytes, "--events")
      : readBounded(resolve(world.cwd, path), LIMITS.eventExportBytes, "--events");
  const check = new ChainCheck(noted);
  let told: EventHead | null = null;
  const lines = new TextDecoder().decode(bytes).split("\n");
  if (lines.pop() !== "") throw new Failure("audit_broken", "--events: the last line has no end");
  for (const [at, text] of lines.entries()) {
    const line = readExportLine(text, at + 1);
    if (told !== null) throw new Failure("audit_broken", `--events: line ${at + 1} comes after the end`);
    if ("head" in line) told = line.head;
    else check.add(line.event);
  }
  return { name: path === "-" ? "standard input" : quoted(path), report: check.report(told) };
}
