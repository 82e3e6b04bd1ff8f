import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { compressionOf } from "../context/archive.ts";
import { capture, type Capture } from "../context/capture.ts";
import type { ContextRequest } from "../context/capture-context.ts";
import { captureDocument, sourceFields } from "../context/capture-document.ts";
import {
  CAPTURE_FORMATS,
  describeCapture,
  formatCapture,
  isCaptureFormat,
  spokenWarnings,
  type CaptureFormat,
} from "../context/capture-formats.ts";
import { unmetRequirements } from "../context/requirements.ts";
import { submitBuild, type SubmittedBuild } from "../context/submit.ts";
import { reason, writeAtomic } from "../host/files.ts";
import { readSubmission, SUBMIT_FLAGS } from "./capture-submission.ts";

const FLAGS = {
  context: { type: "positional", default: ".", description: "the folder that is built", required: false },
  dockerfile: {
    type: "string",
    valueHint: "FILE",
    description: "the Dockerfile, also one outside the context",
  },
  "ignore-file": {
    type: "string",
    valueHint: "FILE",
    description: "the ignore file, in place of Docker's choice",
  },
  "no-ignore": { type: "boolean", description: "let no ignore file leave anything out" },
  "include-vcs": { type: "boolean", description: "keep .git in; the hash is then not reproducible" },
  repo: { type: "string", valueHint: "DIR", description: "the work tree to attribute the context to" },
  archive: { type: "string", valueHint: "FILE", description: "write the context: .tar, .tar.gz or .tar.zst" },
  format: { type: "string", valueHint: "NAME", description: `what to print: ${CAPTURE_FORMATS.join(", ")}` },
  // Known to every command; here because it decides which --format makes sense.
  json: { type: "boolean", description: "print one JSON document on standard output, also on failure" },
  out: { type: "string", valueHint: "FILE", description: "write the result there, not to standard output" },
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
  "time-budget": {
    type: "string",
    valueHint: "10s",
    default: "10s",
    description: "for all git calls together",
  },
  ...SUBMIT_FLAGS,
} as const;

export const captureCommand: Command = defineCommand({
  name: "capture",
  description: "what exactly is being built: git coordinates, a hash of the build context, its archive",
  args: FLAGS,
  examples: [
    "waybill capture . --json",
    'eval "$(waybill capture app --format env)"',
    "waybill capture . --archive context.tar.gz --require-clean",
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
    "interrupted",
    "terminated",
  ],
  act: captureAct,
});

async function captureAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  const format = readFormat(flags.format) ?? (flags.json ? "json" : null);
  if (flags.json && format !== "json") {
    throw new Failure("flags_contradict", `--json prints JSON and --format asks for ${String(format)}`, {
      hint: "give one",
    });
  }
  const submission = readSubmission(flags, world);
  const out = flags.out === undefined ? undefined : resolve(world.cwd, flags.out);
  if (flags["no-ignore"] && flags["ignore-file"] !== undefined) {
    throw new Failure("flags_contradict", "--no-ignore and --ignore-file contradict each other", {
      hint: "give one",
    });
  }
  // A submission needs the archive on disk; without --archive it lives for this run only.
  const scratch =
    submission !== null && flags.archive === undefined ? mkdtempSync(join(tmpdir(), "waybill-")) : null;
  try {
    const archive = readArchive(scratch === null ? flags.archive : join(scratch, "context.tar.gz"), world);
    if (submission !== null && archive?.compression !== "gzip") {
      throw new Failure("flags_contradict", "--submit uploads a .tar.gz, --archive names another kind", {
        hint: "name the archive *.tar.gz, or leave --archive out",
      });
    }
    if (out !== undefined && out === archive?.path) {
      throw new Failure("flags_contradict", "--out and --archive name the same file", { hint: "name two" });
    }
    const captured = await capture(
      {
        context: flags.context,
        cwd: world.cwd,
        dockerfile: flags.dockerfile,
        ignoreFile: flags["ignore-file"],
        noIgnore: flags["no-ignore"],
        includeVcs: flags["include-vcs"],
        repo: flags.repo,
        archive,
        outputs: [archive?.path, out].filter((path) => path !== undefined),
        env: world.env,
        gitBudgetMs: parseDuration(flags["time-budget"], "--time-budget"),
      },
      world.stop,
    );
    const failures: Failure[] = unmetRequirements(captured, {
      strict: flags.strict,
      clean: flags["require-clean"],
      matchesCommit: flags["require-matches-commit"],
      pushed: flags["require-pushed"],
    });
    if (archive !== null && captured.context.archive === null) {
      const why = captured.context.problem?.message ?? "the context could not be read";
      failures.push(new Failure("output_not_written", `no archive was written: ${why}`));
    }
    let build: SubmittedBuild | null = null;
    if (submission !== null && archive !== null && failures.length === 0) {
      // The capture stands whatever the server says; only the exit code tells.
      try {
        build = await submitBuild(submission, sourceFields(captured), archive.path, world.stop);
      } catch (error) {
        failures.push(asFailure(error));
      }
    }
    if (!flags.strict) for (const warning of spokenWarnings(captured)) world.say.warn(warning);
    return outcomeOf(captured, { format, out, build, failures });
  } finally {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  }
}

