import { appendFileSync, chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, git, makeRepository } from "../source/support/repository.ts";
import type { Trap } from "../source/support/trap.ts";
import { testVector, type Vector } from "../source/support/vector.ts";

const newFolder = scratchFolders();
const STATUS = [["status"]] as const;

function set(...settings: readonly (readonly [string, string])[]): (root: string) => void {
  return (root) => {
    for (const [key, value] of settings) git(root, "config", key, value);
  };
}

function hookIn(folder: string, trap: Trap): void {
  mkdirSync(folder, { recursive: true });
  copyFileSync(trap.program, join(folder, "post-index-change"));
  chmodSync(join(folder, "post-index-change"), 0o755);
}

/** Makes HEAD a commit that claims to be signed, so that whoever shows it asks gpg. */
function signHead(root: string): void {
  const [head = "", ...message] = git(root, "cat-file", "commit", "HEAD").split("\n\n");
  const signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----";
  const file = join(newFolder(), "commit");
  writeFileSync(file, `${head}\n${signature}\n\n${message.join("\n\n")}\n`);
  git(root, "update-ref", "HEAD", git(root, "hash-object", "-t", "commit", "-w", file));
}

/** Takes the root tree away and says that it can be fetched, which git then does on its own. */
function makePartial(root: string, url: string, settings: readonly (readonly [string, string])[]): void {
  const tree = git(root, "rev-parse", "HEAD:");
  set(
    ["core.repositoryFormatVersion", "1"],
    ["extensions.partialClone", "origin"],
    ["remote.origin.promisor", "true"],
    ["remote.origin.partialCloneFilter", "tree:0"],
    ["remote.origin.url", url],
    ...settings,
  )(root);
  rmSync(join(root, ".git/objects", tree.slice(0, 2), tree.slice(2)));
}

