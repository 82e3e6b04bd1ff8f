import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { scriptedServer, type Plan } from "../support/scripted-server.ts";
import { parsedOutputs } from "../support/step-outputs.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const TOKEN = "tok/en+1234==abcd";

/** How a job knows where it runs. */
const VENDORS: readonly [string, Readonly<Record<string, string>>][] = [
  ["GitHub", { CI: "true", GITHUB_ACTIONS: "true" }],
  ["Gitea", { CI: "true", GITHUB_ACTIONS: "true", GITEA_ACTIONS: "true" }],
  ["Forgejo", { CI: "true", FORGEJO_ACTIONS: "true" }],
  ["GitLab", { CI: "true", GITLAB_CI: "true" }],
  ["Azure", { TF_BUILD: "True" }],
  ["TeamCity", { TEAMCITY_VERSION: "2026.1" }],
  ["Jenkins", { JENKINS_URL: "https://ci.example", BUILD_NUMBER: "1" }],
];

/** What any of these runners, a terminal, or a reader of Markdown or XML would act on. */
const EVIL = [
  "::stop-commands::x",
  "::error file=a,line=1::b",
  "::add-mask::a",
  "::set-output name=digest::evil",
  "::group::a",
  "##[error]boom",
  "##[group]a",
  "##vso[task.setvariable variable=a]b",
  "##vso[task.complete result=Succeeded;]",
  "##teamcity[buildStatus status='SUCCESS']",
  "section_start:1700000000:a[collapsed=true]\r\u001b[0K",
  "\u001b[8mha:AAAA\u001b[0m",
  "\u001b]0;title\u0007\u009b31m\u202eabc\u2028::warning::x",
  "\r\n::stop-commands::y\n",
  "| a | b |\n|---|---|\n</td></table><img src=x> `c` [d](https://evil.example) @everyone",
  '"><system-out>x</system-out><!-- ]]> &#0;',
  "waybill_out<<EOF\nok=true\nEOF\n",
  `Bearer ${TOKEN}`,
].join(" ");

const ANSWERS: readonly [string, Plan][] = [
  ["an error", { [LIST]: { status: 500, body: EVIL } }],
  [
    "who promoted",
    { [LIST]: listing(row(OLD, { promoted_by: EVIL, promoted_at: EVIL })), [PROMOTE]: { body: EVIL } },
  ],
  [
    "names of templates",
    { [LIST]: listing(row(OLD, { template_name: EVIL })), [PROMOTE]: { status: 400, body: EVIL } },
  ],
  ["a digest", { [LIST]: listing(row(EVIL)) }],
];

const OBEYED = /^\s*::[a-z-]+(?:::| .*::)|##\[|##vso\[|##teamcity\[|section_(?:start|end):/imu;
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

describe.each(VENDORS)("under %s hostile text is text in every sink", (_vendor, environment) => {
  test.concurrent.each(ANSWERS)("%s", async (_what, plan) => {
    await using server = await scriptedServer(plan);
    using folder = temporaryFolder();
    const [outputs, summary, junit] = [folder.at("out"), folder.at("summary"), folder.at("junit.xml")];
    for (const path of [outputs, summary]) writeFileSync(path, "");
    const args = [
      ...["promote", "--template", "codex", "--digest", NEW, "--target", `prod=${server.url}`],
      ...["--allow-insecure-http", "--retry-interval", "5ms", "--for", "10ms", "--timeout", "10s"],
      ...["--verbose", "-o", `junit=${junit}`],
    ];
    const env = {
      ...environment,
      WAYBILL_TOKEN_PROD: TOKEN,
      GITHUB_OUTPUT: outputs,
      GITHUB_STEP_SUMMARY: summary,
    };
    const run = await runWaybill(args, { env });
    const document = jsonOf(await runWaybill([...args, "--json"], { env }));
    expect(run.code).toBeGreaterThan(3);
    expect(document["exit_code"]).toBe(run.code);

    // The log: our own commands are known by their beginning, and no line holds another one.
    const own =
      /^::(?:error|warning) title=waybill[a-z_ ]*::|^::add-mask::.*$|^\u001b\[0Ksection_(?:start:\d+:waybill_\d+\[collapsed=true\]|end:\d+:waybill_\d+)\r\u001b\[0K/u;
    const rest = run.stderr.split("\n").map((line) => line.replace(own, ""));
    for (const line of [...rest, ...run.stdout.split("\n")]) {
      expect(line).not.toMatch(OBEYED);
      expect(line).not.toMatch(CONTROL);
      expect(line.length).toBeLessThan(65_536);
      expect(line).not.toContain(TOKEN);
    }
    // Plain text stands beside every annotation, for the runners that show none.
    expect(run.stderr).toContain("error: prod: ");
    const known = Object.keys(environment).some((name) => name.endsWith("_ACTIONS"));
    expect(run.stderr.split("\n").filter((line) => line.startsWith("::error title=waybill ")).length).toBe(
      known ? 1 : 0,
    );
    expect(run.stderr.split("\n").filter((line) => line.startsWith("::add-mask::"))).toEqual(
      known ? [`::add-mask::${TOKEN}`] : [],
    );

    // The outputs: exactly the names that we write, each with a value of its own grammar.
    const values = parsedOutputs(readFileSync(outputs, "utf8"));
    expect(Object.keys(values).sort()).toEqual(OUTPUTS);
    expect(values).toMatchObject({ ok: "false", exit_code: String(run.code), digest: NEW });
    expect(Object.values(values).join("")).not.toContain("evil");

    // The summary: two runs, a table each, and nothing in them but our own tags.
    const html = Bun.markdown.html(readFileSync(summary, "utf8"), { autolinks: true, tables: true });
    const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/gu)].map(([, tag = ""]) => tag));
    expect([...tags].sort()).toEqual(["code", "p", "strong", "table", "tbody", "td", "th", "thead", "tr"]);
    expect(html.match(/<tr>/gu)).toHaveLength(4);
    expect(html).not.toContain(TOKEN);

    // The JUnit report.
    const report = readFileSync(junit, "utf8");
    expect(report).not.toContain(TOKEN);
    expect(report).not.toMatch(OBEYED);
    expect(report.match(/<[a-z-]+/gu)?.filter((tag) => tag !== "<failure" && tag !== "<error")).toEqual([
      "<testsuites",
      "<testsuite",
      "<testcase",
    ]);
  });
});

const OUTPUTS = [
  ...["digest", "exit_code", "legs_json", "ok", "outcome", "previous_digest"],
  ...["prod_outcome", "prod_previous_digest"],
];
