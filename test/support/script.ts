/**
 * Dialogues with the command line as text files: what a person types and what they see, in `test/scripts/*.txt`.
 *
 *     # a comment
 *     needs: git                   skip the script, visibly, when the program is missing; `needs: compiled` likewise
 *     $ waybill version --json     a line for sh, in a folder of the script's own; `waybill` is the one under test
 *     waybill <ANY>                a line of standard output; the next line of the file is the next line of output
 *     ~ ^waybill \d+\.             a line of standard output, by regular expression
 *     ...                          any number of lines
 *     \$ 5                         a line that starts with a character of this syntax; \ alone is an empty line
 *     json: error.code = "x"       standard output is one JSON document with this value at this path
 *     json: keys schema, ok        … whose first keys are these
 *     stderr: error: <ANY>         a line of standard error; `stderr~ REGEXP` and `stderr: ...` as above
 *     exit 2                       the exit code; 0 without this line
 *     -- folder/name.txt --        from here to the next such line: a file that is there when the script starts
 *
 * What is not announced must not be there: no line for a stream means that
 * nothing was written to it. Placeholders: <ANY> a part of a line, <NUMBER>,
 * <SHA256> 64 hex characters, <INSTANT> an RFC 3339 time, <WORK> the folder.
 */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { BINARY, CLEAN_ENVIRONMENT, PROGRAM, runProgram, type Finished } from "./binary.ts";
import type { TemporaryFolder } from "./temporary.ts";

export type Script = {
  readonly needs: readonly string[];
  readonly steps: readonly Step[];
  readonly files: Readonly<Record<string, string>>;
};

type Line = { readonly kind: "text" | "pattern" | "gap"; readonly text: string };
type Step = {
  readonly line: number;
  readonly command: string;
  readonly stdout: Line[];
  readonly stderr: Line[];
  readonly json: string[];
  exit: number;
};

export function parseScript(source: string): Script {
  const needs: string[] = [];
  const steps: Step[] = [];
  const files: Record<string, string> = {};
  let file: string | null = null;
  for (const [index, line] of source.replace(/\n$/u, "").split("\n").entries()) {
    const header = /^-- (\S+) --$/u.exec(line);
    if (header !== null) {
      file = header[1] ?? "";
      files[file] = "";
    } else if (file !== null) files[file] += `${line}\n`;
    else if (line.startsWith("needs: ")) needs.push(line.slice(7).trim());
    else if (line.startsWith("$ ")) {
      steps.push({ line: index + 1, command: line.slice(2), stdout: [], stderr: [], json: [], exit: 0 });
    } else if (line.trim() !== "" && !line.startsWith("#")) expectLine(steps.at(-1), line, index + 1);
  }
  return { needs, steps, files };
}

function expectLine(step: Step | undefined, line: string, number: number): void {
  if (step === undefined) throw new Error(`line ${number} expects output before any command: ${line}`);
  const exit = /^exit (\d+)$/u.exec(line);
  const stderr = /^stderr([:~]) ?(.*)$/u.exec(line);
  if (exit !== null) step.exit = Number(exit[1]);
  else if (stderr !== null) step.stderr.push(lineOf(stderr[1] === "~", stderr[2] ?? ""));
  else if (line.startsWith("json: ")) step.json.push(line.slice(6));
  else if (line.startsWith("~ ")) step.stdout.push(lineOf(true, line.slice(2)));
  else step.stdout.push(lineOf(false, line));
}

function lineOf(isPattern: boolean, text: string): Line {
  if (isPattern) return { kind: "pattern", text };
  if (text === "...") return { kind: "gap", text };
  return { kind: "text", text: text.startsWith("\\") ? text.slice(1) : text };
}

/** The first thing that this machine or this run lacks for the script, or null. */
export function missingFor(script: Script): string | null {
  return (
    script.needs.find((need) => (need === "compiled" ? BINARY === null : Bun.which(need) === null)) ?? null
  );
}

