import type { ResultShape } from "./frame.ts";
import { count, instant, list, map, nullable, object, objectId, one, sha256, text, word } from "./shape.ts";

export const CLI_RESULTS: { readonly [name: string]: ResultShape } = {
  error: { what: "a run that failed before a command was found" },
  help: {
    what: "the help of a command or group",
    always: { help: text },
    sometimes: { commands: list(text) },
  },
  version: {
    what: "which build this is",
    success: {
      version: text,
      commit: nullable(objectId),
      built_at: nullable(instant),
      runtime: text,
      platform: text,
    },
  },
  completions: {
    what: "what a shell loads, or what may stand at its cursor",
    sometimes: {
      shell: text,
      script: text,
      kind: word("values", "files", "folders"),
      candidates: list(object({ value: text, description: text })),
    },
  },
  man: {
    what: "a manual page, or the files that were written",
    sometimes: { page: text, text, files: list(text) },
  },
  schema: {
    what: "a JSON Schema, or the names of all",
    sometimes: { name: text, json_schema: { type: "object" }, names: map(text) },
  },
  doctor: {
    what: "what this machine, this environment and this binary can and cannot do",
    always: {
      checked: count,
      findings: list(
        object({ name: text, state: one("ok", "limited", "unfit"), found: text, "hint?": text }),
      ),
    },
    success: { version: text, platform: text, executable: text, sha256 },
  },
};
