import type { BytePath } from "./byte-path.ts";
import { patternText } from "./byte-path.ts";
import type { IgnoreLine } from "./ignore-file.ts";
import type { IgnoreMatcher } from "./ignore.ts";

/** Why a path is in the context or not. Stable codes. */
export type ExplanationReason =
  | "no_rule"
  | "rule"
  | "build_file"
  | "holds_included"
  | "version_control"
  | "special_file"
  | "behind_link"
  | "outside_context"
  | "context_root";

export type Explanation = {
  readonly included: boolean;
  readonly reason: ExplanationReason;
  /** The line of the ignore file that had the last word, also when something else overrules it. */
  readonly rule: IgnoreLine | null;
};

export type PathFacts = {
  readonly path: BytePath;
  readonly kind: "file" | "directory" | "symlink" | "special";
  /** It lies behind a symbolic link, which ships as a link. */
  readonly behindLink: boolean;
  /** The chosen Dockerfile or ignore file. */
  readonly isBuildFile: boolean;
  /** Whether anything below an ignored directory is in the context; asked only then. */
  readonly holdsIncluded: () => boolean;
};

/** The verdict on one path that exists, as the walk would come to it. */
export function explainPath(facts: PathFacts, ignore: IgnoreMatcher): Explanation {
  const { path, kind } = facts;
  if (path.split("/").includes(".git")) return { included: false, reason: "version_control", rule: null };
  if (facts.behindLink) return { included: false, reason: "behind_link", rule: null };
  const { ignored, decidedBy: rule } = ignore.verdictFor(patternText(path));
  if (facts.isBuildFile) return { included: true, reason: "build_file", rule };
  if (kind === "special" && !ignored) return { included: false, reason: "special_file", rule };
  if (!ignored) return { included: true, reason: rule === null ? "no_rule" : "rule", rule };
  return kind === "directory" && facts.holdsIncluded()
    ? { included: true, reason: "holds_included", rule }
    : { included: false, reason: "rule", rule };
}

const WORDS: Readonly<Record<ExplanationReason, string>> = {
  no_rule: "no line of an ignore file says otherwise",
  rule: "decided by",
  build_file: "the builder always gets its Dockerfile and its ignore file",
  holds_included: "something below it is in the context",
  version_control: "version control is no part of a context; --include-vcs of capture takes it in",
  special_file: "it is no file that a builder can copy",
  behind_link: "it lies behind a symbolic link, and links ship as links",
  outside_context: "it lies outside the context",
  context_root: "it is the context itself",
};

export function describeReason({ reason, rule }: Explanation): string {
  const line = rule === null ? "" : `line ${rule.line}: ${rule.pattern}`;
  if (reason === "rule") return `${WORDS.rule} ${line}`;
  return rule === null ? WORDS[reason] : `${WORDS[reason]} (${line})`;
}
