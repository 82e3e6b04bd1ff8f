import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, git, makeRepository } from "../source/support/repository.ts";
import type { Trap } from "../source/support/trap.ts";
import { testVector, type Vector } from "../source/support/vector.ts";

const newFolder = scratchFolders();
const STATUS = [["status"]] as const;

/** Attributes beside the work tree, so that the tree stays clean. */
function attribute(root: string, line: string | Buffer): void {
  appendFileSync(
    join(git(root, "rev-parse", "--path-format=absolute", "--git-dir"), "info/attributes"),
    line,
  );
}

function filterNamed(name: string): Vector["arm"] {
  return (root, trap) => {
    git(root, "config", `filter.${name}.clean`, trap.program);
    attribute(root, `* "filter=${name}"\n`.replace(/"filter=([^ "]*)"/u, "filter=$1"));
  };
}

function rawFilter(name: Buffer): Vector["arm"] {
  return (root, trap) => {
    const section = [Buffer.from('[filter "'), name, Buffer.from(`"]\n\tclean = ${trap.program}\n`)];
    appendFileSync(join(root, ".git/config"), Buffer.concat(section));
    attribute(root, Buffer.concat([Buffer.from("* filter="), name, Buffer.from("\n")]));
  };
}

function included(root: string, trap: Trap): string {
  const file = join(root, ".git/more-config");
  writeFileSync(file, `[filter "evil"]\n\tclean = ${trap.program}\n`);
  attribute(root, "* filter=evil\n");
  return file;
}

const VECTORS: readonly Vector[] = [
  {
    name: "filter.<name>.clean, by .gitattributes of the tree",
    arm: (root, trap) => {
      plantFiles(root, { ".gitattributes": "* filter=evil\n" });
      git(root, "add", ".gitattributes");
      git(root, "commit", "-q", "-m", "attributes");
      git(root, "config", "filter.evil.clean", trap.program);
    },
    live: STATUS,
  },
  { name: "filter.<name>.clean, by .git/info/attributes", arm: filterNamed("evil"), live: STATUS },
  {
    name: "filter.<name>.process",
    arm: (root, trap) => {
      git(root, "config", "filter.evil.process", trap.program);
      git(root, "config", "filter.evil.required", "true");
      attribute(root, "* filter=evil\n");
    },
    live: STATUS,
  },
  { name: "a filter named like Git LFS", arm: filterNamed("lfs"), live: STATUS },
  // `-c filter.a=b.clean=` sets `filter.a`.
  { name: "a filter with an equals sign in its name", arm: filterNamed("a=b"), live: STATUS },
  { name: "a filter with a dot in its name", arm: filterNamed("a.b.clean"), live: STATUS },
  {
    name: "a filter with letters beyond ASCII in its name",
    arm: filterNamed("\u00e9\u{1f600}"),
    live: STATUS,
  },
  { name: "a filter with upper-case letters in its name", arm: filterNamed("EviL"), live: STATUS },
  // No argument of a process can hold these bytes.
  {
    name: "a filter whose name is not UTF-8",
    arm: rawFilter(Buffer.from("\u00ff\u00fe", "latin1")),
    live: STATUS,
  },
  { name: "a filter with an empty name", arm: rawFilter(Buffer.alloc(0)), live: STATUS },
  {
    name: "a filter that include.path brings",
    arm: (root, trap) => git(root, "config", "include.path", included(root, trap)),
    live: STATUS,
  },
  {
    name: "a filter that includeIf.gitdir brings",
    arm: (root, trap) => git(root, "config", `includeIf.gitdir:${root}/.path`, included(root, trap)),
    live: STATUS,
  },
  {
    name: "a filter that includeIf.onbranch brings",
    arm: (root, trap) => git(root, "config", "includeIf.onbranch:main.path", included(root, trap)),
    live: STATUS,
  },
  {
    name: "a filter in the configuration of one worktree",
    arm: (root, trap) => {
      git(root, "config", "extensions.worktreeConfig", "true");
      git(root, "config", "core.repositoryFormatVersion", "1");
      git(root, "config", "--worktree", "filter.evil.clean", trap.program);
      attribute(root, "* filter=evil\n");
    },
    live: STATUS,
  },
  {
    name: "a filter among many",
    arm: (root, trap) => {
      const sections = Array.from(
        { length: 500 },
        (_, index) => `[filter "f${index}"]\n\tclean = ${trap.program}\n`,
      );
      appendFileSync(join(root, ".git/config"), sections.join(""));
      attribute(root, "* filter=f499\n");
    },
    live: STATUS,
  },
  {
    name: "a filter in a submodule, where git status starts a second status",
    arm: (root, trap) => {
      const inner = makeRepository(newFolder(), { files: { "lib/a": "a\n" } });
      const sub = addSubmodule(root, inner, "vendor");
      git(sub, "config", "filter.evil.clean", trap.program);
      attribute(sub, "* filter=evil\n");
    },
    live: STATUS,
  },
  {
    name: "a filter with an equals sign in a submodule",
    arm: (root, trap) => {
      const inner = makeRepository(newFolder(), { files: { "lib/a": "a\n" } });
      filterNamed("a=b")(addSubmodule(root, inner, "vendor"), trap);
    },
    live: STATUS,
  },
];

for (const vector of VECTORS) testVector(vector, newFolder);
