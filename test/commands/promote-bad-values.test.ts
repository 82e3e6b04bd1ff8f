import { NEW } from "../pins/rows.ts";
import { describeRefusals, GOOD, PROD, TOKEN, TOKENS, type Row } from "../pins/refused-input.ts";

const digests: Row[] = [
  ["short", "sha256:abc"],
  ["a prefix", NEW.slice(0, 20)],
  ["in upper case", NEW.toUpperCase()],
  ["upper-case hex", `sha256:${"A".repeat(64)}`],
  ["bare hex", NEW.slice(7)],
  ["another algorithm", `sha512:${"a".repeat(128)}`],
  ["only the algorithm", "sha256:"],
  ["one character more", `${NEW}a`],
  ["a line break after it", `${NEW}\n`],
  ["a space before it", ` ${NEW}`],
  ["a tag", "codex:latest"],
  ["an image", `registry.example/codex@${NEW}`],
  ["Unicode digits", `sha256:${"\uff11".repeat(64)}`],
].map(([what = "", digest = ""]) => [
  `a digest: ${what}`,
  ["--template", "codex", "--digest", digest, ...PROD],
  "invalid_value",
  "wanted sha256:<64 lower-case hex>",
]);

const pins: Row[] = [
  ["no template", ["--digest", NEW, ...PROD], "flag_missing", "--template is missing"],
  ["no digest", ["--template", "codex", ...PROD], "flag_missing", "--digest is missing"],
  [
    "an empty digest of a step",
    ["--template", "codex", ...PROD],
    "invalid_value",
    "is empty",
    { ...TOKENS, IMAGE_DIGEST: "" },
  ],
  [
    "a digest of white space",
    ["--template", "codex", ...PROD],
    "invalid_value",
    "is empty",
    { ...TOKENS, EXPECTED_DIGEST: " \n" },
  ],
  [
    "--pin twice",
    ["--pin", `codex=${NEW}`, "--pin", `codex=${NEW}`, ...PROD],
    "flags_contradict",
    "--pin names codex twice",
  ],
  [
    "--pin and --template",
    ["--pin", `codex=${NEW}`, "--template", "codex", ...PROD],
    "flags_contradict",
    "--pin and --template",
  ],
  [
    "--pin and --digest",
    ["--pin", `codex=${NEW}`, "--digest", NEW, ...PROD],
    "flags_contradict",
    "--pin and --template",
  ],
  ["--pin without a digest", ["--pin", "codex", ...PROD], "invalid_value", '--pin is "codex"'],
  [
    "--pin with an empty digest",
    ["--pin", "codex=", ...PROD],
    "invalid_value",
    "the digest of codex is empty",
  ],
  ["--pin without a template", ["--pin", `=${NEW}`, ...PROD], "invalid_value", "the template is"],
  [
    "a template in upper case",
    ["--template", "Codex", "--digest", NEW, ...PROD],
    "invalid_value",
    'the template is "Codex"',
  ],
  [
    "a template that climbs",
    ["--template", "../codex", "--digest", NEW, ...PROD],
    "invalid_value",
    "the template is",
  ],
  [
    "a template with a quote",
    ["--template", 'co"dex', "--digest", NEW, ...PROD],
    "invalid_value",
    'the template is "co\\"dex"',
  ],
  [
    "an empty template",
    ["--template", "", "--digest", NEW, ...PROD],
    "flag_without_value",
    "--template needs a value",
  ],
  [
    "two templates",
    [...GOOD, "--template", "hermes"],
    "flag_repeated",
    "--template was given more than once",
  ],
  ["two digests", [...GOOD, "--digest", NEW], "flag_repeated", "--digest was given more than once"],
  ["a region in upper case", [...GOOD, "--region", "EU"], "invalid_value", '--region is "EU"'],
  ["a region with a space", [...GOOD, "--region", "eu west"], "invalid_value", "--region is"],
  ["an unknown flag", [...GOOD, "--token", TOKEN], "unknown_flag", 'unknown flag "--token"'],
  ["an unknown flag with its value", [...GOOD, `--token=${TOKEN}`], "unknown_flag", 'unknown flag "--token"'],
  ["a positional", [...GOOD, "prod"], "unexpected_argument", 'unexpected argument "prod"'],
];

const durations: Row[] = ["--timeout", "--attempt-timeout", "--retry-interval", "--for"].flatMap(
  (flag): Row[] =>
    ["5", "-1s", "NaN", "1e9s", "99999999999s", "s", "1 s", "10000000d", "Infinity"].map((text) => [
      `${flag} ${text}`,
      [...GOOD, `${flag}=${text}`],
      "invalid_value",
      `${flag} is "${text}"; wanted a duration`,
    ]),
);
const counts: Row[] = ["0", "-1", "1.5", "1000", "NaN", "two", "0x2", "01"].map((text) => [
  `--stable ${text}`,
  [...GOOD, `--stable=${text}`],
  "invalid_value",
  `--stable is "${text}"`,
]);
const zeros: Row[] = ["--timeout", "--attempt-timeout", "--retry-interval"].map((flag) => [
  `${flag} 0s`,
  [...GOOD, `${flag}=0s`],
  "invalid_value",
  `${flag} is "0s"`,
]);

const promoteOnly: Row[] = [
  ["--for 0s", [...GOOD, "--for=0s"], "invalid_value", '--for is "0s"'],
  ["--conflict-budget 0s", [...GOOD, "--conflict-budget=0s"], "invalid_value", '--conflict-budget is "0s"'],
  ["--conflict-budget 5", [...GOOD, "--conflict-budget=5"], "invalid_value", '--conflict-budget is "5"'],
  ...["HEAD", "0123ab", "0123ABC", "0123abc-dirty", "a".repeat(65)].map((sha): Row => [
    `the commit ${sha}`,
    [...GOOD, "--git-sha", sha],
    "invalid_value",
    `--git-sha is "${sha}"`,
  ]),
  ["an empty commit of a step", GOOD, "invalid_value", '--git-sha is ""', { ...TOKENS, GIT_SHA: "" }],
  ["empty notes", [...GOOD, "--notes="], "flag_without_value", "--notes needs a value"],
];
const verifyOnly: Row[] = [
  ["notes", [...GOOD, "--notes", "x"], "unknown_flag", 'unknown flag "--notes"'],
  [
    "a budget for conflicts",
    [...GOOD, "--conflict-budget", "1s"],
    "unknown_flag",
    'unknown flag "--conflict-budget"',
  ],
];

describeRefusals({
  both: [...digests, ...pins, ...durations, ...counts, ...zeros],
  promote: promoteOnly,
  verify: verifyOnly,
});
