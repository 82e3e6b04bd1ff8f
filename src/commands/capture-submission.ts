import { asFailure, Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import type { JsonObject, World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import type { Submission } from "../context/build-record.ts";
import type { Capture } from "../context/capture.ts";
import { sourceFields } from "../context/capture-document.ts";
import { submitBuild, type SubmittedBuild } from "../context/submit.ts";
import { SYSTEM_CLOCK } from "../host/clock.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import { readSecret } from "../host/secrets.ts";

export const SUBMIT_FLAGS = {
  submit: { type: "string", valueHint: "URL", description: "upload the archive as a build record" },
  "image-name": { type: "string", valueHint: "N", description: "with --submit: the image" },
  "image-tag": { type: "string", valueHint: "T", description: "with --submit: its tag" },
  "agent-name": { type: "string", valueHint: "N", description: "with --submit: the agent, by name" },
  "agent-id": { type: "string", valueHint: "ID", description: "with --submit: the agent, by id" },
  platform: { type: "string", valueHint: "OS/ARCH", description: "with --submit: the platform to build for" },
  "build-arg": {
    type: "string",
    valueHint: "K=V",
    repeat: true,
    description: "with --submit: a build argument",
  },
  "token-env": {
    type: "string",
    valueHint: "VAR",
    description: "with --submit: the variable with a bearer token",
  },
  "api-key-env": {
    type: "string",
    valueHint: "VAR",
    description: "with --submit: the variable with an API key",
  },
  "account-id": { type: "string", valueHint: "ID", description: "with --submit: the account" },
  "submit-again": {
    type: "boolean",
    description: "with --submit: send it also when the same build is recorded already",
  },
  "require-submit": {
    type: "boolean",
    description: "with --submit: fail when the build could not be recorded; else that is a warning",
  },
  "allow-insecure-http": { type: "boolean", description: "with --submit: take http for a loopback address" },
} as const;

/** A large archive over a slow line; the server cuts slower ones off itself. */
const UPLOAD_DEADLINE_MS = 600_000;

/** The submission that the flags describe, or null without --submit. Throws a usage or credential failure. */
export function readSubmission(flags: Values<typeof SUBMIT_FLAGS>, world: World): Submission | null {
  const { submit } = flags;
  if (submit === undefined) {
    const stray = Object.entries(flags).find(
      ([name, value]) =>
        name in SUBMIT_FLAGS &&
        (Array.isArray(value) ? value.length > 0 : value === true || typeof value === "string"),
    );
    if (stray === undefined) return null;
    throw new Failure("flags_contradict", `--${stray[0]} goes with --submit`, {
      hint: "add --submit URL, or leave it out",
    });
  }
  const imageName = flags["image-name"];
  if (imageName === undefined) throw new Failure("flag_missing", "--submit needs --image-name");
  return {
    url: parseEndpoint(submit, {
      from: "--submit",
      allowInsecureHttp: flags["allow-insecure-http"],
      path: "none",
    }),
    headers: readHeaders(flags, world),
    imageName,
    imageTag: flags["image-tag"],
    agent: readAgent(flags),
    platform: flags.platform,
    buildArgs: Object.fromEntries(flags["build-arg"].map(readBuildArg)),
    again: flags["submit-again"],
    deadlineMs: UPLOAD_DEADLINE_MS,
  };
}

function readAgent(flags: Values<typeof SUBMIT_FLAGS>): Submission["agent"] {
  const name = flags["agent-name"];
  const id = flags["agent-id"];
  if (name !== undefined && id === undefined) return { agent_name: name };
  if (id !== undefined && name === undefined) return { agent_id: id };
  throw new Failure(
    name === undefined ? "flag_missing" : "flags_contradict",
    "--submit needs exactly one of --agent-name and --agent-id",
  );
}

function readHeaders(flags: Values<typeof SUBMIT_FLAGS>, world: World): Record<string, string> {
  const secret = (variable: string): string => {
    const value = readSecret({ variable }, world.env, "build API credential");
    world.secrets.register(value);
    return value;
  };
  const [token, key] = [flags["token-env"], flags["api-key-env"]];
  if ((token === undefined) === (key === undefined)) {
    throw new Failure(
      token === undefined ? "credential_missing" : "flags_contradict",
      "--submit needs one of --token-env and --api-key-env",
      {
        hint: "name the variable that holds the credential",
      },
    );
  }
  const account = flags["account-id"];
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${secret(token)}` }),
    ...(key === undefined ? {} : { "x-api-key": secret(key) }),
    ...(account === undefined ? {} : { "x-selected-account-id": account }),
  };
}

function readBuildArg(text: string): [string, string] {
  const cut = text.indexOf("=");
  if (cut < 1) throw new Failure("invalid_value", `--build-arg is ${quoted(text)}; wanted NAME=VALUE`);
  return [text.slice(0, cut), text.slice(cut + 1)];
}

/** Uploads the archive of a capture; gives why it could not be recorded. */
export async function submit(
  submission: Submission,
  captured: Capture,
  archive: string,
  world: World,
): Promise<SubmittedBuild | Failure> {
  try {
    const { dockerfile } = captured.context.chosen ?? { dockerfile: null };
    const isHashed = dockerfile === null || dockerfile.inside === "Dockerfile";
    const sent = { path: archive, isHashed };
    return await submitBuild(submission, sourceFields(captured), sent, SYSTEM_CLOCK, world.stop);
  } catch (error) {
    return asFailure(error);
  }
}

/** A failure in one line, as a warning. */
export function toldShort(failure: Failure): string {
  const server = failure.serverText === undefined ? "" : `; server said: ${failure.serverText}`;
  return `${failure.message}${server}${failure.hint === undefined ? "" : `; hint: ${failure.hint}`}`;
}

export function buildDocument(sent: SubmittedBuild | Failure): JsonObject {
  return sent instanceof Failure
    ? { id: null, build_status: null, existing: false, error: sent.toDocument() }
    : { ...sent };
}

export function describeBuild(sent: SubmittedBuild | Failure | null): string {
  if (sent === null || sent instanceof Failure) return "";
  const note = sent.existing ? ", recorded before; nothing was sent" : "";
  return `${"build".padEnd(15)} ${printable(sent.id)} (${printable(sent.build_status)}${note})\n`;
}
