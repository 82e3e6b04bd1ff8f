import type { Explained } from "./explained.ts";

/** Those of the remotes, refs and CI systems. */
export const EXPLAINED_SOURCE: readonly Explained[] = [
  {
    file: "src/source/remote.ts",
    mutants: [
      "normaliseRemote: /^[a-z0-9+.-]*::/iu.test → /^[a-z0-9+.-]+::/iu.test",
      "fromScpForm: /^((?:[^:[\\]]*@)?(?:\\[[^\\]]*\\]|[^:[\\]]*)):(.*)/u → /^((?:[^:[\\]]*@)?(?:\\[[^\\]]+\\]|[^:[\\]]*)):(.*)/u",
      "fromScpForm: /^((?:[^:[\\]]*@)?(?:\\[[^\\]]*\\]|[^:[\\]]*)):(.*)/u → /^((?:[^:[\\]]*@)?(?:\\[[^\\]]*\\]|[^:[\\]]+)):(.*)/u",
      "fromScpForm: /^((?:[^:[\\]]*@)?(?:\\[[^\\]]*\\]|[^:[\\]]*)):(.*)/u → /^((?:[^:[\\]]*@)?(?:\\[[^\\]]*\\]|[^:[\\]]*)):(.+)/u",
      "fromScpForm: /^\\[(?:[^\\]]*@)?([^:\\]]*(?::[0-9]*)?)\\]/u → /^\\[(?:[^\\]]*@)?([^:\\]]+(?::[0-9]*)?)\\]/u",
      "readHost: /^(\\[[^\\]]*\\]|[^:]*)(?::([0-9]*))?$/u.exec → /^(\\[[^\\]]+\\]|[^:]*)(?::([0-9]*))?$/u.exec",
      "readHost: /^(\\[[^\\]]*\\]|[^:]*)(?::([0-9]*))?$/u.exec → /^(\\[[^\\]]*\\]|[^:]+)(?::([0-9]*))?$/u.exec",
    ],
    reason: "an empty host and an empty path are refused a step later",
  },
  {
    file: "src/source/remote.ts",
    mutants: [
      'hidesCredentials: rest.lastIndexOf("/") + 1 → rest.lastIndexOf("/") + 2',
      'withoutIpv6: authority.replace(/\\[[0-9a-f:.]*\\]/iu, "") → authority.replace(/\\[[0-9a-f:.]+\\]/iu, "")',
      "redactUser: at < colon → at <= colon",
      "redactAddress: end > address.search(/[?#]|$/u) → end >= address.search(/[?#]|$/u)",
    ],
    reason: "the sign at that place is another one than the one that is looked for",
  },
  {
    file: "src/source/remote.ts",
    mutants: [
      "named: /[\\s/]+$/u → /[\\s/]*$/u",
      "named: /^[\\s/]+|[\\s/]+$/gu → /^[\\s/]*|[\\s/]+$/gu",
      "named: /^[\\s/]+|[\\s/]+$/gu → /^[\\s/]+|[\\s/]*$/gu",
      "asWords: /\\S+/gu → /\\S*/gu",
      "redactRemote: text.replace(/'[^'\\s]*:\\/\\/[^'\\n]*'/gu, withoutSpaces) → text.replace(/'[^'\\s]*:\\/\\/[^'\\n]+'/gu, withoutSpaces)",
    ],
    reason: "nothing is replaced by nothing",
  },
  {
    file: "src/source/remote.ts",
    mutants: [
      'closingOf: /[\'"]?[:,.]?$/u.exec(address)?.[0] ?? "" → /[\'"]?[:,.]?$/u.exec(address)?.[0]',
      "closingOf: /['\"]?[:,.]?$/u.exec(address)?.[0] → /['\"]?[:,.]?$/u.exec(address)[0]",
    ],
    reason: "the expression matches every text; the checks are for the types",
  },
  {
    file: "src/source/version-order.ts",
    mutants: [
      "comparePart: -1 → -2",
      "comparePart: left > right ? 1 : 0 → left > right ? 2 : 0",
      "comparePart: -1 → -2 #2",
      "comparePart: /^[-~]/u.test(a) ? -1 : 1 → /^[-~]/u.test(a) ? -1 : 2",
      "comparePart: -1 → -2 #3",
      "comparePart: a < b ? -1 : 1 → a < b ? -1 : 2",
      "compareVersions: -1 → -2",
      "compareVersions: a > b ? 1 : 0 → a > b ? 2 : 0",
    ],
    reason: "only the sign is looked at",
  },
  {
    file: "src/source/version-order.ts",
    mutants: [
      "compareVersions: index < Math.max(left.length, right.length) → index <= Math.max(left.length, right.length)",
      'compareVersions: right[index] ?? "" → right[index]',
      "partsOf: name.match(/\\d+|\\D+/gu) → name.match(/\\d+|\\D*/gu)",
      "comparePart: a < b → a <= b",
    ],
    reason:
      "behind the end nothing differs, and nothing is less than what is not there; equal parts were told before",
  },
  {
    file: "src/source/ref-names.ts",
    mutants: [
      'parseRefContent: text.replace(/\\s+$/u, "") → text.replace(/\\s*$/u, "")',
      "parseRefContent: /^ref:[ \\t]*(.+)$/u.exec → /^ref:[ \\t]*(.*)$/u.exec",
    ],
    reason: "nothing is replaced by nothing, and an empty name is none",
  },
  {
    file: "src/source/remote-choice.ts",
    mutants: ["chooseRepo: tracked === null → false"],
    reason: "no remote is called null without quotes; the check is for the types",
  },
  {
    file: "src/source/ci.ts",
    mutants: [
      "claimsOf: isMap(event) → true",
      "commit: value !== undefined && COMMIT.test(value) → COMMIT.test(value)",
      'runUrl: said(run?.base) ?? "" → said(run?.base)',
      "runUrl: run?.suffix → run.suffix",
    ],
    reason: "what is not there has no member, is no commit and no address; the checks are for the types",
  },
  {
    file: "src/source/ci-forges.ts",
    mutants: [
      "AZURE: build !== null && present(collection) → build !== null",
      'AZURE: project ?? "" → project',
    ],
    reason:
      "an address without a host is none, and a project that is present is text; the checks are for the types",
  },
  {
    file: "src/source/ci-github.ts",
    mutants: [
      "githubLike: repo === undefined || path === null → path === null",
      "githubPullRequest: /^refs\\/pull\\/(\\d+)\\//u.exec → /^refs\\/pull\\/(\\d*)\\//u.exec",
      'githubPullRequest: env["GITHUB_REF"] ?? "" → env["GITHUB_REF"]',
    ],
    reason: "an address without a host is none, an empty number is none, and nothing has no number",
  },
  {
    file: "src/source/ci-servers.ts",
    mutants: [
      "CIRCLECI: /\\/(\\d+)$/u.exec → /\\/(\\d*)$/u.exec",
      'CIRCLECI: address ?? "" → address',
      'BUILDKITE: env["BUILDKITE_JOB_ID"] ?? "" → env["BUILDKITE_JOB_ID"]',
    ],
    reason:
      "an empty number is none, and the word undefined has neither a number nor the length of a job's id",
  },
  {
    file: "src/source/ci-variables.ts",
    mutants: ["digits: text !== undefined && /^\\d{1,18}$/u.test(text) → /^\\d{1,18}$/u.test(text)"],
    reason: "the word undefined has no digits; the check is for the types",
  },
];
