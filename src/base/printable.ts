import { LIMITS } from "./limits.ts";

/**
 * Unicode's control and format characters and its line breaks: terminal control, bidirectional overrides, zero-width
 * characters, and the tags, an alphabet that nobody sees.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** Whether a text has one of these: as a name it is then not what it looks like. */
export function isDeceptive(text: string): boolean {
  return text.search(UNPRINTABLE) !== -1;
}

/**
 * Words that CI runners act on when they see them in a log: GitHub, Gitea and Forgejo (`::name::`, `##[name]`),
 * Azure (`##vso[`), TeamCity (`##teamcity[`) and GitLab (`section_start:`). A space is put inside each, so that a
 * person can still read it and the runner does not see it. The last `::` ends a command and begins none; `[::1]` stays
 * as it is.
 */
const RUNNER_COMMANDS = /::(?=[a-z_-])|##(?=\[|vso\[|teamcity\[)|section_(?=start:|end:)/giu;

/**
 * Foreign text made inert for a terminal, a log, an annotation or a summary: one line, no control characters, no
 * runner commands, at most `max` characters.
 */
export function printable(text: string, max: number = LIMITS.serverTextChars): string {
  const spaced = text.replace(UNPRINTABLE, " ");
  // Looked for once: a pattern that looked ahead from each would take minutes for a text of nothing but these.
  const lastColons = spaced.lastIndexOf("::");
  const broken = (command: string, at: number): string =>
    command === "::" && at === lastColons ? command : breakUp(command);
  const line = spaced.replace(RUNNER_COMMANDS, broken).trim();
  // Taking apart what is short enough anyway is most of the work, and nearly everything is.
  if (line.length <= max) return line;
  const characters = Array.from(line);
  return characters.length > max ? `${characters.slice(0, max).join("")}…` : line;
}

function breakUp(command: string): string {
  return command === "::" || command === "##" ? Array.from(command).join(" ") : `${command} `;
}

/** A value as it appears in a message: quoted, inert, short. */
export function quoted(value: string, max = 200): string {
  return `"${printable(value, max).replaceAll('"', '\\"')}"`;
}
