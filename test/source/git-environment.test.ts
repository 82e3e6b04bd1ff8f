import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { PROGRAM } from "../support/binary.ts";
import { git, HAS_GIT, makeRepository, REMOTE, REPO, tryGit } from "./support/repository.ts";

const newFolder = scratchFolders();

/** Variables that a git hook, `rebase --exec` or a stranger's profile leaves behind. */
const MISLEADING: readonly { name: string; env: (other: string) => Readonly<Record<string, string>> }[] = [
  { name: "GIT_DIR", env: (other) => ({ GIT_DIR: join(other, ".git") }) },
  {
    name: "GIT_DIR and GIT_WORK_TREE",
    env: (other) => ({ GIT_DIR: join(other, ".git"), GIT_WORK_TREE: other }),
  },
  { name: "GIT_INDEX_FILE", env: (other) => ({ GIT_INDEX_FILE: join(other, ".git/index") }) },
  { name: "GIT_OBJECT_DIRECTORY", env: (other) => ({ GIT_OBJECT_DIRECTORY: join(other, ".git/objects") }) },
  { name: "GIT_COMMON_DIR", env: (other) => ({ GIT_COMMON_DIR: join(other, ".git") }) },
  { name: "GIT_NAMESPACE", env: () => ({ GIT_NAMESPACE: "other" }) },
  { name: "GIT_PREFIX", env: () => ({ GIT_PREFIX: "docs/" }) },
  {
    name: "GIT_CONFIG_PARAMETERS",
    env: () => ({ GIT_CONFIG_PARAMETERS: "'remote.origin.url'='https://h/other'" }),
  },
  { name: "GIT_GLOB_PATHSPECS", env: () => ({ GIT_GLOB_PATHSPECS: "1", GIT_ICASE_PATHSPECS: "1" }) },
  { name: "GIT_DEFAULT_HASH", env: () => ({ GIT_DEFAULT_HASH: "sha256" }) },
];

for (const { name, env } of MISLEADING) {
  test.skipIf(!HAS_GIT)(
    `case 5: ${name} does not mislead: the repository is the one around the context`,
    async () => {
      const root = makeRepository(newFolder(), { remote: REMOTE });
      const other = makeRepository(newFolder(), { files: { other: "x\n" }, remote: "https://h/other" });
      const { document } = await captureJson(join(root, "app"), [], { env: env(other) });
      expect(document.source_fields).toMatchObject({
        source_repo: REPO,
        source_commit: git(root, "rev-parse", "HEAD"),
        source_subpath: "app",
        source_dirty: false,
      });
      expect(document.matches_commit).toBe(true);
    },
  );
}

test.skipIf(!HAS_GIT)(
  "case 5: from inside a git hook the commit is the one that is checked out",
  async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    const out = join(newFolder(), "document.json");
    const command = [...PROGRAM, "capture", root, "--json", "--out", out]
      .map((word) => `'${word}'`)
      .join(" ");
    plantFiles(root, { ".git/hooks/post-commit": `#!/bin/sh\n${command} >/dev/null\n` });
    Bun.spawnSync(["chmod", "+x", join(root, ".git/hooks/post-commit")]);
    git(root, "commit", "-q", "--allow-empty", "-m", "second");
    const document = await Bun.file(out).json();
    expect(document.source_fields.source_commit).toBe(git(root, "rev-parse", "HEAD"));
    expect(document.matches_commit).toBe(true);
  },
);

test.skipIf(!HAS_GIT)("case 6: GIT_CEILING_DIRECTORIES is respected", async () => {
  const root = makeRepository(newFolder());
  const { document } = await captureJson(join(root, "app"), [], { env: { GIT_CEILING_DIRECTORIES: root } });
  expect(document.fields["source_commit"]?.reason).toBe("not_a_repository");
});

/** Where a user or a machine keeps a configuration of its own; `home` holds one under each name that git knows. */
const CONFIGURED: readonly (readonly [
  string,
  (home: string) => Readonly<Record<string, string | undefined>>,
])[] = [
  ["HOME", (home) => ({ HOME: home })],
  ["XDG_CONFIG_HOME", (home) => ({ XDG_CONFIG_HOME: join(home, "xdg") })],
  ["GIT_CONFIG_GLOBAL", (home) => ({ GIT_CONFIG_GLOBAL: join(home, "xdg/git/config") })],
  [
    "GIT_CONFIG_SYSTEM",
    (home) => ({ GIT_CONFIG_SYSTEM: join(home, ".gitconfig"), GIT_CONFIG_NOSYSTEM: undefined }),
  ],
  [
    "GIT_CONFIG_COUNT",
    () => ({ GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "remote.origin.url", GIT_CONFIG_VALUE_0: REMOTE }),
  ],
];

