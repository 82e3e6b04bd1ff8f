import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { capture, type Capture, type CaptureRequest } from "../context/capture.ts";
import { describeCapture, spokenWarnings } from "../context/capture-description.ts";
import { captureDocument } from "../context/capture-document.ts";
import { formatCapture, type CaptureFormat, type Circumstances } from "../context/capture-formats.ts";
import { writeManifest } from "../context/manifest-file.ts";
import { unmetRequirements } from "../context/requirements.ts";
import type { SubmittedBuild } from "../context/submit.ts";
import { whyUnwritten, writeAtomic } from "../host/files.ts";
import { randomHex } from "../host/random.ts";
import { makeScratchFolder } from "../host/scratch-folder.ts";
import {
  OUTPUT_FLAGS,
  readArchive,
  readDigests,
  readFormat,
  refuseSameFile,
  sourceDateEpoch,
} from "./capture-outputs.ts";
import {
  buildDocument,
  describeBuild,
  readSubmission,
  submit,
  SUBMIT_FLAGS,
  toldShort,
} from "./capture-submission.ts";
import { CONTEXT_FLAGS, TIME_BUDGET_FLAG, refuseTwoIgnoreRules } from "./context-flags.ts";

const FLAGS = {
  context: { type: "positional", default: ".", description: "the folder that is built", required: false },
  ...CONTEXT_FLAGS,
  "include-vcs": { type: "boolean", description: "keep .git in; the hash is then not reproducible" },
  repo: { type: "string", valueHint: "DIR", description: "the work tree to attribute the context to" },
  ...OUTPUT_FLAGS,
  strict: { type: "boolean", description: "fail on everything that is otherwise a warning" },
  "require-clean": { type: "boolean", description: "fail when the work tree is dirty, or nobody knows" },
  "require-matches-commit": {
    type: "boolean",
    description: "fail unless the bytes are exactly the commit's",
  },
  "require-pushed": {
    type: "boolean",
    description: "fail unless a remote-tracking branch contains the commit",
  },
  ...TIME_BUDGET_FLAG,
  ...SUBMIT_FLAGS,
} as const;

export const captureCommand: Command = defineCommand({
  name: "capture",
  description: "what exactly is being built: git coordinates, a hash of the build context, its archive",
  args: FLAGS,
  examples: [
    "waybill capture . --json",
    'eval "$(waybill capture app --format env)"',
    "waybill capture . --archive context.tar.gz --manifest context.jsonl --require-clean",
    'waybill capture . --format github >> "$GITHUB_OUTPUT"',
    "waybill capture . --submit https://builds.example.com --image-name app --agent-name app --token-env BUILD_TOKEN",
  ],
  exits: [
    "auth",
    "policy",
    "missing",
    "rejected",
    "protocol",
    "transport",
    "server",
    "unknown",
    "interrupted",
    "terminated",
  ],
  act: captureAct,
});

async function captureAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  const format = readFormat(flags.format, flags.json);
  const digests = readDigests(flags.digest);
  const submission = readSubmission(flags, world);
  const gitBudgetMs = parseDuration(flags["time-budget"], "--time-budget");
  // Nobody else's variable may fail a capture that does not use it.
  const dated =
    flags.archive !== undefined || submission !== null || format === "labels" || format === "build-info";
  const epoch = dated ? sourceDateEpoch(world) : null;
  const [named, manifest, out] = [flags.archive, flags.manifest, flags.out].map((path) =>
    path === undefined ? undefined : resolve(world.cwd, path),
  );
  refuseSameFile({ archive: named, manifest, out });
  refuseTwoIgnoreRules(flags);
  const digested = digests?.has("tar_sha256") === true;
  // A submission needs the archive on disk, and its digest needs one at all; without --archive for this run only.
  const needed = submission !== null ? "context.tar.gz" : digested ? "context.tar" : null;
  const scratch = needed !== null && named === undefined ? scratchFolder() : null;
  const isAsked = named !== undefined || digested;
  if (scratch instanceof Failure && isAsked) throw scratch;
  try {
    const place = typeof scratch === "string" ? join(scratch, needed ?? "") : named;
    const archive = readArchive(place, epoch, digests);
    if (submission !== null && archive !== null && archive.compression !== "gzip") {
      throw new Failure("flags_contradict", "--submit uploads a .tar.gz, --archive names another kind", {
        hint: "name the archive *.tar.gz, or leave --archive out",
      });
    }
    const request = {
      context: flags.context,
      cwd: world.cwd,
      dockerfile: flags.dockerfile,
      ignoreFile: flags["ignore-file"],
      noIgnore: flags["no-ignore"],
      includeVcs: flags["include-vcs"],
      repo: flags.repo,
      archive,
      // The folder for temporary files may lie in the context.
      outputs: [typeof scratch === "string" ? scratch : named, manifest, out].filter(
        (path) => path !== undefined,
      ),
      env: world.env,
      ...(digests === undefined ? {} : { digests }),
      gitBudgetMs,
    };
    if (named !== undefined) await removeLeftoversOf(named, world);
    const { captured, unsent } =
      isAsked || submission === null
        ? { captured: await capture(request, world.stop), unsent: null }
        : await captureForUpload(request, scratch instanceof Failure ? scratch : null, world.stop);
    const failures: Failure[] = unmetRequirements(captured, {
      strict: flags.strict,
      clean: flags["require-clean"],
      matchesCommit: flags["require-matches-commit"],
      pushed: flags["require-pushed"],
    });
    failures.push(...writeOutputs(captured, isAsked, manifest));
    const sent =
      submission === null || failures.length > 0
        ? null
        : archive === null || unsent !== null
          ? unsent
          : await submit(submission, captured, archive.path, world);
    if (sent instanceof Failure) {
      // The capture stands whatever the server says, unless the caller says that the record belongs to it.
      if (flags["require-submit"] || flags.strict || world.stop.aborted) failures.push(sent);
      else world.say.warn(`the build was not recorded: ${toldShort(sent)}`);
    }
    if (!flags.strict) for (const warning of spokenWarnings(captured)) world.say.warn(warning);
    const circumstances = {
      nonce: randomHex(16),
      now: world.now(),
      sourceDate: epoch === null ? null : new Date(epoch * 1000),
      withAuthor: flags["with-author"],
    };
    return outcomeOf(captured, { format, circumstances, out, sent, failures });
  } finally {
    if (typeof scratch === "string") rmSync(scratch, { recursive: true, force: true });
  }
}