type Results = {
  readonly format: CaptureFormat | null;
  readonly out: string | undefined;
  readonly build: SubmittedBuild | null;
  readonly failures: readonly Failure[];
};

function outcomeOf(captured: Capture, { format, out, build, failures }: Results): Outcome {
  const exit: ExitCode = failures[0]?.exitCode ?? EXIT.ok;
  const error = failures[0]?.toDocument();
  const document = {
    ...captureDocument(captured),
    ...(build === null ? {} : { build: { ...build } }),
    ...(error === undefined ? {} : { error }),
  };
  const framed = { schema: "waybill.capture/v1", ok: exit === EXIT.ok, exit_code: exit, ...document };
  const submitted = build === null ? "" : `${"build".padEnd(15)} ${build.id} (${build.build_status})\n`;
  const text =
    format === null
      ? describeCapture(captured) + submitted
      : format === "json"
        ? `${JSON.stringify(framed)}\n`
        : formatCapture(captured, format);
  if (out === undefined) return { exit, document, text, failures };
  try {
    writeAtomic(out, text, 0o644);
  } catch (cause) {
    throw new Failure("output_not_written", `--out ${quoted(out)} cannot be written: ${reason(cause)}`, {
      cause,
    });
  }
  return { exit, document, text: "", failures };
}

function readFormat(text: string | undefined): CaptureFormat | null {
  if (text === undefined) return null;
  if (isCaptureFormat(text)) return text;
  throw new Failure(
    "invalid_value",
    `--format is ${quoted(text)}; wanted one of ${CAPTURE_FORMATS.join(", ")}`,
  );
}

function readArchive(name: string | undefined, world: World): ContextRequest["archive"] {
  if (name === undefined) return null;
  const compression = compressionOf(name);
  if (compression === null) {
    throw new Failure(
      "invalid_value",
      `--archive is ${quoted(name)}; wanted a name that ends in .tar, .tar.gz or .tar.zst`,
    );
  }
  return { path: resolve(world.cwd, name), compression, mtime: sourceDateEpoch(world) };
}

/** Seconds for every member of the archive; 0 unless the reproducible-builds variable says otherwise. */
function sourceDateEpoch(world: World): number {
  const text = world.env["SOURCE_DATE_EPOCH"] ?? "0";
  const seconds = /^\d{1,10}$/u.test(text) ? Number(text) : Number.NaN;
  // Eleven octal digits hold it.
  if (seconds <= 0o77777777777) return seconds;
  throw new Failure("invalid_value", `SOURCE_DATE_EPOCH is ${quoted(text)}; wanted seconds since 1970`, {
    hint: "unset it to have 0 in the archive",
  });
}
