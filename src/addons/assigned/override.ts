import { Failure } from "../../base/failure.ts";
import { boolean, isMap, list, narrowed, string, type Decoder, type Problems } from "../../base/decode.ts";
import { type JsonMap, type JsonValue, parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { NOTHING_SAID, type Assignment } from "./assignment.ts";
import { fieldsOf, FIELD_NAMES, withoutNulls, type Fields } from "./assignment-fields.ts";
import type { Warning } from "../warning.ts";

/** What this host says about one add-on, in `addons.local.json`. */
export type Override = {
  readonly addon_id: string;
  /** undefined inherits. */
  readonly enabled: boolean | undefined;
  /** Present values replace, null and "" included; `present` tells undefined from absent. */
  readonly config: { readonly present: boolean; readonly value: JsonValue | undefined };
  readonly fields: Fields;
  readonly clear: readonly Clearable[];
  readonly allow_downgrade: string;
};

/** Members that `clear` can set back to nothing: "" and [] inherit, so a value cannot say it. */
type Clearable = Exclude<keyof Fields, "version"> | "config_json";

/** What is left of a member that was cleared. */
const CLEARED = { ...NOTHING_SAID, config_json: undefined };
const CLEARABLE: ReadonlySet<string> = new Set(Object.keys(CLEARED).filter((name) => name !== "version"));

const clearables: Decoder<Clearable[]> = list(
  narrowed(`one of ${[...CLEARABLE].join(", ")}`, (name): name is Clearable => CLEARABLE.has(name)),
  CLEARABLE.size,
);

/** What an override can say and an assignment cannot. */
const OWN_MEMBERS: ReadonlySet<string> = new Set(["clear", "allow_downgrade"]);

/** All in lower case. */
const ALL_MEMBERS: ReadonlySet<string> = new Set([...FIELD_NAMES, ...OWN_MEMBERS]);
const DOCUMENT_MEMBERS: ReadonlySet<string> = new Set(["addons"]);

export type OverrideFile = { readonly overrides: readonly Override[]; readonly warnings: readonly Warning[] };

/**
 * The entries of an override document. As in the original, the last of several equal members counts, which is told.
 * Throws Failure `config_invalid`; the caller ignores the file loudly then.
 */
export function decodeOverrides(bytes: Uint8Array | string, what: string): OverrideFile {
  const problems: Problems = [];
  const warnings: Warning[] = [];
  const twice = (name: string): void => {
    const message = `${what} has ${quoted(name, 60)} twice in one object; the last one counts`;
    warnings.push({ code: "override_twice", message });
  };
  const parsed = parseJson(bytes, { what, code: "config_invalid", onSecond: twice });
  const document = inOurCase(parsed, DOCUMENT_MEMBERS, twice);
  const overrides = new Map<string, Override>();
  if (!isMap(document)) throw new Failure("config_invalid", `${what} is no object; wanted {"addons":[…]}`);
  const entries = document["addons"] === undefined ? [] : listOf(document["addons"], problems, twice);
  for (const [index, entry] of entries.entries()) {
    const override = decodeOverride(entry, `addons[${index}]`, problems, warnings);
    // A later entry for the same id replaces the earlier one at its place, as in the original.
    if (override !== undefined) overrides.set(override.addon_id, override);
  }
  if (problems.length > 0) {
    throw new Failure("config_invalid", `${what} is malformed: ${problems.slice(0, 5).join("; ")}`);
  }
  return { overrides: [...overrides.values()], warnings };
}

/**
 * As in the original, `Enabled` is `enabled`: whoever switches an add-on off in an emergency must not be ignored
 * because of a capital.
 */
function inOurCase<T extends JsonValue>(
  value: T,
  ours: ReadonlySet<string>,
  twice: (name: string) => void,
): T | JsonMap {
  if (!isMap(value)) return value;
  const found = new Map<string, JsonValue>();
  for (const [key, member] of Object.entries(value)) {
    const name = ours.has(key.toLowerCase()) ? key.toLowerCase() : key;
    if (found.has(name)) twice(name);
    found.set(name, member);
  }
  return Object.fromEntries(found);
}

function listOf(value: JsonValue, problems: Problems, twice: (name: string) => void): JsonMap[] {
  const entries = list<JsonMap>((entry, path, found) => {
    if (isMap(entry)) return inOurCase(entry, ALL_MEMBERS, twice);
    found.push(`${path} is no object`);
    return undefined;
  }, LIMITS.assignments)(value, "addons", problems);
  return entries ?? [];
}

function decodeOverride(
  raw: JsonMap,
  path: string,
  problems: Problems,
  warnings: Warning[],
): Override | undefined {
  const entry = withoutNulls(raw);
  const id = string()(entry["addon_id"] ?? "", `${path}.addon_id`, problems)?.trim();
  const fields = fieldsOf(entry, path, problems);
  const enabled =
    entry["enabled"] === undefined ? undefined : boolean()(entry["enabled"], `${path}.enabled`, problems);
  const clear = clearOf(entry, path, problems);
  const downgrade = string()(entry["allow_downgrade"] ?? "", `${path}.allow_downgrade`, problems)?.trim();
  // An entry without an id overrides nothing.
  if (id === undefined || id === "" || fields === undefined) return undefined;
  const unknown = Object.keys(entry).filter((name) => !FIELD_NAMES.has(name) && !OWN_MEMBERS.has(name));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 8).map((name) => quoted(name, 60));
    warnings.push({
      code: "fields_ignored",
      message: `the override of ${quoted(id)} has unknown members: ${names.join(", ")}`,
    });
  }
  if (raw["config_json"] === null) {
    warnings.push({
      code: "override_null_config",
      message: `the override of ${quoted(id)} sets config_json to null; "clear": ["config_json"] removes it`,
    });
  }
  return {
    addon_id: id,
    enabled,
    config: { present: Object.hasOwn(raw, "config_json"), value: raw["config_json"] },
    fields,
    clear,
    allow_downgrade: downgrade ?? "",
  };
}

