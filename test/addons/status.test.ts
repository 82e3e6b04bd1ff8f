import { describe, expect, test } from "bun:test";
import { NOTHING_SAID, type Assignment } from "../../src/addons/assigned/assignment.ts";
import type { HostList } from "../../src/addons/assigned/host-list.ts";
import type { HostAddon } from "../../src/addons/on-host/inventory.ts";
import { Layout } from "../../src/addons/on-host/layout.ts";
import { safeName } from "../../src/addons/names.ts";
import { NO_SPECS, type Specs } from "../../src/addons/on-host/spec.ts";
import { describeStatus, statusOf, type StatusDocument } from "../../src/addons/operations/status.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { specNamed } from "./specs.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const ID = safeName("sensor", "the add-on");
const LAYOUT = new Layout("/r", "waybill");
const PLATFORM = { os: "linux", arch: "amd64" };

function here(specs: Partial<Specs> = {}, folders: string[] = []): HostAddon {
  return {
    id: ID,
    paths: LAYOUT.addon(ID),
    current: null,
    specs: { ...NO_SPECS, ...specs },
    warnings: [],
    folders: folders.map((folder) => ({ folder: safeName(folder, "the folder"), record: null, stagedMs: 0 })),
  };
}

function assigned(more: Partial<Assignment> = {}): Assignment {
  return {
    ...NOTHING_SAID,
    addon_id: "sensor",
    enabled: true,
    config_json: undefined,
    version: "2",
    artifact_object_key: "a",
    artifact_sha256: sha256Of("2"),
    ...more,
  };
}

const listOf = (...assignments: Assignment[]): HostList => ({
  pushed: assignments,
  overrides: [],
  assignments,
  refused: [],
  warnings: [],
});

function statuses(addons: HostAddon[], list: HostList | null): StatusDocument[] {
  return statusOf(addons, list, PLATFORM, LAYOUT, NOW);
}

function status(addon: HostAddon | null, list: HostList | null): StatusDocument | undefined {
  return statuses(addon === null ? [] : [addon], list)[0];
}

const NOTHING = {
  addon_id: "sensor",
  has: null,
  keys_wanted: 1,
  statement: null,
  offered: null,
  last_known_good: null,
  highest_version: null,
  pinned: null,
  blocked: [],
  versions: [],
} as const;

