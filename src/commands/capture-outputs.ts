import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import { compressionOf } from "../context/archive.ts";
import { CAPTURE_FORMATS, isCaptureFormat, type CaptureFormat } from "../context/capture-formats.ts";
import type { ContextRequest } from "../context/capture-context.ts";
import { DIGEST_NAMES, isDigestName, type DigestName } from "../context/digest-names.ts";

export const OUTPUT_FLAGS = {
  archive: { type: "string", valueHint: "FILE", description: "write the context: .tar, .tar.gz or .tar.zst" },
  manifest: {
    type: "string",
    valueHint: "FILE",
    description: "write one JSON line for each file: path, mode, size, sha256, git blob",
  },
  digest: {
    type: "string",
    valueHint: "NAME",
    repeat: true,
    description: "only this digest: working_tree_hash, dir_hash, git_tree or tar_sha256",
  },
  format: {
    type: "string",
    valueHint: "NAME",
    description: "what to print: json, fields, env, github, build-info, labels, buildx or statement",
  },
  // Known to every command; here because it decides which --format makes sense.
  json: { type: "boolean", description: "print one JSON document on standard output, also on failure" },
  "with-author": { type: "boolean", description: "name the commit's author in --format build-info" },
  out: { type: "string", valueHint: "FILE", description: "write the result there, not to standard output" },
} as const;

/** Throws Failure `invalid_value`, or `flags_contradict` for --json with another format. */
export function readFormat(text: string | undefined, json: boolean): CaptureFormat | null {
  if (text === undefined) return json ? "json" : null;
  if (!isCaptureFormat(text)) {
    throw new Failure(
      "invalid_value",
      `--format is ${quoted(text)}; wanted one of ${CAPTURE_FORMATS.join(", ")}`,
    );
  }
  if (!json || text === "json") return text;
  throw new Failure("flags_contradict", `--json prints JSON and --format asks for ${text}`, {
    hint: "give one",
  });
}

/** The digests that are asked for, or undefined for all that can be had. Throws Failure `invalid_value`. */
export function readDigests(names: readonly string[]): ReadonlySet<DigestName> | undefined {
  const unknown = names.find((name) => !isDigestName(name));
  if (unknown !== undefined) {
    throw new Failure(
      "invalid_value",
      `--digest is ${quoted(unknown)}; wanted one of ${DIGEST_NAMES.join(", ")}`,
    );
  }
  return names.length === 0 ? undefined : new Set(names.filter(isDigestName));
}

/**
 * The archive to write, by its absolute path; `epoch` stands in every member, and `digests` says whether its own is
 * asked for. Throws Failure `invalid_value`.
 */
export function readArchive(
  path: string | undefined,
  epoch: number | null,
  digests: ReadonlySet<DigestName> | undefined,
): ContextRequest["archive"] {
  if (path === undefined) return null;
  const compression = compressionOf(path);
  if (compression === null) {
    throw new Failure(
      "invalid_value",
      `--archive is ${quoted(path)}; wanted a name that ends in .tar, .tar.gz or .tar.zst`,
    );
  }
  return { path, compression, mtime: epoch ?? 0, undigested: digests?.has("tar_sha256") === false };
}

/** Throws Failure `flags_contradict` when two outputs are one file. */
export function refuseSameFile(outputs: Readonly<Record<string, string | undefined>>): void {
  const named = Object.entries(outputs).filter(([, path]) => path !== undefined);
  for (const [index, [flag, path]] of named.entries()) {
    const other = named.slice(index + 1).find(([, another]) => another === path);
    if (other === undefined) continue;
    throw new Failure("flags_contradict", `--${flag} and --${other[0]} name the same file`, {
      hint: "name two",
    });
  }
}

/**
 * The reproducible-builds variable in seconds, for every member of the archive and for times that a format has; null
 * when it is not set.
 */
export function sourceDateEpoch(world: World): number | null {
  const text = world.env["SOURCE_DATE_EPOCH"];
  if (text === undefined) return null;
  const seconds = /^\d{1,10}$/u.test(text) ? Number(text) : Number.NaN;
  // Eleven octal digits hold it.
  if (seconds <= 0o77777777777) return seconds;
  throw new Failure("invalid_value", `SOURCE_DATE_EPOCH is ${quoted(text)}; wanted seconds since 1970`, {
    hint: "unset it to have 0 in the archive",
  });
}
