/** docs/mutation.md: a section for each module, each written anew when its module was tried. */
import type { Judged } from "./judge.ts";
import type { Module } from "./modules.ts";

const HEAD = `# What the tests would notice

The files that decide are broken on purpose, one small thing at a time: a bound moved by one, a condition always true or
always false, an operand or a statement left out, a value given back that says nothing, an anchor of an expression lost.
A mutant that makes a test fail is killed. One that changes nothing that anybody can see is equivalent, and says why
(\`scripts/mutation/explained.ts\`; an entry that no longer holds fails the run). What is left is something that the tests
would not notice.

\`scripts/mutate\` tries all modules again and writes this page, \`scripts/mutate pins\` one of them, \`scripts/mutate pins
leg\` the files of it whose path has that word, without writing. One process at a time, in a copy of the tree; a loop
without end is ended by its processor time and counts as killed. A kill is remembered (\`node_modules/.cache\`) until the file
or the test that killed changes. Left out is what only words a message for people, and
what the same tests kill anyhow (a condition turned round, \`&&\` for \`||\`).
`;

type Count = "mutants" | "killed" | "equivalent" | "survived" | "unreached";
const COLUMNS: readonly Count[] = ["mutants", "killed", "equivalent", "survived", "unreached"];

/** `page` as it was, null for none. `date` as in 2026-01-31. */
export function withSection(
  page: string | null,
  { name, tests }: Module,
  judged: readonly Judged[],
  date: string,
  order: readonly string[],
): string {
  const sections = sectionsOf(page ?? "");
  sections.set(
    name,
    [
      `## ${name}`,
      "",
      `Tried on ${date} against ${tests.map((test) => `\`${test}\``).join(", ")}.`,
      "",
      ...table(judged),
      ...equivalents(judged),
      ...survivors(judged),
    ].join("\n"),
  );
  const known = order.flatMap((one) => sections.get(one) ?? []);
  return `${[HEAD.trimEnd(), ...known.map((text) => text.trim())].join("\n\n")}\n`;
}

function sectionsOf(page: string): Map<string, string> {
  const parts = page.split(/^(?=## )/mu).slice(1);
  return new Map(parts.map((part) => [part.slice(3, part.indexOf("\n")), part]));
}

function table(judged: readonly Judged[]): string[] {
  const files = [...new Set(judged.map(({ mutant }) => mutant.file))];
  const row = (name: string, of: readonly Judged[]): string => {
    const counts = countsOf(of);
    return `| ${name} | ${COLUMNS.map((column) => counts[column]).join(" | ")} |`;
  };
  return [
    `| file | ${COLUMNS.join(" | ").replace("unreached", "reached by no test")} |`,
    "|---|---|---|---|---|---|",
    ...files.map((file) =>
      row(
        `\`${file}\``,
        judged.filter(({ mutant }) => mutant.file === file),
      ),
    ),
    row("all", judged),
    "",
  ];
}

function countsOf(judged: readonly Judged[]): Record<Count, number> {
  const open = judged.filter(({ reason }) => reason === null);
  return {
    mutants: judged.length,
    killed: open.filter(({ fate }) => fate === "killed").length,
    equivalent: judged.length - open.length,
    survived: open.filter(({ fate }) => fate === "survived").length,
    unreached: open.filter(({ fate }) => fate === "unreached").length,
  };
}

function equivalents(judged: readonly Judged[]): string[] {
  const reasons = Map.groupBy(
    judged.filter(({ reason }) => reason !== null),
    ({ mutant, reason }) => `\`${mutant.file}\`: ${reason}`,
  );
  if (reasons.size === 0) return [];
  return [
    "Equivalent:",
    "",
    ...[...reasons].flatMap(([reason, of]) => [
      `- ${reason}`,
      ...of.map(({ mutant }) => `  - ${inCode(mutant.name)}`),
    ]),
    "",
  ];
}

function survivors(judged: readonly Judged[]): string[] {
  const open = judged.filter(({ fate, reason }) => fate !== "killed" && reason === null);
  if (open.length === 0) return [];
  return [
    "Alive:",
    "",
    ...open.map(
      ({ mutant, fate }) =>
        `- \`${mutant.file}:${mutant.line}\`${fate === "unreached" ? ", reached by no test" : ""}: ${inCode(mutant.name)}`,
    ),
    "",
  ];
}

function inCode(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}
