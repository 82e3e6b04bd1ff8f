import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { IgnoreLine } from "./ignore-file.ts";
import { compilePattern, isAcceptedGlob, type PathTest } from "./ignore-pattern.ts";
import { cleanPath, trimSpace } from "./ignore-text.ts";

/** Which patterns hit a directory or one above it: 1 at a pattern's index. Opaque to callers. */
export type ParentMatch = Readonly<Uint8Array>;

export type Match = {
  ignored: boolean;
  /** The last line that changed the verdict for this path, directly or through a parent; null when none did. */
  decidedBy: IgnoreLine | null;
  /** For the entries of this directory; null when nothing hit so far. */
  own: ParentMatch | null;
};

type Rule = {
  line: IgnoreLine;
  exception: boolean;
  pattern: string;
  /** Compiled when first needed; null when Docker cannot. */
  test: PathTest | null | undefined;
};

/**
 * The matcher of an ignore file. Throws `ignore_file_invalid`, naming pattern and line, where `docker build` refuses
 * the file when it loads it.
 */
export function compileIgnore(lines: readonly IgnoreLine[]): IgnoreMatcher {
  const rules: Rule[] = [];
  for (const line of lines) {
    // Docker trims and cleans once more: `/ x` is ` x` after reading and `x` here, `!/` becomes a bare `!`.
    const trimmed = trimSpace(line.pattern);
    if (trimmed === "") continue;
    const cleaned = cleanPath(trimmed);
    if (cleaned === "!") throw refused(line, 'illegal exclusion pattern: "!"');
    const exception = cleaned.startsWith("!");
    const pattern = exception ? cleaned.slice(1) : cleaned;
    if (!isAcceptedGlob(pattern)) throw refused(line, "syntax error in pattern");
    rules.push({ line, exception, pattern, test: undefined });
  }
  return new IgnoreMatcher(rules);
}

function refused(line: IgnoreLine, reason: string): Failure {
  return new Failure(
    "ignore_file_invalid",
    `line ${line.line} of the ignore file, ${quoted(line.pattern)}: ${reason}`,
    { hint: "docker build refuses this file too; correct or remove the line" },
  );
}

/**
 * The decisions of Docker's context walk. A walker goes top-down and for every entry, directory or not, asks once
 * `found = matcher.match(path, parent)`: `path` relative with `/` and no trailing one, its bytes read by
 * `decodeName`; `parent` the `own` of the containing directory's match, null for entries of the context itself.
 *
 * - `found.ignored` false: emit the entry, after those ignored directories above it that are not emitted yet.
 * - an ignored entry is not emitted by itself; an ignored directory is read only if `descends(path, found)`, and
 *   may then be emitted as the parent of something below.
 * - an ignored directory that cannot be read is left out in silence; any other is a failure.
 *
 * `match` throws `ignore_file_invalid` for a pattern whose fault Docker finds at its first use.
 */
export class IgnoreMatcher {
  readonly empty: boolean;
  readonly #rules: readonly Rule[];
  /** What the exceptions begin with, `/` last; null when one has a wildcard, so that it may match anywhere. */
  readonly #exceptionPrefixes: readonly string[] | null;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.empty = rules.length === 0;
    const exceptions = rules.filter((rule) => rule.exception).map((rule) => withoutLastStars(rule.pattern));
    this.#exceptionPrefixes = exceptions.some((pattern) => /[*[\]?^\\]/.test(pattern))
      ? null
      : exceptions.map((pattern) => `${pattern}/`);
  }

  match(path: string, parent: ParentMatch | null): Match {
    let ignored = false;
    let decidedBy: IgnoreLine | null = null;
    let own: Uint8Array | null = null;
    for (const [index, rule] of this.#rules.entries()) {
      if (parent?.[index] !== 1) {
        // A pattern that could not change the verdict is not looked at, and then counts as no hit for what is below.
        if (rule.exception !== ignored) continue;
        if (!this.#hits(rule, path)) continue;
        own ??= parent === null ? new Uint8Array(this.#rules.length) : Uint8Array.from(parent);
        own[index] = 1;
      }
      if (rule.exception === ignored) {
        ignored = !rule.exception;
        decidedBy = rule.line;
      }
    }
    return { ignored, decidedBy, own: own ?? parent };
  }

  /** Whether the walk reads a directory: one that is not ignored, or one that may contain something re-included. */
  descends(directory: string, found: Match): boolean {
    return !found.ignored || this.mayContainIncluded(directory);
  }

  /**
   * Whether Docker's walk looks for exceptions below an ignored directory. It compares prefixes, unless a wildcard
   * is left in an exception once its trailing stars are cut off; so it can miss what would match below `a/x`.
   */
  mayContainIncluded(directory: string): boolean {
    const prefix = `${directory}/`;
    return this.#exceptionPrefixes?.some((exception) => exception.startsWith(prefix)) ?? true;
  }

  /** What becomes of one path in the walk, and by which line, without the tree. */
  verdictFor(path: string): Pick<Match, "ignored" | "decidedBy"> {
    const clean = cleanPath(path);
    if (clean === "." || clean === "/") return { ignored: false, decidedBy: null };
    let parent: ParentMatch | null = null;
    for (let slash = clean.indexOf("/"); slash !== -1; slash = clean.indexOf("/", slash + 1)) {
      const directory = clean.slice(0, slash);
      const found = this.match(directory, parent);
      if (!this.descends(directory, found)) return { ignored: true, decidedBy: found.decidedBy };
      parent = found.own;
    }
    const { ignored, decidedBy } = this.match(clean, parent);
    return { ignored, decidedBy };
  }

  #hits(rule: Rule, path: string): boolean {
    if (rule.test === undefined) rule.test = compilePattern(rule.pattern);
    if (rule.test === null) throw refused(rule.line, "syntax error in pattern");
    return rule.test(path);
  }
}

function withoutLastStars(pattern: string): string {
  const one = pattern.endsWith("/**") ? pattern.slice(0, -3) : pattern;
  return one.endsWith("/*") ? one.slice(0, -2) : one;
}
