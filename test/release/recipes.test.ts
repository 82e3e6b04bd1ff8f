import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BINARY, runProgram, type Finished } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { actionFaults, buildkiteFaults, circleFaults, gitlabFaults, workflowFaults } from "./recipe-rules.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const FOLDER = join(import.meta.dir, "../../release/ci");
const DIGEST = `sha256:${"a".repeat(64)}`;
const SHA = "0123456789abcdef0123456789abcdef01234567";

type Step = {
  readonly run: string;
  readonly shell: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};
type Recipe = {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the vendor's own checker would refuse. */
  readonly faults: (text: string) => string[];
  readonly steps: (text: string) => Step[];
};

const BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"];
const plain = (run: string, shell: readonly string[] = BASH): Step => ({ run, shell, env: {} });

/** What a runner of GitHub's kind puts in place of its expressions; another one fails the test. */
function expanded(text: string, known: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{\{\s*([^}\s]+)\s*\}\}/gu, (_whole, name: string) => {
    const value = known[name];
    if (value === undefined) throw new Error(`the recipe uses ${name}, which this runner does not know`);
    return value;
  });
}

type Workflow = { steps: { run?: string; uses?: string; env?: Record<string, string> }[] };

function githubSteps(steps: Workflow["steps"], known: Readonly<Record<string, string>>): Step[] {
  return steps
    .filter(({ uses }) => uses === undefined)
    .map(({ run = "", env = {} }) => ({
      run,
      shell: BASH,
      env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, expanded(value, known)])),
    }));
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  "the composite action": {
    file: "action/action.yml",
    env: {
      GITHUB_ACTIONS: "true",
      GITHUB_SHA: SHA,
      GITHUB_EVENT_NAME: "push",
      GITHUB_REF: "refs/heads/main",
    },
    faults: (text) => actionFaults(Bun.YAML.parse(text)),
    steps: (text) => {
      const action = Bun.YAML.parse(text) as {
        runs: Workflow & { using: string };
        inputs: Record<string, { default?: string }>;
      };
      const known = {
        "inputs.template": "codex",
        "inputs.digest": DIGEST,
        "inputs.config": "targets.json",
        "inputs.git-sha": SHA,
      };
      expect(
        Object.keys(action.inputs)
          .map((name) => `inputs.${name}`)
          .sort(),
      ).toEqual(Object.keys(known).sort());
      return githubSteps(action.runs.steps, known);
    },
  },
  "the workflow": {
    file: "github-workflow.yml",
    env: {
      GITHUB_ACTIONS: "true",
      GITHUB_SHA: SHA,
      GITHUB_EVENT_NAME: "push",
      GITHUB_REF: "refs/heads/main",
    },
    faults: (text) => workflowFaults(Bun.YAML.parse(text)),
    steps: (text) => {
      const workflow = Bun.YAML.parse(text) as { permissions: object; jobs: { publish: Workflow } };
      // No more than it needs: a run that is taken over writes nothing.
      expect(workflow.permissions).toEqual({ contents: "read" });
      return githubSteps(workflow.jobs.publish.steps, { "steps.build.outputs.digest": DIGEST });
    },
  },
  "the component of GitLab": {
    file: "gitlab/template.yml",
    env: {
      GITLAB_CI: "true",
      CI: "true",
      CI_COMMIT_SHA: SHA,
      CI_COMMIT_BRANCH: "main",
      CI_DEFAULT_BRANCH: "main",
    },
    faults: (text) => {
      const [spec = "", body = ""] = text.split("\n---\n");
      return gitlabFaults(Bun.YAML.parse(spec), body, Bun.YAML.parse(body));
    },
    steps: (text) => {
      const [spec = "", body = ""] = text.split("\n---\n");
      const { inputs } = (Bun.YAML.parse(spec) as { spec: { inputs: Record<string, { default?: string }> } })
        .spec;
      const given: Record<string, string> = { template: "codex" };
      const filled = body.replaceAll(
        /\$\[\[ inputs\.([a-z-]+) \]\]/gu,
        (_whole, name: string) => given[name] ?? inputs[name]?.default ?? `no ${name}`,
      );
      const job = (
        Bun.YAML.parse(filled) as Record<string, { script: string[]; variables: Record<string, string> }>
      )["waybill-promote"];
      // One shell for all lines, as its runner has.
      return [{ run: job?.script.join("\n") ?? "", shell: ["sh", "-e"], env: job?.variables ?? {} }];
    },
  },
  CircleCI: {
    file: "circleci.yml",
    env: { CIRCLECI: "true", CI: "true", CIRCLE_SHA1: SHA, CIRCLE_BRANCH: "main" },
    faults: (text) => circleFaults(Bun.YAML.parse(text)),
    steps: (text) => {
      const { jobs } = Bun.YAML.parse(text) as {
        jobs: { promote: { steps: (string | { run?: { command: string } })[] } };
      };
      return jobs.promote.steps.flatMap((step) =>
        typeof step === "string" || step.run === undefined ? [] : [plain(step.run.command)],
      );
    },
  },
  Buildkite: {
    file: "buildkite.yml",
    env: { BUILDKITE: "true", CI: "true", BUILDKITE_COMMIT: SHA, BUILDKITE_BRANCH: "main" },
    faults: (text) => buildkiteFaults(text, Bun.YAML.parse(text)),
    steps: (text) => {
      const { steps } = Bun.YAML.parse(text) as { steps: { commands: string[] }[] };
      // The upload of a pipeline expands $X and turns $$ into $.
      return (steps[0]?.commands ?? []).map((command) => plain(command.replaceAll("$$", "$")));
    },
  },
  Jenkins: {
    file: "Jenkinsfile",
    env: { JENKINS_URL: "http://127.0.0.1/", BUILD_ID: "1", GIT_COMMIT: SHA, GIT_BRANCH: "main" },
    faults: jenkinsFaults,
    steps: (text) => {
      return [...text.matchAll(/^\s*sh '([^']+)'$/gmu)].map(([, run = ""]) => plain(run, ["sh", "-xe"]));
    },
  },
  "the plain shell": {
    file: "promote.sh",
    env: { WAYBILL_TEMPLATE: "codex", WAYBILL_IMAGE_DIGEST: DIGEST, WAYBILL_GIT_SHA: SHA },
    faults: () => [],
    steps: () => [plain('exec "$RECIPE"', ["sh", "-e"])],
  },
};

