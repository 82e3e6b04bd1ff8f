import { statSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { readBounded, reason } from "../host/files.ts";
import {
  capturedSource,
  compareSource,
  objectFormatOf,
  type CapturedSource,
  type SourceComparison,
} from "../context/verify-source.ts";
import { compareArchive } from "../context/archive-comparison.ts";
import { readArchiveSource } from "../context/read-archive.ts";
import { contextRoot } from "../context/capture-context.ts";
import { describeDifferences, explainByCommit, type Explanation } from "../context/explain-by-commit.ts";
import { readFolder, rulesOfCapture } from "../context/read-folder.ts";
import { TIME_BUDGET_FLAG, refuseTwoIgnoreRules } from "./context-flags.ts";

const FLAGS = {
  context: {
    type: "positional",
    required: true,
    description: "a clone, a folder, or an archive: .tar, .tar.gz or .tar.zst",
  },
  capture: {
    type: "string",
    required: true,
    valueHint: "FILE",
    description: "the document of: waybill capture --json",
  },
  dockerfile: {
    type: "string",
    valueHint: "FILE",
    description: "the Dockerfile, where it is not the captured one",
  },
  "ignore-file": {
    type: "string",
    valueHint: "FILE",
    description: "the ignore file, where it is not the captured one",
  },
  "no-ignore": { type: "boolean", description: "let no ignore file leave anything out" },
  "include-vcs": { type: "boolean", description: "keep .git in, as the capture did" },
  ...TIME_BUDGET_FLAG,
} as const;

export const verifySource: Command = defineCommand({
  name: "source",
  description: "prove that a clone, a folder or an archive is what was captured, or say what differs",
  args: FLAGS,
  examples: [
    "waybill verify source . --capture capture.json",
    "waybill verify source context.tar.gz --capture capture.json",
  ],
  exits: ["policy", "untrusted", "missing", "mismatch", "protocol", "interrupted", "terminated"],
  emptyDocument: { checked: 0, accepted: [], refusals: [] },
  act: verifySourceAct,
});

async function verifySourceAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  refuseTwoIgnoreRules(flags);
  const gitBudgetMs = parseDuration(flags["time-budget"], "--time-budget");
  const place = resolve(world.cwd, flags.capture);
  const bytes = readBounded(place, LIMITS.documentBytes, "capture");
  const what = `capture ${quoted(flags.capture)}`;
  const captured = capturedSource(parseJson(bytes, { what, code: "input_invalid" }), what);
  const source = resolve(world.cwd, flags.context);
  if (!isFolder(source, flags.context)) {
    const found = await readArchiveSource(source, objectFormatOf(captured), world.stop);
    return report(captured, compareArchive(captured, found), null);
  }
  for (const path of captured.ownOutputs)
    world.say.warn(`not compared: ${quoted(path)}, which the capturing run wrote itself`);
  const root = contextRoot(world.cwd, flags.context);
  const rules = rulesOfCapture(root, captured, {
    cwd: world.cwd,
    dockerfile: flags.dockerfile,
    ignoreFile: flags["ignore-file"],
    noIgnore: flags["no-ignore"],
    includeVcs: flags["include-vcs"],
    besides: [place],
  });
  const found = await readFolder(root, "the source", rules, objectFormatOf(captured), world.stop);
  const comparison = compareSource(captured, found);
  const explanation =
    comparison.different.length === 0
      ? null
      : await explainByCommit(found, captured, world.env, gitBudgetMs, world.stop);
  return report(captured, comparison, explanation);
}

function isFolder(path: string, shown: string): boolean {
  try {
    const status = statSync(path);
    if (status.isDirectory()) return true;
    if (status.isFile()) return false;
  } catch (error) {
    throw new Failure("path_not_found", `${quoted(shown)} cannot be read: ${reason(error)}`);
  }
  throw new Failure("path_not_found", `${quoted(shown)} is neither a folder nor a file`);
}

function report(
  captured: CapturedSource,
  comparison: SourceComparison,
  explanation: Explanation | null,
): Outcome {
  const { equal, different, notCompared, counts } = comparison;
  const why = [...counts, ...explained(explanation)].join("; ");
  // Another archiver, or other times in the headers, makes another archive of the same files.
  const sameFiles = equal.some(({ name }) => name === "working_tree_hash" || name === "git_tree");
  const refusals = different.map(
    ({ name, wanted, found }) =>
      new Failure(
        "source_mismatch",
        `${name} is ${found}; captured ${wanted}${why === "" ? "" : ` (${why})`}`,
        {
          hint: sameFiles
            ? "the files are the captured ones; the archive around them is another one"
            : "the source is not what was captured: other files, other content, or another executable bit",
        },
      ),
  );
  const checked = equal.length + different.length;
  if (checked === 0)
    refusals.push(
      new Failure("nothing_checked", "the capture has no digest that can be computed from this source", {
        hint:
          captured.digests.tar_sha256 === undefined
            ? captured.displaced.length > 0
              ? "capture with --archive: another file has a name of the tree in its archives"
              : "capture again; this one could not read its context"
            : "compare its archive; only that one has a digest",
      }),
    );
  const [first] = refusals;
  return {
    exit: first?.exitCode ?? EXIT.ok,
    document: {
      checked,
      accepted: equal.map(({ name, value }) => ({ digest: name, value })),
      refusals: refusals.map(({ code, message }) => ({ code, message })),
      different: different.map((one) => ({ digest: one.name, captured: one.wanted, found: one.found })),
      not_compared: [...notCompared],
      counts: [...counts],
      files: explanation?.kind === "files" ? { ...explanation.differences } : null,
      commit: explanation?.commit ?? null,
      ...(first === undefined ? {} : { error: first.toDocument() }),
    },
    text:
      first === undefined
        ? equal.map(({ name, value }) => `${name.padEnd(17)} ${value} equal\n`).join("")
        : "",
    failures: refusals,
  };
}

function explained(explanation: Explanation | null): string[] {
  if (explanation === null) return [];
  if (explanation.kind === "other_commit")
    return [`the clone is at commit ${explanation.commit}, captured was ${explanation.wanted}`];
  const files = describeDifferences(explanation.differences);
  return files === "" ? [] : [files];
}