function clearOf(entry: JsonMap, path: string, problems: Problems): readonly Clearable[] {
  if (entry["clear"] === undefined) return [];
  const names = clearables(entry["clear"], `${path}.clear`, problems) ?? [];
  const set = names.filter((name) => isSaid(entry[name]));
  problems.push(...set.map((name) => `${path}.clear names ${name}, which the entry also sets`));
  return names;
}

/** "" and [] are what a writer leaves who had nothing to say. */
function isSaid(value: JsonValue | undefined): boolean {
  if (value === undefined || value === "") return false;
  return !(isMap(value) || Array.isArray(value)) || Object.keys(value).length > 0;
}

/**
 * The assignments of this host: each override changes only the members that it says, every other one stays as it
 * was pushed; overrides of add-ons that nobody assigned are appended in their order, enabled unless they say
 * otherwise. `refused` are ids whose assignment was refused: a local entry must not bring them back.
 */
export function applyOverrides(
  assignments: readonly Assignment[],
  overrides: readonly Override[],
  refused: ReadonlySet<string>,
): { readonly assignments: readonly Assignment[]; readonly warnings: readonly Warning[] } {
  const byId = new Map(overrides.map((override) => [override.addon_id, override]));
  const assigned = new Set(assignments.map((assignment) => assignment.addon_id));
  const added = overrides.filter(({ addon_id: id }) => !assigned.has(id) && !refused.has(id));
  return {
    assignments: [
      ...assignments.map((assignment) => patched(assignment, byId.get(assignment.addon_id))),
      ...added.map((override) =>
        patched(
          {
            ...NOTHING_SAID,
            addon_id: override.addon_id,
            enabled: true,
            config_json: undefined,
          },
          override,
        ),
      ),
    ],
    warnings: added.flatMap((override) => nearMiss(override, assigned)),
  };
}

function patched(assignment: Assignment, override: Override | undefined): Assignment {
  if (override === undefined) return assignment;
  const said = Object.fromEntries(Object.entries(override.fields).filter(([, value]) => isSaid(value)));
  const cleared = Object.fromEntries(override.clear.map((name) => [name, CLEARED[name]]));
  return {
    ...assignment,
    ...said,
    ...(override.config.present ? { config_json: override.config.value } : {}),
    ...(override.enabled === undefined ? {} : { enabled: override.enabled }),
    ...cleared,
    ...(override.allow_downgrade === "" ? {} : { allow_downgrade: override.allow_downgrade }),
  };
}

/** An id that differs from an assigned one only in case or spaces is most likely that one, misspelt. */
function nearMiss(override: Override, assigned: ReadonlySet<string>): Warning[] {
  const close = [...assigned].find((id) => id.trim().toLowerCase() === override.addon_id.toLowerCase());
  if (close === undefined) return [];
  return [
    {
      code: "override_near_miss",
      message: `the override of ${quoted(override.addon_id)} stands alone: the assigned add-on is ${quoted(close)}`,
    },
  ];
}
