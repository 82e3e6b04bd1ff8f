import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import type { JsonValue } from "../base/json.ts";
import { printable } from "../base/printable.ts";
import { defineCommand, type Command, type JsonObject, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { compareOperands, type Compared } from "../context/diff.ts";
import { bytesOf, shownText } from "../context/byte-path.ts";
import { pathMembers } from "../context/git-document.ts";
import type { Leaf, PathDifference } from "../context/tree-difference.ts";
import { TIME_BUDGET_FLAG, refuseTwoIgnoreRules } from "./context-flags.ts";

const FLAGS = {
  a: { type: "positional", required: true, description: "a capture, manifest, archive, folder or commit" },
  b: { type: "positional", required: true, description: "another one; commits are git:REV or REV:path" },
  dockerfile: { type: "string", valueHint: "FILE", description: "for folders: the Dockerfile" },
  "ignore-file": {
    type: "string",
    valueHint: "FILE",
    description: "for folders: the ignore file, in place of Docker's choice",
  },
  "no-ignore": { type: "boolean", description: "for folders: let no ignore file leave anything out" },
  repo: { type: "string", valueHint: "DIR", description: "the repository that commits are looked up in" },
  ...TIME_BUDGET_FLAG,
} as const;

export const diffCommand: Command = defineCommand({
  name: "diff",
  description: "which files make two captures, archives, folders or commits differ, and how",
  args: FLAGS,
  examples: [
    "waybill diff git:HEAD .",
    "waybill diff before.jsonl after.jsonl --json",
    "waybill diff context.tar.gz HEAD:app",
    "waybill diff capture.json .",
  ],
  exits: ["policy", "untrusted", "missing", "mismatch", "protocol", "interrupted", "terminated"],
  emptyDocument: { checked: 0, differences: [] },
  act: diffAct,
});

/** Paths that the text names; the JSON document has all of them. */
const SHOWN = 200;

async function diffAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  refuseTwoIgnoreRules(flags);
  const compared = await compareOperands(
    {
      a: flags.a,
      b: flags.b,
      repo: flags.repo ?? ".",
      cwd: world.cwd,
      dockerfile: flags.dockerfile,
      ignoreFile: flags["ignore-file"],
      noIgnore: flags["no-ignore"],
      env: world.env,
      gitBudgetMs: parseDuration(flags["time-budget"], "--time-budget"),
    },
    world.stop,
  );
  return outcomeOf(compared);
}

function outcomeOf({ a, b, checked, digests, differences, notCompared, fields }: Compared): Outcome {
  const different = differences.length > 0 || digests.some(({ equal }) => !equal);
  const counts: Record<string, number> = {};
  for (const { how } of differences) counts[how] = (counts[how] ?? 0) + 1;
  const found = [
    ...Object.entries(counts).map(([how, count]) => `${count} ${how}`),
    ...digests.filter(({ equal }) => !equal).map(({ name }) => `another ${name}`),
  ];
  const failure = different
    ? new Failure("trees_differ", `${printable(a.name)} and ${printable(b.name)} differ: ${found.join(", ")}`)
    : checked === 0
      ? new Failure("nothing_checked", "there is nothing to compare on either side")
      : null;
  return {
    exit: failure?.exitCode ?? EXIT.ok,
    document: {
      checked,
      a: { kind: a.kind, name: a.name },
      b: { kind: b.kind, name: b.name },
      counts,
      differences: differences.map(differenceDocument),
      digests: digests.map((one) => ({ ...one })),
      fields: fields.map((one) => ({ ...one })),
      not_compared: notCompared.map((path) => pathMembers(bytesOf(path))),
      ...(failure === null ? {} : { error: failure.toDocument() }),
    },
    text: textOf({ differences, digests, fields, checked }, different),
    failures: failure === null ? [] : [failure],
  };
}

function differenceDocument({ path, how, a, b }: PathDifference): JsonObject {
  return { ...pathMembers(bytesOf(path)), how, a: sideDocument(a), b: sideDocument(b) };
}

function sideDocument(leaf: Leaf | null): JsonObject | null {
  return leaf === null
    ? null
    : { mode: leaf.mode, size: leaf.size, sha256: leaf.sha256, git_blob: leaf.blob };
}

function textOf(
  { differences, digests, fields, checked }: Pick<Compared, "differences" | "digests" | "fields" | "checked">,
  different: boolean,
): string {
  if (!different) return `equal: ${checked} compared\n`;
  const lines = differences
    .slice(0, SHOWN)
    .map(({ path, how }) => `${how.padEnd(9)} ${printable(shownText(path))}`);
  if (differences.length > SHOWN) lines.push(`… and ${differences.length - SHOWN} more; --json has all`);
  for (const { name, a, b, equal } of digests) if (!equal) lines.push(`${name}: ${a} and ${b}`);
  for (const { name, a, b } of fields) lines.push(printable(`${name}: ${toldFact(a)} and ${toldFact(b)}`));
  return `${lines.join("\n")}\n`;
}

function toldFact(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
