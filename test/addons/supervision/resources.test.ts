import { describe, expect, test } from "bun:test";
import { decodeResources } from "../../../src/addons/supervision/resources.ts";
import type { JsonValue } from "../../../src/base/json.ts";
import { refusalOf } from "../../trust/refusal.ts";

describe("what an add-on may use of a host", () => {
  test.each<[string, JsonValue | undefined, object]>([
    ["nothing said", undefined, {}],
    ["null", null, {}],
    ["an empty object", {}, {}],
    ["what the wire writes for nothing", { cpu_max_percent: 0, slice: "", tasks_max: null }, {}],
    [
      "everything",
      { cpu_max_percent: 150, memory_max_bytes: 2, memory_high_bytes: 1, tasks_max: 1, slice: "a-B_9.slice" },
      { cpu_max_percent: 150, memory_max_bytes: 2, memory_high_bytes: 1, tasks_max: 1, slice: "a-B_9.slice" },
    ],
    ["parts of a percent", { cpu_max_percent: 12.5 }, { cpu_max_percent: 13 }],
    ["less than a percent", { cpu_max_percent: 0.2 }, { cpu_max_percent: 1 }],
    ["a thousand processors", { cpu_max_percent: 100_000 }, { cpu_max_percent: 100_000 }],
    ["a long name", { slice: `${"s".repeat(100)}.slice` }, { slice: `${"s".repeat(100)}.slice` }],
    ["members of another version", { gpus: 1 }, {}],
  ])("%s", (_what, said, resources) => {
    expect<object>(decodeResources(said)).toEqual(resources);
  });

  const percent = "resources: cpu_max_percent is not a percentage; wanted a number above 0";
  test.each<[string, JsonValue, string]>([
    ["a list", [], "resources: the document is a list; wanted an object"],
    ["text", "2 GB", 'resources: the document is "2 GB"; wanted an object'],
    ["less than nothing", { cpu_max_percent: -1 }, percent],
    ["more processors than there are", { cpu_max_percent: 100_001 }, percent],
    ["a percentage as text", { cpu_max_percent: "5" }, percent],
    ["no byte", { memory_max_bytes: -1 }, `memory_max_bytes is -1; wanted 1 to ${Number.MAX_SAFE_INTEGER}`],
    ["a name that is no slice", { slice: "a.service" }, 'slice is "a.service"; wanted the name of a slice'],
    ["a slice with a path before it", { slice: "/a.slice" }, 'slice is "/a.slice"'],
    ["more behind a slice", { slice: "a.slice x" }, 'slice is "a.slice x"'],
  ])("not %s", (_what, said, message) => {
    const refusal = refusalOf(() => decodeResources(said));
    expect(refusal).toMatchObject({ code: "input_invalid", message: expect.stringContaining(message) });
  });
});
