import { describe, expect, test } from "bun:test";
import type { ImageDigest } from "../../src/base/digest.ts";
import { compareListings, type Listed } from "../../src/pins/drift.ts";
import type { ExpectedPins } from "../../src/pins/expected-pins.ts";
import { pinRow } from "./pin-row.ts";
import { FOREIGN, NEW, OLD } from "./rows.ts";

function listed(env: string, pins: Readonly<Record<string, ImageDigest>>): Listed {
  const rows = Object.entries(pins).map(([place, digest]) => {
    const [template = "", region = "global"] = place.split("/");
    return pinRow({ template, region, digest });
  });
  return { env, rows };
}

/** Each pin in one line: `codex/global: differs, absent`. */
function driftOf(listings: readonly Listed[], expected: ExpectedPins | null = null): string[] {
  return compareListings(listings, expected).map(
    ({ template, region, drift }) => `${template}/${region}: ${drift.join(", ")}`,
  );
}

describe("pins of several environments", () => {
  const table: [string, readonly Listed[], ExpectedPins | null, string[]][] = [
    [
      "that are the same have not drifted",
      [listed("prod", { codex: NEW }), listed("lab", { codex: NEW })],
      null,
      ["codex/global: "],
    ],
    [
      "differ when one of them does, also the first",
      [listed("a", { codex: OLD }), listed("b", { codex: NEW }), listed("c", { codex: NEW })],
      null,
      ["codex/global: differs"],
    ],
    [
      "differ when only the last does",
      [listed("a", { codex: NEW }), listed("b", { codex: NEW }), listed("c", { codex: OLD })],
      null,
      ["codex/global: differs"],
    ],
    [
      "are absent where there is none",
      [listed("prod", { codex: NEW }), listed("lab", {})],
      null,
      ["codex/global: absent"],
    ],
    [
      "can differ and be absent",
      [listed("a", { codex: NEW }), listed("b", { codex: OLD }), listed("c", {})],
      null,
      ["codex/global: differs, absent"],
    ],
    [
      "are compared region by region, by name",
      [listed("prod", { hermes: NEW, "codex/eu": OLD, codex: NEW }), listed("lab", { codex: NEW })],
      null,
      ["codex/eu: absent", "codex/global: ", "hermes/global: absent"],
    ],
    [
      "are held against what is expected, also where all agree",
      [listed("prod", { codex: OLD }), listed("lab", { codex: OLD })],
      new Map([["codex/global", NEW]]),
      ["codex/global: differs"],
    ],
    [
      "that are what is expected have not drifted",
      [listed("prod", { codex: NEW })],
      new Map([["codex/global", NEW]]),
      ["codex/global: "],
    ],
    [
      "are absent when they are expected and nowhere",
      [listed("prod", {})],
      new Map([["codex/global", NEW]]),
      ["codex/global: absent"],
    ],
    [
      "that nobody expects are that alone",
      [listed("prod", { codex: NEW, other: FOREIGN }), listed("lab", { codex: NEW })],
      new Map([["codex/global", NEW]]),
      ["codex/global: ", "other/global: unexpected"],
    ],
  ];
  test.each(table)("%s", (_what, listings, expected, wanted) => {
    expect(driftOf(listings, expected)).toEqual(wanted);
  });

  test("are shown with what was expected and what was found", () => {
    const listings = [listed("prod", { "codex/eu": NEW }), listed("lab", {})];
    const found = [
      { env: "prod", digest: NEW },
      { env: "lab", digest: null },
    ];
    const pin = { template: "codex", region: "eu", found };
    expect(compareListings(listings, null)).toStrictEqual([{ ...pin, expected: null, drift: ["absent"] }]);
    expect(compareListings(listings, new Map([["codex/eu", OLD]]))).toStrictEqual([
      { ...pin, expected: OLD, drift: ["differs", "absent"] },
    ]);
  });
});
