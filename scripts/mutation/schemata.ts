/**
 * All mutants of a file in one text: each place asks whether its mutant is the chosen one. Compiling a file for each
 * mutant would take longer than its tests.
 */
import { editsOf, type Edit } from "./operators.ts";
import { declarationAround, everyNode, parse, type SyntaxNode } from "./syntax-tree.ts";

export type Mutant = {
  /** Counted through all files of a run, from 1. */
  readonly id: number;
  readonly file: string;
  readonly line: number;
  /** `function: what is there → what it becomes`; it stays the same when lines move. */
  readonly name: string;
};

type Placed = { readonly edit: Edit; readonly mutant: Mutant };

export type MutatedFile = { readonly text: string; readonly mutants: readonly Mutant[] };

/** The name under which a mutated file asks. */
export const ASKED = "$isMutant";

/** `asked`: from where the file imports the function that is asked. */
export function mutateFile(file: string, text: string, firstId: number, asked: string): MutatedFile {
  const tree = parse(file, text);
  const placed = new Map<SyntaxNode, Placed[]>();
  const mutants: Mutant[] = [];
  const names = new Map<string, number>();
  for (const node of everyNode(tree)) {
    for (const edit of editsOf(node, text)) {
      const host = hostOf(edit);
      if (host === null) continue;
      const plain = nameOf(edit, text);
      const count = (names.get(plain) ?? 0) + 1;
      names.set(plain, count);
      const mutant: Mutant = {
        id: firstId + mutants.length,
        file,
        line: text.slice(0, edit.start).split("\n").length,
        name: count === 1 ? plain : `${plain} #${count}`,
      };
      mutants.push(mutant);
      placed.set(host, [...(placed.get(host) ?? []), { edit, mutant }]);
    }
  }
  const mutated = `import { isMutant as ${ASKED} } from ${JSON.stringify(asked)};\n${render(tree, text, placed)}`;
  parse(file, mutated);
  return { text: mutated, mutants };
}

function nameOf(edit: Edit, text: string): string {
  const squeezed = (part: string): string => {
    const line = part.replaceAll(/\s+/gu, " ").trim();
    return line.length > 90 ? `${line.slice(0, 60)} … ${line.slice(-25)}` : line;
  };
  // A literal alone says nothing: it is shown in what it stands in.
  const isSmall =
    edit.node.type === "Literal" &&
    edit.node.parent !== null &&
    text.slice(edit.node.start, edit.node.end).length < 40;
  const parent = isSmall ? edit.node.parent : null;
  const shown = parent !== null && parent.end - parent.start <= 90 ? parent : edit.node;
  const before = squeezed(text.slice(shown.start, shown.end));
  const after = squeezed(text.slice(shown.start, edit.start) + edit.to + text.slice(edit.end, shown.end));
  return `${declarationAround(edit.node)}: ${before} → ${after === "" ? "nothing" : after}`;
}

/** The smallest node around an edit in whose place any expression may stand, or the statement that goes. */
function hostOf(edit: Edit): SyntaxNode | null {
  if (edit.to === "" && isStatement(edit.node)) return edit.node;
  for (let at: SyntaxNode | null = edit.node; at !== null; at = at.parent) {
    if (mayBeWrapped(at)) return at;
    if (isStatement(at)) return null;
  }
  return null;
}

function isStatement({ type }: SyntaxNode): boolean {
  return type.endsWith("Statement");
}

const NEVER = new Set(["callee", "id", "params", "param", "label", "tag", "quasi", "quasis", "source"]);

function mayBeWrapped(node: SyntaxNode): boolean {
  const { type, role, parent } = node;
  if (parent === null) return false;
  if (!/Expression$|^Literal$|^Identifier$|^TemplateLiteral$/u.test(type)) return false;
  if (NEVER.has(role) || isInsideChain(node) || /^(?:Import|Export)/u.test(parent.type)) return false;
  switch (parent.type) {
    case "AssignmentExpression":
    case "AssignmentPattern":
    case "ForOfStatement":
    case "ForInStatement":
      return role === "right";
    case "UpdateExpression":
    case "ArrayPattern":
    case "RestElement":
    case "MethodDefinition":
      return false;
    case "UnaryExpression":
      return parent.raw["operator"] !== "delete";
    case "MemberExpression":
      return role === "object" || parent.raw["computed"] === true;
    case "Property":
      return (
        role === "value" &&
        parent.raw["method"] !== true &&
        parent.raw["shorthand"] !== true &&
        parent.raw["kind"] === "init" &&
        parent.parent?.type !== "ObjectPattern"
      );
    case "PropertyDefinition":
      return role === "value";
    default:
      return true;
  }
}

/** Part of `a?.b.c`: brackets in its midst would end what `?.` skips. */
function isInsideChain(node: SyntaxNode): boolean {
  let at = node;
  while (at.parent !== null && (at.role === "object" || at.role === "callee" || bareRole(at))) {
    if (at.parent.type === "ChainExpression") return true;
    at = at.parent;
  }
  return at.parent?.type === "ChainExpression";
}

function bareRole({ role, parent }: SyntaxNode): boolean {
  return role === "expression" && parent?.type === "TSNonNullExpression";
}

function render(node: SyntaxNode, text: string, placed: ReadonlyMap<SyntaxNode, readonly Placed[]>): string {
  let body = "";
  let at = node.start;
  for (const child of node.children) {
    // The value of `{ name }` is its key.
    if (child.start < at) continue;
    body += text.slice(at, child.start) + render(child, text, placed);
    at = child.end;
  }
  body += text.slice(at, node.end);
  const here = placed.get(node) ?? [];
  if (here.length === 0) return body;
  const asked = here.map(({ mutant }) => `${ASKED}(${mutant.id})`);
  // In braces, or an `else` that follows would become its own.
  if (isStatement(node)) return `{ if (!(${asked.join(" || ")})) ${body} }`;
  const ways = here.map(
    ({ edit }, index) =>
      `${asked[index]} ? (${text.slice(node.start, edit.start)}${edit.to}${text.slice(edit.end, node.end)}) : `,
  );
  return `(${ways.join("")}(${body}))`;
}