const JENKINS_BLOCKS = [
  "pipeline",
  "options",
  "environment",
  "stages",
  "stage",
  "when",
  "steps",
  "post",
  "always",
];

/** Declarative blocks, each closed; and no text in which Groovy would put a secret. */
function jenkinsFaults(text: string): string[] {
  const opened = [...text.matchAll(/^\s*(\w+)(?:\('[^']*'\))? \{/gmu)].map(([, name = ""]) => name);
  return [
    ...opened.filter((name) => !JENKINS_BLOCKS.includes(name)).map((name) => `there is no block ${name}`),
    ...(text.split("{").length === text.split("}").length ? [] : ["a block is not closed"]),
    ...(/\bsh\s*\(?\s*"/u.test(text) ? ["a command in double quotes: Groovy expands it"] : []),
  ];
}

describe("the text of the recipes", () => {
  const each = Object.entries(RECIPES);
  const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");

  test.each(each)("%s is what its vendor takes", (_name, { file, faults }) => {
    expect(faults(read(file))).toEqual([]);
  });

  test.skipIf(Bun.which("shellcheck") === null).each(each)(
    "the scripts of %s are clean for shellcheck (needs shellcheck)",
    async (_name, { file, steps }) => {
      const scripts = file.endsWith(".sh") ? [{ run: read(file), shell: ["sh"] }] : steps(read(file));
      for (const { run, shell } of scripts) {
        const words = ["shellcheck", `--shell=${shell[0]}`, "-"];
        expect(await runProgram(words, { stdin: run })).toMatchObject({ code: 0, stdout: "" });
      }
    },
  );

  const broken: [string, keyof typeof RECIPES, string, string, string][] = [
    ["a key that is misspelt", "the workflow", "runs-on:", "runs_on:", "publish has no key runs_on"],
    ["an event that does not exist", "the workflow", "  push:", "  pushed:", "on has no key pushed"],
    [
      "an output of no step",
      "the workflow",
      "id: build",
      "id: built",
      "uses steps.build.outputs.digest, which is not there",
    ],
    [
      "an expression in a script",
      "the workflow",
      '--digest "$DIGEST"',
      "--digest ${{ github.ref }}",
      "where a value is code",
    ],
    ["a reference without a version", "the workflow", "checkout@v4", "checkout", "names no version"],
    [
      "a step without a shell",
      "the composite action",
      "    - shell: bash\n      env",
      "    - env",
      "step 2 has no shell",
    ],
    [
      "an input that is not declared",
      "the composite action",
      "inputs.digest }}",
      "inputs.digset }}",
      "inputs.digset, which is not there",
    ],
    [
      "a secret in an action",
      "the composite action",
      "inputs.digest }}",
      "secrets.DIGEST }}",
      "secrets.DIGEST, which is not there",
    ],
    [
      "an input of a component that is not there",
      "the component of GitLab",
      "inputs.config ]]",
      "inputs.conf ]]",
      "there is no input conf",
    ],
    ["a job that is not there", "CircleCI", "- promote:", "- promoted:", "there is no job promoted"],
    [
      "a variable that the upload expands",
      "Buildkite",
      "$$IMAGE_DIGEST",
      "$IMAGE_DIGEST",
      "expanded by the upload",
    ],
    [
      "a secret that Groovy expands",
      "Jenkins",
      "sh 'waybill promote",
      'sh "waybill promote',
      "Groovy expands it",
    ],
  ];
  test.each(broken)("%s is seen", (_what, name, from, to, fault) => {
    const recipe = RECIPES[name];
    const text = read(recipe?.file ?? "");
    expect(text).toContain(from);
    expect(recipe?.faults(text.replace(from, to)).join("\n")).toContain(fault);
  });
});

describe.skipIf(BINARY === null)("the recipes for CI systems (need the compiled binary)", () => {
  let planes: { prod: ControlPlaneProcess; staging: ControlPlaneProcess };
  let env: Record<string, string>;

  beforeAll(async () => {
    const [prod, staging] = await Promise.all([startControlPlane(), startControlPlane()]);
    planes = { prod, staging };
    const scopes = ["pins:read", "pins:write"];
    env = {
      PROD_TOKEN: await prod.token(scopes, "prod"),
      STAGING_TOKEN: await staging.token(scopes, "staging"),
      PATH: `${dirname(BINARY ?? "")}:${process.env["PATH"] ?? ""}`,
      IMAGE_DIGEST: DIGEST,
    };
  });
  afterAll(async () => {
    await Promise.all([planes.prod.stop(), planes.staging.stop()]);
  });

  function project(folder: TemporaryFolder): void {
    const environments = {
      prod: { url: planes.prod.address, token_env: "PROD_TOKEN" },
      staging: { url: planes.staging.address, token_env: "STAGING_TOKEN" },
    };
    writeFileSync(folder.at("targets.json"), JSON.stringify({ environments }));
    writeFileSync(folder.at("build-and-push.sh"), "#!/bin/sh\necho built\n");
    chmodSync(folder.at("build-and-push.sh"), 0o755);
    mkdirSync(folder.at("results"));
    writeFileSync(folder.at("results/.gitignore"), "*.xml\n");
    for (const words of [
      ["init", "-q", "-b", "main"],
      ["add", "."],
      ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"],
    ]) {
      const done = Bun.spawnSync(["git", ...words], { cwd: folder.path, stderr: "pipe" });
      if (!done.success) throw new Error(done.stderr.toString());
    }
  }

  /** Runs the steps as the runner would, up to the first that fails. The planes of a test speak http. */
  async function runRecipe(
    recipe: Recipe,
    folder: TemporaryFolder,
    more: Record<string, string> = {},
  ): Promise<Finished[]> {
    const finished: Finished[] = [];
    using runner = temporaryFolder();
    const outputs = { GITHUB_OUTPUT: runner.at("output"), GITHUB_STEP_SUMMARY: runner.at("summary") };
    for (const file of Object.values(outputs)) writeFileSync(file, "");
    // As in the real thing, but for the scheme, as these servers have no certificate, and without long pauses.
    const http = runner.at("bin");
    mkdirSync(http, { recursive: true });
    writeFileSync(
      join(http, "waybill"),
      [
        "#!/bin/sh",
        'case $1 in promote|verify) set -- "$@" --allow-insecure-http ;; esac',
        'case $1 in verify) set -- "$@" --retry-interval 100ms ;; esac',
        `exec "${BINARY}" "$@"`,
        "",
      ].join("\n"),
    );
    chmodSync(join(http, "waybill"), 0o755);
    for (const step of recipe.steps(readFileSync(join(FOLDER, recipe.file), "utf8"))) {
      writeFileSync(runner.at("step"), step.run);
      const variables = {
        ...env,
        ...outputs,
        ...recipe.env,
        WAYBILL_CONFIG: "targets.json",
        RUNNER_TEMP: runner.path,
        RECIPE: join(FOLDER, recipe.file),
        ...step.env,
        ...more,
      };
      const one = await runProgram([...step.shell, runner.at("step")], {
        cwd: folder.path,
        env: { ...variables, PATH: `${http}:${env["PATH"] ?? ""}` },
      });
      finished.push(one);
      if (one.code !== 0) break;
    }
    return finished;
  }

  const names = Object.entries(RECIPES);
  test.each(names)("%s pins in both environments, and proves it", async (_name, recipe) => {
    using folder = temporaryFolder();
    project(folder);
    const finished = await runRecipe(recipe, folder);
    expect(finished.map(({ code, stderr }) => [code, code === 0 ? "" : stderr])).toEqual(
      finished.map(() => [0, ""]),
    );
    const said = finished.map(({ stdout }) => stdout).join("");
    for (const place of ["prod", "staging"])
      expect(said).toMatch(new RegExp(`OK +${place}: codex \\(global\\) (?:landed|already)`, "u"));
    expect(said.match(/ matches/gu)?.length).toBe(2);
    // Only the line that has the runner hide it.
    const shown = finished
      .map(({ stdout, stderr }) => stdout + stderr)
      .join("")
      .replaceAll(/^::add-mask::.*$/gmu, "");
    expect(shown).not.toContain(env["PROD_TOKEN"] ?? "?");
  });

  test.each(names)("%s is red when an environment refuses", async (_name, recipe) => {
    using folder = temporaryFolder();
    project(folder);
    const finished = await runRecipe(recipe, folder, { STAGING_TOKEN: "wb_a-token-that-nobody-made" });
    // prod may stand; the run must not be green: 3 is "several, and some failed".
    expect(finished.at(-1)?.code).toBe(3);
    expect(finished.at(-1)?.stderr).toContain("staging");
  });

  test("every recipe of the folder is tested", () => {
    const files = [...new Bun.Glob("**/*").scanSync({ cwd: FOLDER })].sort();
    expect(
      Object.values(RECIPES)
        .map(({ file }) => file)
        .sort(),
    ).toEqual(files);
  });
});