for (const [name, env] of CONFIGURED) {
  test.skipIf(!HAS_GIT)(`case 6: the configuration that ${name} names is respected`, async () => {
    const root = makeRepository(newFolder());
    const setting = `[remote "origin"]\n\turl = ${REMOTE}\n`;
    const home = plantFiles(newFolder(), { ".gitconfig": setting, "xdg/git/config": setting });
    expect((await captureJson(root)).document.source_fields["source_repo"]).toBeUndefined();
    const { document } = await captureJson(root, [], { env: env(home) });
    expect(document.source_fields["source_repo"]).toBe(REPO);
  });
}

test.skipIf(!HAS_GIT)(
  "a hostile ./git is never run, whatever way PATH leads to the current folder",
  async () => {
    for (const path of [".", "", "bin", "./bin", ":"]) {
      const root = makeRepository(newFolder());
      const marker = join(newFolder(), "marker");
      const program = `#!/bin/sh\ntouch '${marker}'\n`;
      plantFiles(root, { git: program, "bin/git": program });
      Bun.spawnSync(["chmod", "+x", join(root, "git"), join(root, "bin/git")]);
      const real = process.env["PATH"] ?? "";
      // The trap works: a shell with that PATH runs it.
      Bun.spawnSync(["/bin/sh", "-c", "git status"], {
        cwd: root,
        env: { PATH: `${path}:${real}` },
        stdout: "ignore",
      });
      expect([path, existsSync(marker)]).toEqual([path, true]);
      Bun.spawnSync(["rm", marker]);
      const behind = await captureJson(".", [], { cwd: root, env: { PATH: `${path}:${real}` } });
      expect(behind.document.source_fields["source_ref"]).toBe("main");
      const alone = await captureJson(".", [], { cwd: root, env: { PATH: path } });
      expect(alone.document.git?.["read_by"]).toBe("files");
      expect([path, existsSync(marker)]).toEqual([path, false]);
    }
  },
);

test.skipIf(!HAS_GIT)("what a child git gets of the environment is a short list", async () => {
  const place = newFolder();
  const seen = join(place, "seen");
  plantFiles(place, { ".git/HEAD": "", "bin/git": `#!/bin/sh\nenv > '${seen}'\nexit 1\n` });
  Bun.spawnSync(["chmod", "+x", join(place, "bin/git")]);
  const env = {
    PATH: `${join(place, "bin")}:${process.env["PATH"] ?? ""}`,
    GIT_SSH_COMMAND: "false",
    GIT_EXTERNAL_DIFF: "false",
    GIT_EXEC_PATH: "/nonexistent",
    GIT_TRACE: join(place, "trace"),
    GIT_ASKPASS: "false",
    SSH_ASKPASS: "false",
    PAGER: "false",
    LD_PRELOAD: "",
    BUILD_TOKEN: "secret-token",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "a.b",
    GIT_CONFIG_VALUE_0: "c",
    GIT_CONFIG_KEY_X: "no index",
    LC_ALL: "de_DE.UTF-8",
  };
  await captureJson(place, [], { env });
  const names = (await Bun.file(seen).text())
    .split("\n")
    .map((line) => line.split("=")[0] ?? "")
    .filter(Boolean);
  expect(names.filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name)).toSorted()).toEqual([
    "GIT_ALLOW_PROTOCOL",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_0",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_VALUE_0",
    "GIT_NO_LAZY_FETCH",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OPTIONAL_LOCKS",
    "GIT_PAGER",
    "GIT_TERMINAL_PROMPT",
    "HOME",
    "LC_ALL",
    "PATH",
  ]);
  expect(await Bun.file(seen).text()).toContain("LC_ALL=C\n");
});

test.skipIf(!HAS_GIT)("git itself is misled by those variables, so the tests above can fail", () => {
  const root = makeRepository(newFolder());
  const other = makeRepository(newFolder(), { files: { other: "x\n" } });
  const ran = Bun.spawnSync(["git", "-C", root, "rev-parse", "--show-toplevel"], {
    env: { PATH: process.env["PATH"] ?? "", GIT_DIR: join(other, ".git"), GIT_WORK_TREE: other },
  });
  expect(ran.stdout.toString().trim()).toBe(other);
  expect(tryGit(root, "rev-parse", "--show-toplevel").stdout.trim()).toBe(root);
});
