/**
 * What a vendor's own checker would refuse in a recipe, for the parts of the languages that the recipes use. A key or a
 * context that is not listed here is a fault: whoever needs it looks up whether it exists, and adds it.
 */
type Tree = { readonly [name: string]: unknown };

const WORKFLOW = {
  top: ["name", "on", "permissions", "concurrency", "env", "jobs"],
  job: ["name", "runs-on", "needs", "if", "env", "permissions", "timeout-minutes", "steps"],
  step: ["id", "name", "if", "uses", "with", "env", "run", "shell", "working-directory"],
};
const ACTION = {
  top: ["name", "description", "inputs", "outputs", "runs"],
  input: ["description", "required", "default"],
  output: ["description", "value"],
};
const EVENTS = ["push", "pull_request", "workflow_dispatch", "release", "schedule"];

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tree(value: unknown): Tree {
  return isTree(value) ? value : {};
}

/** A name, or a list of names or of mappings with one name each: `promote`, `[checkout, {run: …}]`. */
function names(value: unknown): string[] {
  return [value ?? []]
    .flat()
    .flatMap((one: unknown) => (typeof one === "string" ? [one] : Object.keys(tree(one))));
}

function stray(where: string, value: unknown, known: readonly string[]): string[] {
  if (!isTree(value)) return [`${where} is no mapping`];
  return Object.keys(value).flatMap((key) => (known.includes(key) ? [] : [`${where} has no key ${key}`]));
}

/** Names between `${{` and `}}`, anywhere below. */
function expressions(value: unknown): string[] {
  const text = JSON.stringify(value) ?? "";
  return [...text.matchAll(/\$\{\{(.*?)\}\}/gu)].map(([, name = ""]) => name.trim());
}

/** The steps of one job or composite action, in order: each may use what the ones before it put out. */
function stepFaults(steps: unknown, contexts: readonly string[], isComposite: boolean): string[] {
  if (!Array.isArray(steps) || steps.length === 0) return ["there are no steps"];
  const ids = new Set<string>();
  return steps.flatMap((step: unknown, index) => {
    const where = `step ${index + 1}`;
    const { id, uses, run, shell } = tree(step);
    const faults = stray(where, step, WORKFLOW.step);
    if ((uses === undefined) === (run === undefined)) faults.push(`${where} wants one of uses and run`);
    if (typeof uses === "string" && !/^[\w.-]+\/[\w.-]+(?:\/[\w./-]+)?@[\w./-]+$/u.test(uses))
      faults.push(`${where} uses ${uses}, which names no version`);
    if (isComposite && run !== undefined && shell === undefined) faults.push(`${where} has no shell`);
    if (expressions(run).length > 0)
      faults.push(`${where} puts an expression into the text of a script, where a value is code`);
    faults.push(...expressionFaults(where, step, contexts, ids));
    if (typeof id === "string") {
      if (ids.has(id)) faults.push(`${where} has the id of another one`);
      ids.add(id);
    }
    return faults;
  });
}

function expressionFaults(
  where: string,
  value: unknown,
  contexts: readonly string[],
  steps: ReadonlySet<string>,
): string[] {
  return expressions(value).flatMap((name) => {
    const id = /^steps\.([\w-]+)\.(?:outputs\.[\w-]+|outcome|conclusion)$/u.exec(name)?.[1];
    if (id === undefined ? contexts.some((one) => isOf(name, one)) : steps.has(id)) return [];
    return [`${where} uses ${name}, which is not there`];
  });
}

/** `secrets.` allows every name below it, `inputs.digest` itself alone. */
function isOf(name: string, context: string): boolean {
  return context.endsWith(".")
    ? name.startsWith(context) && /^[\w-]+$/u.test(name.slice(context.length))
    : name === context;
}

