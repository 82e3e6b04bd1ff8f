import { describe, expect, test } from "bun:test";
import {
  boardOf,
  originOf,
  type BuildFact,
  type PinFact,
  type StopFact,
} from "../../../src/control-plane/page/board.ts";
import { lineageOf } from "../../../src/control-plane/page/lineage.ts";
import { digestOf } from "../plane.ts";

const [A, B] = [digestOf("a"), digestOf("b")];
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

function pin(env: string, digest: string, more: Partial<PinFact> = {}): PinFact {
  const row = { template: "codex", region: "global", gitSha: null, notes: null, seq: null };
  return { env, digest, ...row, at: "2026-11-21T12:00:00.000000Z", by: "api-token-1", version: 1, ...more };
}

function build(id: string, more: Partial<BuildFact> = {}): BuildFact {
  const source = { repo: "git.example.com/a", commit: COMMIT, ref: "main", dirty: false, treeHash: null };
  return {
    env: "prod",
    id,
    image: "codex",
    digest: null,
    ...source,
    contextSha256: A.slice(7),
    at: "2026-11-21T11:00:00Z",
    by: "ci",
    ...more,
  };
}

function stop(kind: StopFact["kind"], more: Partial<StopFact> = {}): StopFact {
  return { env: "prod", kind, template: "codex", scope: "global", reason: "r", at: "t", by: "b", ...more };
}

describe("drift", () => {
  const cases: [string, readonly string[], readonly PinFact[], string | null][] = [
    ["of equal digests is none", ["prod", "staging"], [pin("prod", A), pin("staging", A)], "same"],
    ["of two digests is one", ["prod", "staging"], [pin("prod", A), pin("staging", B)], "differs"],
    ["is not what a missing pin is", ["prod", "staging"], [pin("prod", A)], "incomplete"],
    ["needs two environments", ["prod"], [pin("prod", A)], null],
    [
      "of three with two digests and a gap is still one",
      ["a", "b", "c"],
      [pin("a", A), pin("b", B)],
      "differs",
    ],
  ];
  test.each(cases)("%s", (_name, envs, pins, drift) => {
    expect(boardOf(envs, pins, [], []).rows.map((row) => row.drift)).toEqual([drift] as never);
  });
});

test("rows are by template and region, cells by environment", () => {
  const pins = [pin("staging", B, { region: "eu" }), pin("prod", A), pin("prod", A, { template: "a" })];
  const { rows } = boardOf(["prod", "staging"], pins, [], []);
  expect(
    rows.map((row) => [row.template, row.region, row.cells.map((cell) => cell?.pin.digest ?? null)]),
  ).toEqual([
    ["a", "global", [A, null]],
    ["codex", "eu", [null, B]],
    ["codex", "global", [A, null]],
  ]);
});

describe("a stop is shown at", () => {
  const cases: [string, StopFact, boolean][] = [
    ["its own pin when it holds it", stop("held"), true],
    ["no pin of another region", stop("held", { scope: "eu" }), false],
    ["the pin of the digest that it vetoes", stop("vetoed", { scope: A }), true],
    ["no pin of another digest", stop("vetoed", { scope: B }), false],
    ["every pin of a frozen environment", stop("frozen", { template: "", scope: "" }), true],
    ["no pin of another environment", stop("frozen", { env: "staging" }), false],
    ["no pin of another template", stop("held", { template: "hermes" }), false],
  ];
  test.each(cases)("%s", (_name, one, shown) => {
    const [row] = boardOf(["prod"], [pin("prod", A)], [one], []).rows;
    expect(row?.cells[0]?.stops).toEqual(shown ? [one] : []);
  });
});