describe("the status of an add-on", () => {
  test("of which nothing is known tells that", () => {
    expect(status(here(), null)).toEqual({ ...NOTHING, state: "unknown" });
    expect(status(here(), listOf())).toEqual({ ...NOTHING, state: "not_assigned" });
    expect(statuses([], null)).toEqual([]);
  });

  test("that is assigned and not here tells what is offered", () => {
    expect(status(null, listOf(assigned()))).toEqual({
      ...NOTHING,
      state: "not_staged",
      offered: { version: "2", digest: `sha256:${sha256Of("2")}`, enabled: true },
    });
    const bare = { artifact_object_key: "", artifact_sha256: "" } as const;
    expect(status(null, listOf(assigned({ ...bare, enabled: false })))).toMatchObject({
      state: "disabled",
      offered: { version: "2", digest: null, enabled: false },
    });
    expect(status(null, listOf(assigned({ enabled: false })))?.offered?.digest).toBe(
      `sha256:${sha256Of("2")}`,
    );
  });

  test("that is here tells all that is known", () => {
    const pinned = { artifact_sha256: sha256Of("1"), version: "1", reason: "why" };
    const specs = {
      active: specNamed("1", { keyid: "k" }),
      last_known_good: specNamed("0"),
      highest_version: "3",
      blocked: [sha256Of("3")],
      pinned,
      signer_mark: { keys: 2, root_version: 1 },
    };
    expect(status(here(specs, ["1", "0"]), listOf())).toEqual({
      addon_id: "sensor",
      state: "not_assigned",
      has: { version: "1", digest: `sha256:${sha256Of("1")}`, folder: "1", keyid: "k", keyids: ["k"] },
      keys_wanted: 2,
      statement: null,
      offered: null,
      last_known_good: "0",
      highest_version: "3",
      pinned: { version: "1", reason: "why" },
      blocked: [`sha256:${sha256Of("3")}`],
      versions: ["1", "0"],
    });
    expect(status(here({ active: specNamed("1") }), listOf())?.has?.keyid).toBeNull();
  });

  test.each([
    ["", { expires: null, expired: false }],
    ["2026-11-21T12:00:00.001Z", { expires: "2026-11-21T12:00:00.001Z", expired: false }],
    ["2026-11-21T12:00:00.000Z", { expires: "2026-11-21T12:00:00.000Z", expired: true }],
  ])("with a statement until %p tells whether it holds", (expires, statement) => {
    const stated = { envelope: "{}", keyid: "k", signers: ["k"], size: 1, expires, minimum_version: "" };
    expect(status(here({ active: specNamed("1", { stated }) }), null)?.statement).toEqual(statement);
  });

  const forPlatforms = (here: string, other: string): Partial<Assignment> => ({
    artifact_object_key: "",
    artifact_sha256: "",
    artifacts: {
      "linux/amd64": { object_key: "a", sha256: sha256Of(here), signature: "", statement: "" },
      "linux/arm64": { object_key: "b", sha256: sha256Of(other), signature: "", statement: "" },
    },
  });
  const of = (version: string): Partial<Specs> => ({ active: specNamed(version) });
  const pinnedTo = (version: string): Partial<Specs> => ({
    pinned: { artifact_sha256: sha256Of(version), version, reason: "" },
  });
  test.each<[string, Partial<Specs>, Partial<Assignment>, StatusDocument["state"]]>([
    ["has what is offered", of("2"), {}, "current"],
    ["has what is offered for its platform", of("2"), forPlatforms("2", "1"), "current"],
    ["has what is offered for another platform", of("1"), forPlatforms("2", "1"), "behind"],
    ["has something else", of("1"), {}, "behind"],
    ["has nothing", {}, {}, "not_staged"],
    ["is switched off", of("2"), { enabled: false }, "disabled"],
    ["is pinned to what it has", { ...of("1"), ...pinnedTo("1") }, {}, "pinned"],
    ["is pinned to something else", { ...of("1"), ...pinnedTo("0") }, {}, "behind"],
    [
      "was rolled back from what is offered",
      { ...of("1"), blocked: [sha256Of("3"), sha256Of("2")] },
      {},
      "blocked",
    ],
    ["was rolled back from something else", { ...of("1"), blocked: [sha256Of("3")] }, {}, "behind"],
  ])("that %s", (_what, specs, more, state) => {
    expect(status(here(specs), listOf(assigned(more)))?.state).toBe(state);
  });

  test("stands before what is assigned and not here, once each", () => {
    const list = listOf(assigned({ addon_id: "other" }), assigned());
    expect(statuses([here()], list).map(({ addon_id: id }) => id)).toEqual(["sensor", "other"]);
  });

  test("is one line for people", () => {
    const all = statuses([here(of("1"))], listOf(assigned(), assigned({ addon_id: "other" })));
    expect(describeStatus(all)).toBe(
      "sensor: has 1, offered 2: behind\nother: has nothing, offered 2: not_staged\n",
    );
    const marked = { signer_mark: { keys: 2, root_version: 1 } };
    const told = [here(), here(marked), here({ ...of("1"), ...marked })].map((one) =>
      describeStatus(statuses([one], null)),
    );
    expect(told).toEqual([
      "sensor: has nothing, offered nothing: unknown\n",
      "sensor: has nothing, offered nothing: unknown\n",
      "sensor: has 1, offered nothing: unknown, 0 of 2 keys signed\n",
    ]);
  });
});