export function workflowFaults(document: unknown): string[] {
  const { on, jobs } = tree(document);
  const contexts = ["secrets.", "github.sha", "github.ref", "github.event_name"];
  return [
    ...stray("the workflow", document, WORKFLOW.top),
    ...stray("on", on, EVENTS),
    ...Object.entries(tree(jobs)).flatMap(([name, job]) => [
      ...stray(name, job, WORKFLOW.job),
      ...(tree(job)["runs-on"] === undefined ? [`${name} runs nowhere`] : []),
      ...names(tree(job)["needs"])
        .filter((need) => !Object.hasOwn(tree(jobs), need))
        .map((need) => `${name} needs ${need}, which is not there`),
      ...expressionFaults(name, tree(job)["env"], contexts, new Set()),
      ...stepFaults(tree(job)["steps"], contexts, false),
    ]),
    ...(Object.keys(tree(jobs)).length === 0 ? ["there are no jobs"] : []),
  ];
}

export function actionFaults(document: unknown): string[] {
  const { name, description, inputs, outputs, runs } = tree(document);
  const { using, steps } = tree(runs);
  // An action sees no secrets but those that it is given as inputs.
  const contexts = Object.keys(tree(inputs)).map((input) => `inputs.${input}`);
  const ids = new Set((Array.isArray(steps) ? steps : []).map((step) => String(tree(step)["id"])));
  return [
    ...stray("the action", document, ACTION.top),
    ...(typeof name === "string" && typeof description === "string" ? [] : ["it has no name or description"]),
    ...(using === "composite" ? [] : [`it is no composite action but ${String(using)}`]),
    ...Object.entries(tree(inputs)).flatMap(([input, value]) => [
      ...stray(input, value, ACTION.input),
      ...(tree(value)["required"] === true && tree(value)["default"] !== undefined
        ? [`${input} is required and has a default`]
        : []),
      ...expressionFaults(input, value, ["github.sha", "github.ref"], new Set()),
    ]),
    ...Object.entries(tree(outputs)).flatMap(([output, value]) => [
      ...stray(output, value, ACTION.output),
      ...expressionFaults(output, value, contexts, ids),
    ]),
    ...stepFaults(steps, contexts, true),
  ];
}

export function gitlabFaults(spec: unknown, body: string, document: unknown): string[] {
  const inputs = Object.keys(tree(tree(tree(spec)["spec"])["inputs"]));
  const used = [...body.matchAll(/\$\[\[\s*inputs\.([\w-]+)\s*\]\]/gu)].map(([, name = ""]) => name);
  const known = ["stage", "resource_group", "rules", "variables", "script", "artifacts", "image", "needs"];
  return [
    ...stray("the component", spec, ["spec"]),
    ...used.filter((name) => !inputs.includes(name)).map((name) => `there is no input ${name}`),
    ...inputs.filter((name) => !used.includes(name)).map((name) => `input ${name} is not used`),
    ...Object.entries(tree(document)).flatMap(([name, job]) => stray(name, job, known)),
  ];
}

export function circleFaults(document: unknown): string[] {
  const { version, jobs, workflows } = tree(document);
  const job = ["docker", "steps", "environment", "working_directory", "resource_class"];
  const kinds = ["checkout", "run", "store_test_results", "store_artifacts", "persist_to_workspace"];
  return [
    ...stray("the configuration", document, ["version", "jobs", "workflows"]),
    ...(version === 2.1 ? [] : ["it is not version 2.1"]),
    ...Object.entries(tree(jobs)).flatMap(([name, value]) => [
      ...stray(name, value, job),
      ...names(tree(value)["steps"])
        .filter((kind) => !kinds.includes(kind))
        .map((kind) => `${name} has a step ${kind}`),
    ]),
    ...Object.values(tree(workflows)).flatMap((workflow) =>
      names(tree(workflow)["jobs"])
        .filter((name) => !Object.hasOwn(tree(jobs), name))
        .map((name) => `there is no job ${name}`),
    ),
  ];
}

export function buildkiteFaults(text: string, document: unknown): string[] {
  const step = ["label", "key", "branches", "commands", "retry", "env", "agents", "depends_on"];
  const steps = tree(document)["steps"];
  return [
    ...stray("the pipeline", document, ["steps", "env", "agents"]),
    ...(Array.isArray(steps) ? steps : []).flatMap((one: unknown, index) =>
      stray(`step ${index + 1}`, one, [...step, "concurrency", "concurrency_group"]),
    ),
    // The upload of the pipeline would put its own value there.
    ...(/(?<!\$)\$(?!\$)\w/u.test(text) ? ["a variable is expanded by the upload: write $$"] : []),
  ];
}
