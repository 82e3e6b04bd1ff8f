import type { Group } from "./group.ts";
import { NOT_INJECTED } from "./groups.ts";
import { lost, type Machine, type Result, type Row } from "./result.ts";

/** docs/reliability.md from the catalogue and the last result of each group. */
export function renderPage(groups: readonly Group[], results: readonly Result[]): string {
  const ofGroup = (group: Group): Result | undefined => results.find((result) => result.group === group.name);
  return [
    "# Reliability",
    "",
    "Written by `scripts/torture`; change the catalogue in `scripts/tortures`. `scripts/torture NAME` runs one group again",
    "on your machine, `scripts/torture` all of them. Every fault goes into the compiled binary unless its line says that",
    "it goes into a reader alone. A point is one fault at one place; one that throws, hangs, or does not come to its",
    "end is lost, and so is one whose count is missing.",
    "",
    "| group | points | survived | lost | time | again |",
    "|---|---|---|---|---|---|",
    ...groups.map((group) => summaryLine(group, ofGroup(group))),
    "",
    ...groups.flatMap((group) => section(group, ofGroup(group))),
    "## What is not injected",
    ...NOT_INJECTED.map((line) => `- ${line}`),
    "",
  ].join("\n");
}

function summaryLine({ name, title }: Group, result: Result | undefined): string {
  const link = `[${title}](#${anchor(title)})`;
  const again = `\`scripts/torture ${name}\``;
  if (result === undefined) return `| ${link} | not run yet | | | | ${again} |`;
  const sum = (of: (row: Row) => number): number => result.rows.reduce((total, row) => total + of(row), 0);
  const counts = [sum((row) => row.tried), sum((row) => row.survived), sum(lost)].map(grouped);
  return `| ${link} | ${counts.join(" | ")} | ${duration(result.seconds)} | ${again} |`;
}

function section(group: Group, result: Result | undefined): string[] {
  return [
    `## ${group.title}`,
    group.how,
    "",
    `Survived: ${group.survived}`,
    "",
    "| what is injected | into | tried | survived | lost |",
    "|---|---|---|---|---|",
    ...group.injections.map(({ name, into, file }) => {
      const row = result?.rows.find((one) => one.name === name);
      const counts =
        row === undefined ? ["not run", "", ""] : [row.tried, row.survived, lost(row)].map(grouped);
      return `| [${name}](../${file}) | ${into} | ${counts.join(" | ")} |`;
    }),
    "",
    ...(result === undefined ? [] : [ranWhere(result), ""]),
  ];
}

function ranWhere(result: Result): string {
  const failed = result.failedTests.length;
  const broken = failed === 0 ? "" : ` ${failed} tests failed: ${result.failedTests.join("; ")}.`;
  return `${result.date}, waybill ${result.version}, ${duration(result.seconds)} on ${machineText(result.machine)}.${broken}`;
}

function machineText({ processor, cores, memoryGb, system }: Machine): string {
  return `${processor}, ${cores} cores, ${memoryGb} GB, ${system}`;
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/gu, "")
    .replaceAll(" ", "-");
}

/** 12345 as 12,345. */
function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/gu, ",");
}

function duration(seconds: number): string {
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
