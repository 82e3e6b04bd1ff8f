import { describe, expect, test } from "bun:test";
import { auditLine, checkChain, EMPTY_LOG, headAfter } from "../../src/addons/audit/audit-chain.ts";
import { eventOf } from "../../src/addons/audit/audit-events.ts";
import type { Spec } from "../../src/addons/on-host/spec.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { specNamed } from "./specs.ts";

const TIME = "2026-11-21T12:00:00.000Z";

/** The lines of a log in which these things happened. */
function logOf(...events: string[]): string[] {
  let head = EMPTY_LOG;
  return events.map((event) => {
    const line = auditLine(head, { event, addon_id: "sensor" }, TIME);
    head = headAfter(head, line);
    return line;
  });
}

const LINES = logOf("staged", "activated", "restored");
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

describe("the log of what was done", () => {
  test("begins with nothing, and each line names the one before", () => {
    expect(EMPTY_LOG).toEqual({ seq: 0, digest: "0".repeat(64) });
    const [first = "", second = ""] = LINES;
    expect(JSON.parse(first)).toEqual({
      seq: 1,
      time: TIME,
      event: "staged",
      addon_id: "sensor",
      prev: "0".repeat(64),
    });
    expect(JSON.parse(second)).toMatchObject({ seq: 2, prev: sha256Of(first) });
  });

  test.each([0, 1, 3])("of %i lines holds, and tells its last digest", (count) => {
    const last = count === 0 ? "0".repeat(64) : sha256Of(LINES[count - 1] ?? "");
    expect(checkChain(textOf(LINES.slice(0, count)))).toEqual({ lines: count, head: last, problem: null });
  });

  test.each([EMPTY_LOG.digest, ...LINES.map((line) => sha256Of(line))])(
    "has the noted digest %s",
    (noted) => {
      expect(checkChain(textOf(LINES), noted).problem).toBeNull();
    },
  );

  test("of which the end was cut off lacks the digest that was noted", () => {
    const noted = sha256Of(LINES[2] ?? "");
    expect(checkChain(textOf(LINES.slice(0, 2)), noted)).toMatchObject({
      lines: 2,
      problem: `no line has the digest ${noted}, which was noted earlier`,
    });
    // Though the text may come back where nobody looks.
    expect(checkChain("", noted).problem).toContain("no line has the digest");
  });

  const [one = "", two = "", three = ""] = LINES;
  const [, other = ""] = logOf("staged", "rolled_back");
  const broken: [string, string, number, string][] = [
    ["a line is gone", textOf([one, three]), 1, "line 2 has the number 3"],
    ["a line is there twice", textOf([one, one]), 1, "line 2 has the number 1"],
    [
      "the first line is another one",
      textOf([one.replace("staged", "stated"), two]),
      1,
      "line 2 does not follow",
    ],
    ["a line is of another log", textOf([logOf("removed")[0] ?? "", other]), 1, "line 2 does not follow"],
    ["a line is no JSON", textOf([one, "x"]), 1, "line 2 is not"],
    ["a line says nothing", textOf([one, "{}"]), 1, "line 2: seq is missing; wanted a whole number; time is"],
    ["a line is empty", textOf([one, ""]), 1, "line 2 is not"],
    ["a line has no end", `${textOf([one])}${two}`, 1, "the last line has no end"],
  ];
  test.each(broken)("does not hold when %s", (_what, text, lines, problem) => {
    const found = checkChain(text);
    expect([found.lines, found.problem]).toEqual([lines, expect.stringContaining(problem)]);
  });

  test.each(["seq", "time", "event", "addon_id", "prev"])("does not hold without %p", (member) => {
    const { [member]: _, ...rest } = JSON.parse(one) as Record<string, unknown>;
    expect(checkChain(`${JSON.stringify(rest)}\n`).problem).toStartWith(`line 1: ${member} is missing`);
  });
});

describe("what is noted of a step", () => {
  const spec: Spec = { ...specNamed("1"), keyid: "k" };
  const what = { addon_id: "sensor", version: "1", sha256: spec.artifact_sha256 };

  test.each([
    ["stage", "staged"],
    ["replace", "staged"],
    ["repair", "repaired"],
    ["activate", "activated"],
    ["reconfigure", "reconfigured"],
    ["restore", "restored"],
  ] as const)("after %p is %p", (action, event) => {
    expect(eventOf(action, spec, [])).toEqual([{ event, ...what, keyid: "k" }]);
  });

  test("names every key, where several signed", () => {
    const stated = { envelope: "{}", size: 1, expires: "", minimum_version: "", keyid: "k" };
    const signedBy = (...signers: string[]): unknown =>
      eventOf("stage", { ...spec, stated: { ...stated, signers } }, []);
    expect(signedBy("k")).toStrictEqual([{ event: "staged", ...what, keyid: "k" }]);
    expect(signedBy("k", "l")).toStrictEqual([{ event: "staged", ...what, keyid: "k", keyids: ["k", "l"] }]);
    expect(signedBy("l", "m")).toStrictEqual([
      { event: "staged", ...what, keyid: "k", keyids: ["k", "l", "m"] },
    ]);
  });

  test("is nothing where nothing was done", () => {
    expect(eventOf("none", spec, [{ code: "unsigned_allowed", message: "m" }])).toEqual([]);
  });

  test("begins with what stood against it", () => {
    const [warned, done] = eventOf("stage", specNamed("1"), [{ code: "unsigned_allowed", message: "m" }]);
    expect([warned, done]).toStrictEqual([
      { event: "unsigned_allowed", ...what },
      { event: "staged", ...what },
    ]);
  });
});
