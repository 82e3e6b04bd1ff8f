import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Board, LIST, NEW, OLD, PROMOTE } from "../pins/rows.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { scriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const FORK = {
  pull_request: { head: { repo: { full_name: "evil/app" } }, base: { repo: { full_name: "org/app" } } },
};
const OWN = {
  pull_request: { head: { repo: { full_name: "org/app" } }, base: { repo: { full_name: "org/app" } } },
};
const PULL = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "pull_request" };
const JENKINS = { JENKINS_URL: "https://ci.example/", BUILD_ID: "1", CHANGE_ID: "7" };
const TARGET = { ...PULL, GITHUB_EVENT_NAME: "pull_request_target" };

const CASES: readonly [string, Record<string, string>, unknown, readonly string[], number][] = [
  ["a push", { GITHUB_EVENT_NAME: "push" }, OWN, [], 0],
  ["a pull request", PULL, OWN, [], 5],
  ["one with the secrets of the repository", TARGET, OWN, [], 5],
  ["one that is allowed", PULL, OWN, ["--allow-event", "pull_request"], 0],
  ["another one than is allowed", TARGET, OWN, ["--allow-event", "pull_request"], 5],
  ["one from a fork, allowed or not", TARGET, FORK, ["--allow-event", "pull_request_target"], 5],
  ["one whose event is broken", PULL, "{", ["--allow-event", "pull_request"], 5],
  ["one without an event", PULL, undefined, ["--allow-event", "pull_request"], 5],
  ["a run that follows one, and no event", { ...PULL, GITHUB_EVENT_NAME: "workflow_run" }, undefined, [], 5],
  ["a change in Jenkins", JENKINS, undefined, [], 5],
  ["one that is allowed there", JENKINS, undefined, ["--allow-event", "pull_request"], 0],
  [
    "one from a fork there",
    { ...JENKINS, CHANGE_FORK: "evil" },
    undefined,
    ["--allow-event", "pull_request"],
    5,
  ],
  ["one in Buildkite", { BUILDKITE: "true", BUILDKITE_PULL_REQUEST: "7" }, undefined, [], 5],
  ["a branch in Buildkite", { BUILDKITE: "true", BUILDKITE_PULL_REQUEST: "false" }, undefined, [], 0],
  ["one in Woodpecker", { CI: "woodpecker", CI_COMMIT_PULL_REQUEST: "7" }, undefined, [], 5],
  ["one with words for the runner", { GITHUB_EVENT_NAME: "pull_request\n::stop-commands::x" }, OWN, [], 5],
];

test.each(CASES)("%s", async (_what, env, event, more, code) => {
  const board = new Board(OLD);
  await using server = await scriptedServer({ [LIST]: board.list, [PROMOTE]: board.promote });
  using folder = temporaryFolder();
  const path = folder.at("event.json");
  if (event !== undefined) writeFileSync(path, typeof event === "string" ? event : JSON.stringify(event));
  const args = [
    "--template",
    "codex",
    "--digest",
    NEW,
    "--target",
    `prod=${server.url}`,
    "--allow-insecure-http",
    "--json",
  ];
  const variables = {
    ...env,
    WAYBILL_TOKEN_PROD: "token-of-prod",
    ...(event === undefined ? {} : { GITHUB_EVENT_PATH: path }),
  };
  const run = await runWaybill(["promote", ...args, ...more], { env: variables });
  expect(run.code).toBe(code);
  expect(run.stderr).not.toMatch(/^::stop/mu);
  if (code === 0) return;
  expect(jsonOf(run)).toMatchObject({ ok: false, legs: [], error: { code: "policy_denied" } });
  expect(server.connections()).toBe(0);
  // Reading is not promoting.
  expect((await runWaybill(["verify", "pin", ...args], { env: variables })).code).toBe(8);
});

test("is said before a missing secret is, which such a run often lacks", async () => {
  const args = [
    "promote",
    "--template",
    "codex",
    "--digest",
    NEW,
    "--target",
    "prod=https://cp.invalid",
    "--json",
  ];
  const run = await runWaybill(args, { env: PULL });
  expect(jsonOf(run)).toMatchObject({ exit_code: 5, error: { code: "policy_denied" } });
});