const VECTORS: readonly Vector[] = [
  { name: "core.fsmonitor", arm: (root, trap) => set(["core.fsmonitor", trap.program])(root), live: STATUS },
  {
    name: "core.fsmonitor of a submodule",
    arm: (root, trap) => {
      const inner = makeRepository(newFolder(), { files: { "lib/a": "a\n" } });
      set(["core.fsmonitor", trap.program])(addSubmodule(root, inner, "vendor"));
    },
    live: STATUS,
  },
  {
    name: "the hook post-index-change",
    arm: (root, trap) => hookIn(join(root, ".git/hooks"), trap),
    live: STATUS,
  },
  {
    name: "the hook post-index-change by core.hooksPath",
    arm: (root, trap) => {
      hookIn(join(root, "tools/hooks"), trap);
      set(["core.hooksPath", "tools/hooks"])(root);
    },
    live: STATUS,
  },
  {
    name: "gpg.program with log.showSignature",
    arm: (root, trap) => {
      signHead(root);
      set(["gpg.program", trap.program], ["log.showSignature", "true"])(root);
    },
    live: [["log", "-1"]],
  },
  {
    name: "diff.external",
    arm: (root, trap) => {
      set(["diff.external", trap.program])(root);
      plantFiles(root, { "app/main.ts": "Main\n" });
    },
    live: [["diff"]],
  },
  {
    name: "diff.<driver>.textconv and .command",
    arm: (root, trap) => {
      appendFileSync(join(root, ".git/info/attributes"), "* diff=evil\n");
      set(["diff.evil.textconv", trap.program], ["diff.evil.command", trap.program])(root);
      plantFiles(root, { "app/main.ts": "Main\n" });
    },
    live: [["diff"]],
  },
  {
    name: "core.sshCommand by a lazy fetch, with the transport allowed",
    arm: (root, trap) =>
      makePartial(root, "ssh://git.example.com/app", [
        ["core.sshCommand", trap.failing],
        ["protocol.ssh.allow", "always"],
      ]),
    live: [["ls-tree", "HEAD"]],
  },
  {
    name: "an ext:: remote by a lazy fetch, with the transport allowed",
    arm: (root, trap) => makePartial(root, `ext::${trap.failing} %S`, [["protocol.ext.allow", "always"]]),
    live: [["ls-tree", "HEAD"]],
  },
  {
    name: "remote.<name>.uploadpack by a lazy fetch, with all transports allowed",
    arm: (root, trap) =>
      makePartial(root, makeRepository(newFolder()), [
        ["remote.origin.uploadpack", trap.failing],
        ["protocol.allow", "always"],
        ["protocol.file.allow", "always"],
      ]),
    live: [["ls-tree", "HEAD"]],
  },
  {
    name: "core.gitProxy by a lazy fetch, with the transport allowed",
    arm: (root, trap) =>
      makePartial(root, "git://git.example.com/app", [
        ["core.gitProxy", trap.failing],
        ["protocol.git.allow", "always"],
      ]),
    live: [["ls-tree", "HEAD"]],
  },
  {
    name: "an alias, also one named like a command of git",
    arm: (root, trap) =>
      set(
        ["alias.evil", `!${trap.program}`],
        ...["status", "rev-parse", "ls-tree", "config", "symbolic-ref", "describe", "ls-files"].map(
          (name) => [`alias.${name}`, `!${trap.program}`] as const,
        ),
      )(root),
    live: [["evil"]],
  },
  {
    name: "core.editor and sequence.editor",
    arm: (root, trap) => set(["core.editor", trap.program], ["sequence.editor", trap.program])(root),
    live: [["commit", "--amend"]],
  },
  {
    name: "an embedded bare repository whose configuration the context brings along",
    arm: (root, trap) => {
      const bare = join(root, "vendor/bare");
      git("/", "init", "-q", "--bare", bare);
      set(
        ["core.bare", "false"],
        ["core.worktree", join(root, "vendor/bare")],
        ["core.fsmonitor", trap.program],
      )(bare);
      plantFiles(bare, { "src/a": "a" });
    },
    live: STATUS,
    context: "vendor/bare",
  },
  {
    name: "a .git file of the tree that points to a repository of the tree",
    arm: (root, trap) => {
      const inner = makeRepository(join(root, "vendor/app"));
      Bun.spawnSync(["mv", join(inner, ".git"), join(root, "vendor/innocent")]);
      writeFileSync(join(inner, ".git"), "gitdir: ../innocent\n");
      set(["core.fsmonitor", trap.program], ["core.worktree", inner])(inner);
    },
    live: STATUS,
    context: "vendor/app",
  },
  {
    name: "every key that names a program, at once",
    arm: (root, trap) => {
      const keys = [
        "core.fsmonitor",
        "core.askPass",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "gpg.program",
        "gpg.ssh.program",
        "gpg.x509.program",
        "gpg.ssh.defaultKeyCommand",
        "diff.external",
        "diff.tool",
        "merge.tool",
        "interactive.diffFilter",
        "sequence.editor",
        "credential.helper",
        "pager.status",
        "pager.log",
        "pager.config",
        "pager.branch",
        "pager.tag",
        "pager.diff",
        "browser.x.cmd",
        "man.x.cmd",
        "uploadpack.packObjectsHook",
        "sendemail.toCmd",
        "trailer.x.command",
        "trailer.x.cmd",
        "web.browser",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "merge.evil.driver",
        "difftool.x.cmd",
        "mergetool.x.cmd",
        "guitool.x.cmd",
        "instaweb.httpd",
        "help.browser",
      ];
      set(...keys.map((key) => [key, trap.program] as const))(root);
      appendFileSync(join(root, ".git/info/attributes"), "* filter=evil diff=evil merge=evil\n");
      set(
        ["status.submoduleSummary", "true"],
        ["log.showSignature", "true"],
        ["protocol.allow", "always"],
      )(root);
      for (const [bits, name] of [[0o755, "hooks"]] as const) {
        for (const hook of [
          "post-index-change",
          "fsmonitor-watchman",
          "pre-auto-gc",
          "reference-transaction",
          "post-checkout",
        ]) {
          copyFileSync(trap.program, join(root, ".git", name, hook));
          chmodSync(join(root, ".git", name, hook), bits);
        }
      }
    },
    live: STATUS,
  },
];

for (const vector of VECTORS) testVector(vector, newFolder);
