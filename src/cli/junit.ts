import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import type { Failure } from "../base/failure.ts";
import type { ReportRow } from "./report-rows.ts";

export type JunitSuite = {
  readonly name: string;
  readonly rows: readonly Pick<ReportRow, "name" | "group" | "failure" | "ms">[];
};

/** Ends that say nothing about what was looked at: it could not be looked at. */
const ERRORS: ReadonlySet<ExitCode> = new Set([
  EXIT.internal,
  EXIT.usage,
  EXIT.auth,
  EXIT.transport,
  EXIT.server,
  EXIT.unknown,
  EXIT.interrupted,
  EXIT.terminated,
]);

/** A JUnit report with one test case a row. `clean` takes secrets out of a text before it is escaped. */
export function renderJunit(suite: JunitSuite, clean: (text: string) => string): string {
  const failures = suite.rows.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  const errors = failures.filter(isError).length;
  const seconds = secondsOf(suite.rows.reduce((sum, { ms }) => sum + ms, 0));
  const counts = `tests="${suite.rows.length}" failures="${failures.length - errors}" errors="${errors}" time="${seconds}"`;
  const text = (value: string): string => escape(clean(value));
  const cases = suite.rows.map((row) => {
    const head = `    <testcase classname="${text(row.group)}" name="${text(row.name)}" time="${secondsOf(row.ms)}"`;
    if (row.failure === null) return `${head}/>\n`;
    const tag = isError(row.failure) ? "error" : "failure";
    const { message, hint, serverText, code } = row.failure;
    const lines = [message, ...(serverText === undefined ? [] : [`server said: ${serverText}`])];
    if (hint !== undefined) lines.push(`hint: ${hint}`);
    return `${head}>\n      <${tag} type="${code}" message="${text(message)}">${lines.map(text).join("\n")}</${tag}>\n    </testcase>\n`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites name="waybill" ${counts}>\n`,
    `  <testsuite name="${text(suite.name)}" ${counts}>\n`,
    ...cases,
    "  </testsuite>\n</testsuites>\n",
  ].join("");
}

function isError(failure: Failure): boolean {
  return ERRORS.has(failure.exitCode);
}

function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** What XML 1.0 §2.2 does not allow even as a reference, and lone surrogates, are gone; the rest is escaped. */
function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\t", "&#9;")
    .replaceAll("\n", "&#10;")
    .replaceAll("\r", "&#13;");
}
