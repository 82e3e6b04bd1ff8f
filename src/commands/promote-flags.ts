import { parseImageDigest } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { fitNotes } from "../pins/notes.ts";
import type { Force, PinNote } from "../pins/pin.ts";
import type { PromotionRules } from "../pins/promotion-rules.ts";
import { readCi } from "../source/ci.ts";
import { readCount } from "./counts.ts";
import { readCommit, type PinFlags } from "./pin-flags.ts";

/** The flags of `promote` alone. */
export const PROMOTE_FLAGS = {
  notes: { type: "string", valueHint: "TEXT", description: "kept with the pin" },
  for: {
    type: "string",
    valueHint: "30s",
    default: "30s",
    description: "how long to read back until it is equal",
  },
  "conflict-budget": {
    type: "string",
    valueHint: "180s",
    default: "180s",
    description: "how long to wait out a 409",
  },
  "dry-run": {
    type: "boolean",
    description: "read and judge, write nothing; 20 when a promotion would change something",
  },
  touch: { type: "boolean", description: "write also where the digest is pinned already" },
  "no-verify": { type: "boolean", description: "read nothing back; the run ends with 14" },
  "expect-previous": {
    type: "string",
    valueHint: "DIGEST|none",
    description: "write only over this digest, or only where no pin is",
  },
  seq: {
    type: "string",
    valueHint: "N",
    description: "the number of this build; it never replaces one with a higher number",
  },
  superseded: {
    type: "string",
    valueHint: "ok|fail",
    default: "ok",
    description: "how a run ends whose build is older than the pinned one",
  },
  "allow-rollback": { type: "boolean", description: "an older build may replace a newer one" },
  "break-glass": {
    type: "boolean",
    description: "write although the pin is held or vetoed, or the environment frozen; needs an admin token",
  },
  reason: {
    type: "string",
    valueHint: "TEXT",
    description: "why; kept in the history, required by --allow-rollback and --break-glass",
  },
} as const;

type Flags = Values<typeof PROMOTE_FLAGS> & PinFlags;

export function readNote(flags: Flags, world: World): PinNote {
  const gitSha = readCommit(flags["git-sha"] ?? world.env["GIT_SHA"]);
  const notes = flags.notes === undefined ? undefined : fitNotes(flags.notes);
  return { gitSha, notes, seq: readSeq(flags.seq), force: readForce(flags) };
}

function readSeq(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/u.test(text)) return Number(text);
  throw new Failure("invalid_value", `--seq is ${quoted(text)}; wanted a whole number`, {
    hint: "a number that only grows, such as the run number of the CI system",
  });
}

function readForce(flags: Flags): Force | undefined {
  const { reason } = flags;
  const [rollback, breakGlass] = [flags["allow-rollback"], flags["break-glass"]];
  if (!rollback && !breakGlass) {
    if (reason === undefined) return undefined;
    throw new Failure("flag_missing", "--reason has no meaning without --allow-rollback or --break-glass");
  }
  const shown = printable(reason ?? "", 300);
  if (shown !== "") return { reason: shown, rollback, breakGlass };
  const flag = rollback ? "--allow-rollback" : "--break-glass";
  throw new Failure("flag_missing", `${flag} needs --reason`, {
    hint: "say why; the history of the pin keeps it",
  });
}

export function readRules(flags: Flags, pins: number): PromotionRules {
  const intervalMs = parseDuration(flags["retry-interval"], "--retry-interval");
  if (flags["dry-run"] && flags["no-verify"])
    throw new Failure("flags_contradict", "--dry-run and --no-verify contradict each other");
  if (flags["no-verify"] && flags["git-sha-must-match"])
    throw new Failure("flags_contradict", "--no-verify and --git-sha-must-match contradict each other");
  const expected = flags["expect-previous"];
  if (expected !== undefined && pins > 1)
    throw new Failure("flags_contradict", "--expect-previous is for one pin; several are named");
  return {
    timeoutMs: parseDuration(flags.timeout, "--timeout"),
    conflictBudgetMs: parseDuration(flags["conflict-budget"], "--conflict-budget"),
    retryIntervalMs: intervalMs,
    readBack: {
      until: "equal",
      forMs: parseDuration(flags.for, "--for"),
      stable: readCount(flags.stable, "--stable"),
      // The first read-back is usually right; a replica that lags is asked again soon.
      intervalMs: Math.min(intervalMs, 1_000),
    },
    dryRun: flags["dry-run"],
    unverified: flags["no-verify"],
    touch: flags.touch,
    superseded: readSuperseded(flags.superseded),
    expectPrevious:
      expected === undefined || expected === "none"
        ? expected
        : parseImageDigest(expected, "--expect-previous"),
  };
}

function readSuperseded(text: string): "ok" | "fail" {
  if (text === "ok" || text === "fail") return text;
  throw new Failure("invalid_value", `--superseded is ${quoted(text)}; wanted ok or fail`);
}

/** What the attempts of one CI run have in common; a run outside of CI is one of its own. */
export function readRun(world: World): string {
  // The attempts of one run are one run.
  const url = readCi(world.env, null)?.runUrl?.replace(/\/attempts\/\d+$/u, "");
  const jenkins = world.env["BUILD_URL"] ?? "";
  return url ?? (jenkins === "" ? crypto.randomUUID() : jenkins);
}
