import { describe, expect, test } from "bun:test";
import { LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { jsonOf, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer, type Plan } from "../support/scripted-server.ts";

const TOKEN = "tok/en+1234==abcd";
const SPELLINGS = [
  TOKEN,
  encodeURIComponent(TOKEN),
  Buffer.from(TOKEN).toString("base64"),
  Buffer.from(TOKEN).toString("base64url"),
];

/** Everything that a terminal, a runner or a summary would act on. */
const EVIL = [
  "::stop-commands::x",
  "::error title=a::b",
  "::add-mask::a",
  "::set-output name=digest::evil",
  "##[error]boom",
  "##vso[task.setvariable variable=a]b",
  "##teamcity[buildStatus]",
  "section_start:1:a",
  "\u001b[31mred\u001b]0;title\u0007",
  "\u009b31m\u202eabc\u2028::warning::x",
  "\r\n::stop-commands::y\n",
  `Bearer ${TOKEN}`,
  ...SPELLINGS,
].join(" ");
const EVIL_LINES = EVIL.replaceAll(" ", "\n");

const answers: [string, Plan][] = [
  ["an error of a read", { [LIST]: { status: 500, body: JSON.stringify({ error: EVIL }) } }],
  ["an error as plain lines", { [LIST]: { status: 401, body: EVIL_LINES } }],
  [
    "a page",
    { [LIST]: { body: EVIL_LINES, headers: { "content-type": "text/##[error]::stop-commands::x" } } },
  ],
  ["a content type", { [LIST]: { body: "x", headers: { "content-type": `text/${TOKEN}` } } }],
  [
    "who promoted, and when",
    { [LIST]: listing(row(OLD, { promoted_by: EVIL, promoted_at: EVIL_LINES, git_sha: EVIL })) },
  ],
  ["a digest", { [LIST]: listing(row(EVIL)) }],
  ["a digest that is an object", { [LIST]: listing(row({ [EVIL]: EVIL_LINES })) }],
  ["an image reference", { [LIST]: listing(row(NEW, { image_ref: `${EVIL}@x` })) }],
  [
    "names of templates",
    { [LIST]: listing(row(NEW, { template_name: EVIL }), row(NEW, { template_name: EVIL_LINES })) },
  ],
  ["a region", { [LIST]: listing(row(NEW, { region: EVIL })) }],
  ["a region that is an object", { [LIST]: listing(row(NEW, { region: { [EVIL]: 1 } })) }],
  ["a member name twice", { [LIST]: { body: `{${JSON.stringify(EVIL)}:1,${JSON.stringify(EVIL)}:2}` } }],
  [
    "a redirect",
    { [LIST]: { status: 302, body: EVIL_LINES, headers: { location: `https://evil.example/?${TOKEN}` } } },
  ],
  ["a rejection", { [LIST]: listing(row(OLD)), [PROMOTE]: { status: 400, body: EVIL_LINES } }],
  [
    "a conflict",
    { [LIST]: listing(row(OLD)), [PROMOTE]: { status: 409, body: JSON.stringify({ error: EVIL }) } },
  ],
  ["an echo", { [LIST]: listing(row(OLD)), [PROMOTE]: { body: JSON.stringify(row(EVIL)) } }],
  [
    "an echo that is an object",
    { [LIST]: listing(row(OLD)), [PROMOTE]: { body: JSON.stringify({ region: { [EVIL]: EVIL_LINES } }) } },
  ],
  [
    "an error in a success",
    { [LIST]: listing(row(OLD)), [PROMOTE]: { body: JSON.stringify({ error: EVIL }) } },
  ],
  [
    "a row that proves",
    { [LIST]: listing(row(NEW, { promoted_by: EVIL, promoted_at: EVIL, git_sha: EVIL_LINES, notes: EVIL })) },
  ],
];

/** Text that no message repeats without being asked. */
const UNSHOWN = new Set(["a content type"]);

/** What a runner would obey: its commands at the start of a line, or anywhere for those that it searches. */
const OBEYED = /^\s*::[a-z-]+(?:::| .*::)|##\[|##vso\[|##teamcity\[|section_(?:start|end):/imu;
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

describe.each([
  ["promote", ["promote", "--conflict-budget", "10ms"]],
  ["verify pin", ["verify", "pin"]],
] as const)("%s shows hostile text as text", (_name, words) => {
  for (const runner of ["none", "GITHUB_ACTIONS"]) {
    for (const form of [[], ["--json"], ["--verbose"]] as const) {
      test.concurrent.each(answers)(`%s (runner ${runner}) ${form.join("")}`, async (what, plan) => {
        await using server = await scriptedServer(plan);
        const raw = await runWaybill(
          [
            ...words,
            ...[
              "--template",
              "codex",
              "--digest",
              NEW,
              "--target",
              `prod=${server.url}`,
              "--allow-insecure-http",
            ],
            ...["--retry-interval", "3s", "--for", "10ms", "--timeout", "4s"],
            ...form,
          ],
          { env: { WAYBILL_TOKEN_PROD: TOKEN, ...(runner === "none" ? {} : { [runner]: "true" }) } },
        );
        const run = withoutMask(raw, runner === "none" ? 0 : 1);
        // The text was read, and the run ended in one of the ways that a server can bring about.
        expect(server.requests.length).toBeGreaterThan(0);
        expect(run.code === 0 || run.code > 3).toBe(true);
        const asked = words[0] === (plan[PROMOTE] === undefined ? "verify" : "promote");
        if (asked && run.code !== 0 && !UNSHOWN.has(what)) {
          expect(run.stdout + run.stderr).toContain("stop-commands");
        }
        if (form[0] === "--json") {
          const document = jsonOf(run);
          // Also after a reader has taken the escapes out.
          for (const text of stringsOf(document)) {
            expect(text).not.toMatch(CONTROL);
            expect(text).not.toMatch(OBEYED);
            expect(text).not.toContain("\n");
          }
        }
        expect(run.stdout).not.toMatch(CONTROL);
        expect(run.stdout).not.toMatch(OBEYED);
        expect(run.stderr).not.toMatch(CONTROL);
        for (const line of run.stderr.split("\n")) {
          // Our own annotation is the one command that may be there, and it stands on one line.
          const own = /^::error title=waybill [a-z_]+::/u.exec(line);
          if (own !== null) expect(runner).not.toBe("none");
          expect(own === null ? line : line.slice(own[0].length)).not.toMatch(OBEYED);
        }
        const annotations = run.stderr.match(/^::error title=waybill /gmu)?.length ?? 0;
        expect(annotations).toBe(runner === "none" || run.code === 0 ? 0 : 1);
        for (const spelling of SPELLINGS) expect(run.stdout + run.stderr).not.toContain(spelling);
      });
    }
  }
});

/** The one line in which a token belongs: it has the runner hide it. */
function withoutMask(run: Finished, wanted: number): Finished {
  const lines = run.stderr.split("\n");
  const others = lines.filter((line) => line !== `::add-mask::${TOKEN}`);
  expect(lines.length - others.length).toBe(wanted);
  return { ...run, stderr: others.join("\n") };
}

function stringsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inside]) => [name, ...stringsOf(inside)]);
}
