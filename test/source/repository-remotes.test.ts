import { expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { captureJson, waybill } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { git, HAS_GIT, makeRepository, REMOTE, REPO } from "./support/repository.ts";

const newFolder = scratchFolders();

async function repoOf(root: string): Promise<unknown> {
  return (await captureJson(root)).document.fields["source_repo"];
}

const fromGit = (value: string): unknown => ({ value, source: "git", reason: null });
const none = (reason: string): unknown => ({ value: null, source: "none", reason });

type Case = {
  readonly name: string;
  readonly config: readonly (readonly [string, string])[];
  readonly repo: unknown;
};

/** One name for one repository, however its URL is written; the whole table is that of `normaliseRemote`. */
const FORMS: readonly (readonly [string, string])[] = [
  ["https://git.example.com/o/@scope/r", "git.example.com/o/@scope/r"],
  ["ssh://git@git.example.com/~user/r.git", "git.example.com/~user/r"],
  ["https://git.example.com//o//r.git/", "git.example.com/o/r"],
  ["https://git.example.com/o/r.git.git", "git.example.com/o/r.git"],
  ["https://GIT.Example.com./o/R", "git.example.com/o/R"],
  ["https://git.example.com:443/o/r", "git.example.com/o/r"],
  ["ssh://git@git.example.com:2222/o/r", "git.example.com:2222/o/r"],
  ["ssh://git@[::1]:22/o/r", "[::1]/o/r"],
  ["git@git.example.com:/abs/r.git", "git.example.com/abs/r"],
  ["git@git.example.com:2222/r", "git.example.com/2222/r"],
];

const CASES: readonly Case[] = [
  { name: "no remote", config: [], repo: none("no_remote") },
  { name: "origin", config: [["remote.origin.url", REMOTE]], repo: fromGit(REPO) },
  {
    name: "case 36: a sole remote of another name",
    config: [["remote.upstream.url", REMOTE]],
    repo: fromGit(REPO),
  },
  {
    name: "case 36: the remote that the branch tracks, before origin",
    config: [
      ["remote.origin.url", "https://h/fork/app"],
      ["remote.upstream.url", REMOTE],
      ["branch.main.remote", "upstream"],
    ],
    repo: fromGit(REPO),
  },
  {
    name: "the tracked remote that git itself would take, of two settings the last",
    config: [
      ["remote.origin.url", "https://h/fork/app"],
      ["remote.upstream.url", REMOTE],
      ["branch.main.remote", "origin"],
      ["branch.main.remote", "upstream"],
    ],
    repo: fromGit(REPO),
  },
  {
    name: "a branch that tracks a URL, as git itself takes it",
    config: [
      ["remote.origin.url", "https://h/fork/app"],
      ["branch.main.remote", REMOTE],
    ],
    repo: fromGit(REPO),
  },
  {
    name: "a branch that tracks a local branch",
    config: [
      ["remote.origin.url", REMOTE],
      ["branch.main.remote", "."],
    ],
    repo: fromGit(REPO),
  },
  {
    name: "case 36: several remotes, none of them origin",
    config: [
      ["remote.a.url", "https://h/a/app"],
      ["remote.b.url", "https://h/b/app"],
    ],
    repo: none("ambiguous_remote"),
  },
  {
    name: "case 36: of several URLs the first, which is fetched from",
    config: [
      ["remote.origin.url", REMOTE],
      ["remote.origin.url", "https://h/second/app"],
      ["remote.origin.pushurl", "https://h/push/app"],
    ],
    repo: fromGit(REPO),
  },
  {
    name: "case 35: insteadOf is how this machine fetches, not where the code comes from",
    config: [
      ["remote.origin.url", REMOTE],
      ["url.https://mirror.internal/.insteadOf", "https://git.example.com/"],
    ],
    repo: fromGit(REPO),
  },
  { name: "a remote with dots in its name", config: [["remote.a.b.url", REMOTE]], repo: fromGit(REPO) },
  {
    name: "case 33: a local path",
    config: [["remote.origin.url", "/home/user/private/app.git"]],
    repo: none("local_remote"),
  },
  {
    name: "case 33: a file URL",
    config: [["remote.origin.url", "file:///srv/git/app.git"]],
    repo: none("local_remote"),
  },
  { name: "case 33: a relative path", config: [["remote.origin.url", "../app"]], repo: none("local_remote") },
  ...["C:/Users/me/app", String.raw`C:\Users\me\app`, String.raw`\\server\share\app`, ".", "~/app"].map(
    (url): Case => ({
      name: `case 33: ${url}`,
      config: [["remote.origin.url", url]],
      repo: none("local_remote"),
    }),
  ),
  ...FORMS.map(([url, named]): Case => ({
    name: `case 32: ${url}`,
    config: [["remote.origin.url", url]],
    repo: fromGit(named),
  })),
  {
    name: "case 34: CodeCommit's helper",
    config: [["remote.origin.url", "codecommit::us-east-1://MyRepo"]],
    repo: none("unsupported_remote"),
  },
  {
    name: "case 34: an encrypting helper",
    config: [["remote.origin.url", "gcrypt::ssh://h/o/r"]],
    repo: none("unsupported_remote"),
  },
  {
    name: "case 34: a remote helper",
    config: [["remote.origin.url", "ext::sh -c true"]],
    repo: none("unsupported_remote"),
  },
];

for (const { name, config, repo } of CASES) {
  test.skipIf(!HAS_GIT)(`the repository is named after: ${name}`, async () => {
    const root = makeRepository(newFolder());
    for (const [key, value] of config) git(root, "config", "--add", key, value);
    expect(await repoOf(root)).toEqual(repo);
  });
}

test.skipIf(!HAS_GIT)(
  "case 37: a remote in bytes that are not UTF-8 is shown with replacement characters",
  async () => {
    const root = makeRepository(newFolder());
    appendFileSync(
      join(root, ".git/config"),
      Buffer.from('[remote "origin"]\n\turl = https://h/\u00ff/app\n', "latin1"),
    );
    expect(await repoOf(root)).toEqual(fromGit("h/\ufffd/app"));
  },
);

const SECRET = "glpat-s3cr3t-T0ken";
const LEAKY: readonly string[] = [
  `https://user:${SECRET}@git.example.com/team/app.git`,
  `https://${SECRET}@git.example.com/team/app.git`,
  `https://oauth2:${SECRET}@git.example.com/team/app`,
  `https://user:p@${SECRET}@git.example.com/team/app`,
  `https://git.example.com/team/app?access_token=${SECRET}`,
  `https://git.example.com/team/app#${SECRET}`,
  `ssh://${SECRET}@git.example.com:2222/team/app`,
  `${SECRET}@git.example.com:team/app`,
  `user:${SECRET}@git.example.com:team/app`,
  `https://user:${SECRET}/with/slash@git.example.com/team/app`,
];

for (const remote of LEAKY) {
  test.skipIf(!HAS_GIT)(
    `case 31: no output holds the secret of ${remote.replaceAll(SECRET, "SECRET")}`,
    async () => {
      const root = makeRepository(newFolder(), { remote });
      // Makes git fail with the remote in its mouth: an object is gone, and it may be fetched from there.
      const broken = makeRepository(newFolder(), { remote });
      git(broken, "config", "remote.origin.promisor", "true");
      git(broken, "config", "extensions.partialClone", "origin");
      git(broken, "config", "core.repositoryFormatVersion", "1");
      const tree = git(broken, "rev-parse", "HEAD:");
      plantFiles(broken, { "app/main.ts": "changed\n" });
      Bun.spawnSync(["rm", "-f", join(broken, ".git/objects", tree.slice(0, 2), tree.slice(2))]);
      for (const context of [root, broken]) {
        for (const args of [["--json", "--verbose", "--strict"], ["--verbose"], ["--format", "env"]]) {
          const ran = await waybill(["capture", context, ...args]);
          expect(`${ran.stdout}${ran.stderr}`).not.toContain(SECRET);
          expect(`${ran.stdout}${ran.stderr}`).not.toContain("s3cr3t");
        }
      }
    },
  );
}

const CI_WITH_SECRETS: readonly { name: string; env: Readonly<Record<string, string>>; repo: string }[] = [
  {
    name: "GitLab's project URL",
    env: {
      GITLAB_CI: "true",
      CI_PROJECT_URL: `https://gitlab-ci-token:${SECRET}@git.example.com/team/app`,
      CI_REPOSITORY_URL: `https://gitlab-ci-token:${SECRET}@git.example.com/team/app.git`,
      CI_PIPELINE_URL: `https://user:${SECRET}@git.example.com/team/app/-/pipelines/1`,
    },
    repo: REPO,
  },
  {
    name: "GitHub's server URL",
    env: {
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: `https://user:${SECRET}@git.example.com`,
      GITHUB_REPOSITORY: "team/app",
      GITHUB_RUN_ID: "1",
    },
    repo: REPO,
  },
];

for (const { name, env, repo } of CI_WITH_SECRETS) {
  test(`case 31: no output holds a secret out of ${name}`, async () => {
    const root = plantFiles(newFolder(), { a: "a" });
    const { document, stdout, stderr } = await captureJson(root, ["--verbose"], { env });
    expect(document.source_fields["source_repo"]).toBe(repo);
    expect(stdout + stderr).not.toContain("s3cr3t");
  });
}
