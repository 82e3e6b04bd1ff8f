import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../../src/base/hashing.ts";
import { configVersion, deliver } from "../../../src/control-plane/addons/delivery.ts";
import type { Package, PackageArtifact } from "../../../src/control-plane/addons/package-request.ts";

const SHA = sha256Of("x");
const WHOLE: PackageArtifact = { object_key: "k", sha256: SHA };

function published(delivery: string, artifacts: Record<string, PackageArtifact>): Package {
  return {
    addon_id: "a",
    version: "1",
    binary: "a",
    delivery,
    supervision: "agent_sidecar",
    args: [],
    config_json: {},
    capabilities: [],
    artifacts,
  };
}

describe("selection by platform", () => {
  const cases: readonly (readonly [string, Package, boolean, boolean])[] = [
    ["the exact platform", published("pushed_artifact", { "linux/amd64": WHOLE }), true, true],
    ["another platform", published("pushed_artifact", { "linux/arm64": WHOLE }), false, false],
    ["an alias", published("pushed_artifact", { "linux/x86_64": WHOLE }), false, false],
    ["no key", published("pushed_artifact", { "linux/amd64": { sha256: SHA } }), false, false],
    ["no digest", published("pushed_artifact", { "linux/amd64": { object_key: "k" } }), false, false],
    ["an installed program without artifact", published("os_package", {}), true, false],
    ["an installed program with artifact", published("os_package", { "linux/amd64": WHOLE }), true, true],
    ["what Object has", published("pushed_artifact", Object.create({ "linux/amd64": WHOLE })), false, false],
  ];
  for (const [name, one, delivered, withArtifact] of cases) {
    test(name, () => {
      const list = deliver([{ addon_id: "a", version: "1", enabled: true }], [one], "linux/amd64");
      expect(list.length).toBe(delivered ? 1 : 0);
      expect(list[0]?.artifact_sha256 !== undefined).toBe(withArtifact);
    });
  }
});

test("a host's assignment wins in either order, also with another version", () => {
  const one = published("os_package", {});
  const two = { ...one, version: "2" };
  const general = { addon_id: "a", version: "1", enabled: true };
  const own = { addon_id: "a", version: "2", enabled: true, host: "h" };
  for (const order of [
    [general, own],
    [own, general],
  ]) {
    expect(deliver(order, [one, two], "linux/amd64").map((each) => each.version)).toEqual(["2"]);
  }
});

test("the list is by id", () => {
  const ids = ["b", "a", "B", "a-b"];
  const packages = ids.map((addon_id) => ({ ...published("os_package", {}), addon_id }));
  const assignments = ids.map((addon_id) => ({ addon_id, version: "1", enabled: true }));
  expect(deliver(assignments, packages, "linux/amd64").map((one) => one.addon_id)).toEqual([
    "B",
    "a",
    "a-b",
    "b",
  ]);
});

test("the version is of the contents, not of the order of members", () => {
  const [one] = deliver(
    [{ addon_id: "a", version: "1", enabled: true }],
    [published("os_package", {})],
    "linux/amd64",
  );
  if (one === undefined) throw new Error("nothing was delivered");
  const version = configVersion([{ ...one, config_json: { x: 1, y: { p: 1, q: 2 } } }]);
  expect(configVersion([{ ...one, config_json: { y: { q: 2, p: 1 }, x: 1 } }])).toBe(version);
  expect(configVersion([{ ...one, config_json: { x: 1, y: { p: 1, q: 3 } } }])).not.toBe(version);
  expect(configVersion([])).toBe(`v${sha256Of("[]")}`);
});
