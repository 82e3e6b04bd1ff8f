import { describe, expect, test } from "bun:test";
import { allowedCapabilities } from "../../src/addons/assigned/capabilities.ts";
import { capabilityStrategy, type CapabilityFacts } from "../../src/addons/assigned/capability-strategy.ts";
import { refusalOf } from "../trust/refusal.ts";

const FACTS: CapabilityFacts = {
  capabilities: ["cap_net_raw"],
  supervision: "ephemeral_helper",
  isHost: true,
  isNoSuid: false,
  noNewPrivileges: false,
};

describe("a program gets its capabilities", () => {
  const rows: [string, Partial<CapabilityFacts>, "none" | "ambient" | "file"][] = [
    ["on its file", {}, "file"],
    ["on the file of a sidecar", { supervision: "agent_sidecar" }, "file"],
    ["not, when it has none", { capabilities: [], isNoSuid: true }, "none"],
    ["from the unit of a service", { supervision: "systemd_service" }, "ambient"],
    ["from the unit of a timer", { supervision: "systemd_timer" }, "ambient"],
    [
      "from its unit, also where files have none",
      { supervision: "systemd_timer", isNoSuid: true, noNewPrivileges: true },
      "ambient",
    ],
    ["on the other host, when it is staged for one", { isHost: false, isNoSuid: true }, "none"],
  ];
  test.each(rows)("%s", (_what, facts, kind) => {
    expect(capabilityStrategy({ ...FACTS, ...facts }).kind).toBe(kind);
  });

  const void_: [string, Partial<CapabilityFacts>, string][] = [
    ["its root is mounted nosuid", { isNoSuid: true }, "nosuid"],
    ["new privileges are not given", { noNewPrivileges: true }, "no_new_privs"],
  ];
  test.each(void_)("or is refused where %s", (_what, facts, word) => {
    const failure = refusalOf(() => capabilityStrategy({ ...FACTS, ...facts }));
    expect(failure.code).toBe("capability_unavailable");
    expect(failure.message).toContain(word);
  });

  test("that are allowed, each once and in order; the first other one is named", () => {
    expect(allowedCapabilities([" CAP_NET_RAW ", "cap_net_raw", "cap_net_admin"])).toEqual([
      "cap_net_admin",
      "cap_net_raw",
    ]);
    const failure = refusalOf(() => allowedCapabilities(["cap_net_raw", "cap_x", "cap_y"]));
    expect([failure.code, failure.message]).toEqual([
      "capability_unsafe",
      'os_capabilities has "cap_x", which no add-on is given',
    ]);
  });
});