/** Runs the script; the result is empty, or says for each step that went otherwise what was seen. */
export async function playScript(script: Script, folder: TemporaryFolder): Promise<string[]> {
  const work = folder.at("work");
  for (const [name, content] of Object.entries(script.files)) {
    mkdirSync(dirname(folder.at("work", name)), { recursive: true });
    writeFileSync(folder.at("work", name), content);
  }
  mkdirSync(work, { recursive: true });
  mkdirSync(folder.at("bin"));
  mkdirSync(folder.at("home"));
  installProgram(folder.at("bin", "waybill"));
  const env = { PATH: `${folder.at("bin")}:${CLEAN_ENVIRONMENT["PATH"] ?? ""}`, HOME: folder.at("home") };

  const complaints: string[] = [];
  for (const step of script.steps) {
    const finished = await runProgram(["/bin/sh", "-c", step.command], { cwd: work, env });
    const wrong = judge(step, finished, work);
    if (wrong.length > 0) {
      complaints.push([`line ${step.line}: ${step.command}`, ...wrong, show(finished)].join("\n  "));
    }
  }
  return complaints;
}

function installProgram(path: string): void {
  const [program] = PROGRAM;
  if (PROGRAM.length === 1 && program !== undefined) return symlinkSync(program, path);
  writeFileSync(path, `#!/bin/sh\nexec ${PROGRAM.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  chmodSync(path, 0o755);
}

function judge(step: Step, finished: Finished, work: string): string[] {
  const wrong: string[] = [];
  if (finished.code !== step.exit) wrong.push(`exit code ${finished.code}, wanted ${step.exit}`);
  if (step.json.length === 0 && !matches(finished.stdout, step.stdout, work))
    wrong.push("standard output differs");
  if (!matches(finished.stderr, step.stderr, work)) wrong.push("standard error differs");
  return step.json.length === 0 ? wrong : [...wrong, ...judgeJson(step.json, finished.stdout)];
}

function matches(seen: string, wanted: readonly Line[], work: string): boolean {
  const source = wanted.map((line) =>
    line.kind === "gap" ? "(?:.*\\n)*" : `(?:${linePattern(line, work)})\\n`,
  );
  return new RegExp(`^${source.join("")}$`, "u").test(
    seen === "" || seen.endsWith("\n") ? seen : `${seen}\n`,
  );
}

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  "<ANY>": ".+",
  "<NUMBER>": "\\d+",
  "<SHA256>": "[0-9a-f]{64}",
  "<INSTANT>": "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z",
};

function linePattern(line: Line, work: string): string {
  // A pattern is searched inside its line, as grep would.
  if (line.kind === "pattern")
    return `${line.text.startsWith("^") ? "" : ".*"}(?:${line.text.replace(/^\^|\$$/gu, "")})${line.text.endsWith("$") ? "" : ".*"}`;
  return line.text
    .split(/(<[A-Z0-9]+>)/u)
    .map((part) =>
      part === "<WORK>"
        ? RegExp.escape(work)
        : (PLACEHOLDERS[part] ?? (part === "" ? "" : RegExp.escape(part))),
    )
    .join("");
}

function judgeJson(expectations: readonly string[], stdout: string): string[] {
  let document: unknown;
  try {
    document = JSON.parse(stdout);
  } catch {
    return ["standard output is not one JSON document"];
  }
  if (!stdout.endsWith("\n")) return ["the JSON document has no line break at its end"];
  return expectations.flatMap((expectation) => {
    if (expectation.startsWith("keys ")) {
      const wanted = expectation.slice(5).split(", ");
      const found = Object.keys(Object(document)).slice(0, wanted.length);
      return Bun.deepEquals(found, wanted) ? [] : [`first keys are ${found.join(", ")}`];
    }
    const [path = "", value = ""] = expectation.split(/ = (.*)/su);
    const found = memberAt(document, path);
    return Bun.deepEquals(found, JSON.parse(value))
      ? []
      : [`${path} is ${JSON.stringify(found)}, wanted ${value}`];
  });
}

function memberAt(document: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, name) => {
    const holder = Object(at);
    return Object.hasOwn(holder, name) ? holder[name] : undefined;
  }, document);
}

function show(finished: Finished): string {
  return `seen: exit ${finished.code}\n  stdout: ${JSON.stringify(finished.stdout)}\n  stderr: ${JSON.stringify(finished.stderr)}`;
}
