import { expect, test } from "bun:test";
import { sha256Of } from "../../../src/base/hashing.ts";
import { STOPPED, type Sidecar } from "../../../src/addons/supervision/sidecar.ts";
import {
  askedOf,
  clears,
  whoseFault,
  type Failing,
  type Seen,
  type Whose,
} from "../../../src/addons/supervision/whose-fault.ts";

const [probe, other] = [sha256Of("tcp 80"), sha256Of("tcp 81")];
const ended: Failing = { fault: "ended", probe: null };
const neverReady: Failing = { fault: "never_ready", probe };
const unhealthy: Failing = { fault: "unhealthy", probe };
const sha256 = sha256Of("the version before");

function before(answer: Seen["answer"], fault: Seen["fault"], asked: Seen["probe"] = probe): Seen {
  return { sha256, probe: asked, answer, fault };
}

test.each<[string, Failing, string, Seen | null, Whose]>([
  ["ends", ended, "is not known", null, "version"],
  ["is never ready", neverReady, "is not known", null, "version"],
  ["ends", ended, "was well", before("well", null), "version"],
  ["ends", ended, "was degraded", before("degraded", null), "version"],
  ["ends", ended, "missed one probe", before("ill", null), "version"],
  ["ends", ended, "ended as well", before(null, "ended", null), "unwell_before"],
  ["ends", ended, "was well again after it ended", before("well", "ended"), "unwell_before"],
  ["ends", ended, "did not start", before(null, "did_not_start", null), "unwell_before"],
  ["ends", ended, "was unhealthy", before("ill", "unhealthy"), "unwell_before"],
  ["is never ready", neverReady, "was well by the same probe", before("well", null), "version"],
  ["is never ready", neverReady, "was degraded by the same probe", before("degraded", null), "version"],
  ["is never ready", neverReady, "missed the same probe", before("ill", null), "same_probe"],
  ["is never ready", neverReady, "was never ready", before(null, "never_ready"), "same_probe"],
  ["is unhealthy", unhealthy, "was never ready", before(null, "never_ready"), "same_probe"],
  ["is unhealthy", unhealthy, "was unhealthy", before("ill", "unhealthy"), "same_probe"],
  ["is unhealthy", unhealthy, "was unhealthy, and is well", before("well", "unhealthy"), "same_probe"],
  ["is unhealthy", unhealthy, "missed the same probe", before("ill", null), "same_probe"],
  ["is unhealthy", unhealthy, "ended", before(null, "ended", null), "unwell_before"],
  [
    "is never ready by a new probe",
    neverReady,
    "was well by its own",
    before("well", null, other),
    "version",
  ],
  ["is never ready by a new probe", neverReady, "missed its own", before("ill", null, other), "version"],
  [
    "is unhealthy by a new probe",
    unhealthy,
    "was unhealthy by its own",
    before("ill", "unhealthy", other),
    "unwell_before",
  ],
])("a version that %s, when the one before %p", (_how, failing, _what, seen, whose) => {
  expect(whoseFault(failing, seen)).toBe(whose);
});

test.each<[string, Partial<Sidecar>, boolean]>([
  ["answered", { answer: "well" }, true],
  ["missed a probe", { answer: "ill", fault: null }, true],
  ["was never ready", { fault: "never_ready" }, true],
  ["was unhealthy", { fault: "unhealthy" }, true],
  ["has not answered yet", {}, false],
  ["ended", { fault: "ended" }, false],
  ["did not start", { fault: "did_not_start" }, false],
])("one that %s was asked: %p", (_what, sidecar, isAsked) => {
  const health = { ...STOPPED.health, probe: { kind: "tcp", port: 80 } } as const;
  const asked = sha256Of(JSON.stringify({ kind: "tcp", port: 80 }));
  expect(askedOf({ ...STOPPED, ...sidecar, health })).toBe(isAsked ? asked : null);
});

test.each<[string, Partial<Seen>, boolean]>([
  ["the one that came back fails the same probe", {}, true],
  ["it fails another one", { probe: other }, false],
  ["it is well", { fault: null }, false],
  ["a third one fails it", { sha256: sha256Of("a third one") }, false],
])("the blame is taken away when %s: %p", (_what, more, isClear) => {
  const left = { sha256: sha256Of("left"), to: sha256, probe, cleared: false };
  expect(clears(left, { ...before(null, "never_ready"), ...more })).toBe(isClear);
});
