import { Failure } from "../../base/failure.ts";
import type { FailureCode } from "../../base/exit-codes.ts";
import { isMap, list, type Problems } from "../../base/decode.ts";
import { fromBase64 } from "../../base/encoding.ts";
import { type JsonMap, type JsonValue, parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { fieldsOf, FIELD_NAMES, withoutNulls, type Fields } from "./assignment-fields.ts";
import type { Warning } from "../warning.ts";

/** What one host shall do about one add-on. Texts are "" and lists empty when they were not said. */
export type Assignment = Readonly<Required<Fields>> & {
  readonly addon_id: string;
  readonly enabled: boolean;
  /** undefined when there is none; any JSON value otherwise, null included. */
  readonly config_json: JsonValue | undefined;
  /** The one older version that this host may go back to: from its override alone, never from a server. */
  readonly allow_downgrade?: string | undefined;
};

/** An entry that is refused alone: the others of its document go on. */
export type RefusedEntry = {
  readonly addon_id: string;
  readonly version: string;
  readonly failure: Failure;
};

export type AssignmentList = {
  readonly assignments: readonly Assignment[];
  readonly refused: readonly RefusedEntry[];
  readonly warnings: readonly Warning[];
  /** What the server calls this state of the list; null when it does not say. */
  readonly configVersion: string | null;
};

type Source = {
  /** What the document is, for messages. */
  readonly what: string;
  /** The failure code of a malformed one: a file of ours, or the answer of a server. */
  readonly code: FailureCode;
};

/** Members of the original's whole configuration answer, which may surround the list. */
const ENVELOPE = new Set(["schema", "addons", "config_version", "config_timestamp", "not_modified"]);

/** An assignment that says nothing but its id. */
export const NOTHING_SAID: Readonly<Required<Fields>> = {
  version: "",
  binary_path: "",
  args: [],
  capabilities: [],
  delivery: "",
  supervision: "",
  artifact_object_key: "",
  artifact_sha256: "",
  artifact_signature: "",
  artifact_statement: "",
  target_os: "",
  target_arch: "",
  os_capabilities: [],
  resources: null,
  download_url: "",
  download_token: "",
  artifacts: {},
};

/**
 * The assignments of a document `{"addons":[…]}`. An entry that is malformed refuses only itself when its
 * `addon_id` can be read; else nobody knows which add-on would be left out, and the document is refused. Throws
 * Failure with `source.code`.
 */
export function decodeAssignments(bytes: Uint8Array | string, source: Source): AssignmentList {
  const document = parseJson(bytes, source);
  const entries = entriesOf(document, source);
  const assignments: Assignment[] = [];
  const refused: RefusedEntry[] = [];
  const warnings = unknownMembers("the document", document, (name) => ENVELOPE.has(name));
  for (const { id, index, value } of entries) {
    const problems: Problems = [];
    const assignment = decodeEntry(id, value, `addons[${index}]`, problems, warnings);
    if (assignment !== undefined) assignments.push(assignment);
    else refused.push(malformed(id, value, problems, source.code));
  }
  const version = isMap(document) ? document["config_version"] : undefined;
  const configVersion = typeof version === "string" && version !== "" ? version : null;
  return withoutDuplicates({ assignments, refused, warnings, configVersion });
}

function entriesOf(document: JsonValue, source: Source): { id: string; index: number; value: JsonMap }[] {
  if (!isMap(document)) throw notTaken(source, ['the document is no object; wanted {"addons":[…]}']);
  // An answer that says "as before" is not a host with nothing to run.
  if (document["not_modified"] === true) {
    throw notTaken(source, ["not_modified is true, though the whole list was asked for"]);
  }
  const problems: Problems = [];
  const values = list<JsonValue>((value) => value, LIMITS.assignments)(
    document["addons"],
    "addons",
    problems,
  );
  const entries = (values ?? []).flatMap((value, index) => {
    const id = isMap(value) ? value["addon_id"] : undefined;
    if (isMap(value) && typeof id === "string" && id.trim() !== "") return [{ id, index, value }];
    problems.push(`addons[${index}] has no readable addon_id`);
    return [];
  });
  if (problems.length > 0) throw notTaken(source, problems);
  return entries;
}

function decodeEntry(
  id: string,
  value: JsonMap,
  path: string,
  problems: Problems,
  warnings: Warning[],
): Assignment | undefined {
  const entry = withoutNulls(value);
  const fields = fieldsOf(entry, path, problems);
  const config = configOf(entry["config_json"], `${path}.config_json`, problems);
  const enabled = entry["enabled"] ?? true;
  if (typeof enabled !== "boolean") {
    problems.push(
      `${path}.enabled is ${typeof enabled === "string" ? quoted(enabled, 60) : "no boolean"}; wanted true or false`,
    );
  }
  if (problems.length > 0 || fields === undefined || typeof enabled !== "boolean") return undefined;
  if (entry["enabled"] === undefined) {
    // Writers that leave defaults out would have meant false; writers by hand mean true.
    warnings.push({
      code: "enabled_assumed",
      message: `add-on ${quoted(id)} does not say enabled; taken as true`,
    });
  }
  warnings.push(...unknownMembers(`add-on ${quoted(id)}`, value, (name) => FIELD_NAMES.has(name)));
  return { ...NOTHING_SAID, ...fields, addon_id: id, enabled, config_json: config };
}

/**
 * Inline JSON, or the base64 of it (how protobuf's JSON spells bytes), or its text. A string is taken only when it
 * cannot be read in two ways: as an object, which base64 can never spell.
 */
function configOf(value: JsonValue | undefined, path: string, problems: Problems): JsonValue | undefined {
  if (value === "") return undefined;
  if (typeof value !== "string") return value;
  const bytes = value.trimStart().startsWith("{") ? new TextEncoder().encode(value) : fromBase64(value);
  try {
    const decoded = parseJson(bytes ?? "", { what: path, code: "input_invalid" });
    if (isMap(decoded)) return decoded;
  } catch {
    // Named below, with the other ways in which it could have been taken.
  }
  problems.push(
    `${path} is a string that holds no JSON object; wanted inline JSON, or an object as text or base64`,
  );
  return undefined;
}

function malformed(id: string, value: JsonMap, problems: Problems, code: FailureCode): RefusedEntry {
  const version = value["version"];
  const hint =
    typeof version === "number"
      ? "write the version as a string: as a number 1.10 and 1.1 are the same"
      : undefined;
  return {
    addon_id: id,
    version: typeof version === "string" ? version : "",
    failure: new Failure(code, `the assignment is malformed: ${shownProblems(problems)}`, { hint }),
  };
}

/** A document of a few megabytes may have as many problems; not all of them are even looked for. */
function shownProblems(problems: Problems): string {
  const more = problems.length > 5 ? " (and more)" : "";
  return `${problems.slice(0, 5).join("; ")}${more}`;
}

function notTaken(source: Source, problems: Problems): Failure {
  return new Failure(source.code, `${source.what} is no assignment list: ${shownProblems(problems)}`, {
    hint: 'wanted {"addons":[{"addon_id":"…", …}]}; see: waybill addon-stage --help',
  });
}

/** Two entries for one id say two things; which of them was meant is not ours to guess, so neither is obeyed. */
function withoutDuplicates(all: AssignmentList): AssignmentList {
  const count = new Map<string, number>();
  // Lower case: on some file systems names that differ only in case are one folder.
  for (const { addon_id } of [...all.assignments, ...all.refused]) {
    const key = addon_id.toLowerCase();
    count.set(key, (count.get(key) ?? 0) + 1);
  }
  const twice = (addon_id: string): boolean => (count.get(addon_id.toLowerCase()) ?? 0) > 1;
  const duplicates = all.assignments.filter((assignment) => twice(assignment.addon_id));
  return {
    ...all,
    assignments: all.assignments.filter((assignment) => !twice(assignment.addon_id)),
    refused: [
      ...all.refused,
      ...duplicates.map(({ addon_id, version }) => ({
        addon_id,
        version,
        failure: new Failure("answer_ambiguous", `add-on ${quoted(addon_id)} is assigned more than once`, {
          hint: "names that differ only in case count as one; leave one entry for each add-on",
        }),
      })),
    ],
  };
}

function unknownMembers(owner: string, value: JsonValue, known: (name: string) => boolean): Warning[] {
  const names = isMap(value) ? Object.keys(value).filter((name) => !known(name)) : [];
  if (names.length === 0) return [];
  const shown = names
    .slice(0, 8)
    .map((name) => quoted(name, 60))
    .join(", ");
  const more = names.length > 8 ? ` and ${names.length - 8} more` : "";
  return [
    { code: "fields_ignored", message: `${owner} has members that waybill does not know: ${shown}${more}` },
  ];
}