/** What a killed run left of the archive would be a part of the context, where the archive lies in there. */
async function removeLeftoversOf(archive: string, world: World): Promise<void> {
  const { removeLeftovers } = await import("../host/held-file.ts");
  for (const path of removeLeftovers(archive))
    world.say.info(`removed ${quoted(path)}, which a killed run left of the archive`);
}

/** A folder for this run, or why there is none. */
function scratchFolder(): string | Failure {
  try {
    return makeScratchFolder();
  } catch (error) {
    return asFailure(error);
  }
}

/**
 * A capture whose archive is for the upload alone: where that cannot be written, the capture stands without it, and
 * `unsent` is why there will be no upload.
 */
async function captureForUpload(
  request: CaptureRequest,
  unsent: Failure | null,
  stop: AbortSignal,
): Promise<{ readonly captured: Capture; readonly unsent: Failure | null }> {
  try {
    const captured = await capture(request, stop);
    const { archive, problem } = captured.context;
    return archive !== null || problem === null
      ? { captured, unsent }
      : { captured, unsent: new Failure("output_not_written", `no archive can be made: ${problem.message}`) };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "output_not_written") throw error;
    return { captured: await capture({ ...request, archive: null }, stop), unsent: error };
  }
}

/** The outputs beside the result. One that could not be made is a failure of the run, and not of the capture. */
function writeOutputs(captured: Capture, isAsked: boolean, manifest: string | undefined): Failure[] {
  const { archive, items, problem } = captured.context;
  const why = problem?.message ?? "the context could not be read";
  const failures: Failure[] = [];
  if (isAsked && archive === null) {
    failures.push(new Failure("output_not_written", `no archive was written: ${why}`));
  }
  if (manifest === undefined) return failures;
  if (items === null) failures.push(new Failure("output_not_written", `no manifest was written: ${why}`));
  else writeManifest(manifest, items);
  return failures;
}

type Results = {
  readonly format: CaptureFormat | null;
  readonly circumstances: Circumstances;
  readonly out: string | undefined;
  readonly sent: SubmittedBuild | Failure | null;
  readonly failures: readonly Failure[];
};

function outcomeOf(captured: Capture, results: Results): Outcome {
  const { format, circumstances, out, sent, failures } = results;
  const exit: ExitCode = failures[0]?.exitCode ?? EXIT.ok;
  const error = failures[0]?.toDocument();
  const document = {
    ...captureDocument(captured),
    ...(sent === null ? {} : { build: buildDocument(sent) }),
    ...(error === undefined ? {} : { error }),
  };
  const framed = { schema: "waybill.capture/v1", ok: exit === EXIT.ok, exit_code: exit, ...document };
  const text =
    format === null
      ? describeCapture(captured) + describeBuild(sent)
      : format === "json"
        ? `${JSON.stringify(framed)}\n`
        : formatCapture(captured, format, circumstances);
  if (out === undefined) return { exit, document, text, failures };
  try {
    writeAtomic(out, text, 0o644);
  } catch (cause) {
    throw new Failure(
      "output_not_written",
      `--out ${quoted(out)} cannot be written: ${whyUnwritten(cause)}`,
      {
        hint: "name a file in a folder that exists and has room",
        cause,
      },
    );
  }
  return { exit, document, text: "", failures };
}