describe("the build of a pin is", () => {
  const short = COMMIT.slice(0, 7);
  const cases: [string, PinFact, readonly BuildFact[], readonly [string, string] | null][] = [
    [
      "the newest with its digest",
      pin("p", A),
      [build("2", { digest: A }), build("1", { digest: A })],
      ["2", "by digest"],
    ],
    ["never one with another digest", pin("p", A, { gitSha: COMMIT }), [build("1", { digest: B })], null],
    ["likely one of its commit", pin("p", A, { gitSha: short }), [build("1")], ["1", "by commit"]],
    ["unknown without a commit", pin("p", A), [build("1")], null],
    ["unknown when no commit begins so", pin("p", A, { gitSha: "fffffff" }), [build("1")], null],
    [
      "by its digest rather than by a newer commit",
      pin("p", A, { gitSha: short }),
      [build("2"), build("1", { digest: A })],
      ["1", "by digest"],
    ],
  ];
  test.each(cases)("%s", (_name, one, builds, wanted) => {
    const origin = originOf(one, builds);
    expect(origin === null ? null : [origin.build.id, origin.known]).toEqual(wanted as never);
  });
});

describe("a lineage", () => {
  const hrefOf = (): string => "/x";
  const keys = (...found: Parameters<typeof lineageOf>): string[] =>
    lineageOf(...found).edges.map(({ from, to }) => `${from} > ${to}`);

  test("goes from the commit over builds and the digest to pins and hosts", () => {
    const add = {
      env: "prod",
      addonId: "x",
      version: "1",
      platform: "linux/amd64",
      audiences: ["h1"],
    };
    expect(keys(A, [build("1", { digest: A })], [pin("prod", A)], [add], [], hrefOf)).toEqual([
      "build 1 > digest",
      `commit ${COMMIT} > build 1`,
      "digest > pin prod codex global",
      "digest > package prod x 1",
      "package prod x 1 > host h1",
    ]);
  });

  test("ends at the hosts that say that they have it, a dozen of them by name", () => {
    const add = { env: "prod", addonId: "x", version: "1", platform: "linux/amd64" };
    const hosts = Array.from({ length: 14 }, (_, at) => ({
      ...{ env: "prod", host: `h${at}`, addonId: "x", version: "1", state: "circuit_open" },
    }));
    const other = { ...hosts[0]!, host: "own", version: "2" };
    const assigned = { ...add, audiences: ["", "h0", "role=edge"] };
    const { steps, edges } = lineageOf(A, [], [], [assigned], [other, ...hosts], hrefOf);
    const at = steps
      .filter(({ stage }) => stage === "host")
      .map(({ title, detail }) => `${title}: ${detail}`);
    expect(at.slice(0, 4)).toEqual([
      "every host: assigned",
      "hosts with role=edge: assigned",
      "own: has it, circuit open",
      "h0: has it, circuit open",
    ]);
    expect([at.length, at.at(-1)]).toEqual([15, "3 more hosts: say that they have it"]);
    const into = (to: string): string[] => edges.filter((edge) => edge.to === to).map(({ from }) => from);
    expect([into("runs prod own"), into("runs prod h0")]).toEqual([["digest"], ["package prod x 1"]]);
  });

  test("takes no build of another digest, and says what is missing", () => {
    const { steps, missing } = lineageOf(A, [build("1", { digest: B })], [], [], [], hrefOf);
    expect(steps.map(({ key }) => key)).toEqual(["digest"]);
    expect(missing).toEqual([
      "no build record names this digest: what it was built from is not proven here",
      "nothing here is pinned to it, and no add-on has it",
    ]);
  });

  test("a commit that only the promotion named is doubted, and so is a dirty build", () => {
    const said = lineageOf(A, [], [pin("prod", A, { gitSha: COMMIT })], [], [], hrefOf);
    expect(said.steps.filter(({ doubt }) => doubt !== null).map(({ key }) => key)).toEqual([
      `commit ${COMMIT}`,
    ]);
    const dirty = lineageOf(A, [build("1", { digest: A, dirty: true })], [pin("prod", A)], [], [], hrefOf);
    expect(dirty.steps.filter(({ doubt }) => doubt !== null).map(({ key }) => key)).toEqual(["build 1"]);
  });
});
