import { expect, test } from "bun:test";
import {
  array,
  assert,
  boolean,
  constantFrom,
  property,
  record,
  tuple,
  uniqueArray,
  type Arbitrary,
} from "fast-check";
import { NOTHING_SAID, type Assignment } from "../../src/addons/assigned/assignment.ts";
import { applyOverrides, decodeOverrides } from "../../src/addons/assigned/override.ts";

const TEXTS = [
  "version",
  "binary_path",
  "delivery",
  "artifact_object_key",
  "download_url",
  "download_token",
] as const;
const LISTS = ["args", "capabilities", "os_capabilities"] as const;

const text = constantFrom("", "a", "b");
const texts = array(constantFrom("p", "q"), { maxLength: 2 });
const said: Arbitrary<Record<string, unknown>> = record<Record<string, unknown>>(
  {
    ...Object.fromEntries(TEXTS.map((name) => [name, text])),
    ...Object.fromEntries(LISTS.map((name) => [name, texts])),
    enabled: boolean(),
    config_json: constantFrom(null, "", {}, { a: 1 }, [], 0),
  },
  { requiredKeys: [] },
);
const id: Arbitrary<string> = constantFrom("a", "b", "c", "d");
const entries: Arbitrary<[string, Record<string, unknown>][]> = array(tuple(id, said), { maxLength: 6 });

const pushed = uniqueArray(tuple(id, said), { selector: ([name]) => name }).map((all) =>
  all.map(([addon_id, fields]): Assignment => ({
    ...NOTHING_SAID,
    enabled: true,
    config_json: undefined,
    ...fields,
    addon_id,
  })),
);

/** The rules, said once more and member by member. */
function expected(assignment: Assignment, entry: Record<string, unknown> | undefined): Assignment {
  const result: Record<string, unknown> = {};
  if (entry === undefined) return assignment;
  for (const name of TEXTS) if (entry[name] !== undefined && entry[name] !== "") result[name] = entry[name];
  for (const name of LISTS)
    if (Array.isArray(entry[name]) && entry[name].length > 0) result[name] = entry[name];
  if ("enabled" in entry) result["enabled"] = entry["enabled"];
  if ("config_json" in entry) result["config_json"] = entry["config_json"];
  return { ...assignment, ...result };
}

test("each override changes exactly what it says, and the order stands", () => {
  assert(
    property(pushed, entries, (assignments, local) => {
      const document = { addons: local.map(([addon_id, fields]) => ({ addon_id, ...fields })) };
      const decoded = decodeOverrides(JSON.stringify(document), "o").overrides;
      const result = applyOverrides(assignments, decoded, new Set()).assignments;
      const last = new Map(local);
      const added = [...last.keys()].filter((name) => !assignments.some(({ addon_id }) => addon_id === name));
      expect(result.map(({ addon_id }) => addon_id)).toEqual([
        ...assignments.map(({ addon_id }) => addon_id),
        ...added,
      ]);
      for (const [index, one] of result.entries()) {
        const base = assignments[index] ?? {
          ...NOTHING_SAID,
          addon_id: one.addon_id,
          enabled: true,
          config_json: undefined,
        };
        expect(one).toEqual(expected(base, last.get(one.addon_id)));
      }
      // The same overrides once more change nothing.
      expect(applyOverrides(result, decoded, new Set()).assignments).toEqual(result);
    }),
  );
});
