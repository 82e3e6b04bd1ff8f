/** A file as a tree of values alone: what stands for types is left out, because it decides nothing when it runs. */
import { parseSync } from "oxc-parser";

export type SyntaxNode = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly parent: SyntaxNode | null;
  /** The member of the parent that holds it. */
  readonly role: string;
  /** As they stand in the text. */
  readonly children: readonly SyntaxNode[];
  /** The parser's own node. */
  readonly raw: Readonly<Record<string, unknown>>;
};

/** Nodes of TypeScript that hold a value, in their member `expression`. */
const AROUND_VALUES = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSInstantiationExpression",
]);

export function parse(name: string, text: string): SyntaxNode {
  const { program, errors } = parseSync(name, text);
  if (errors.length > 0) throw new Error(`${name}: ${errors[0]?.message}`);
  return nodeOf(program, null, "");
}

function nodeOf(found: object, parent: SyntaxNode | null, role: string): SyntaxNode {
  const raw = found as Record<string, unknown> & { type: string; start: number; end: number };
  const children: SyntaxNode[] = [];
  const node: SyntaxNode = { type: raw.type, start: raw.start, end: raw.end, parent, role, children, raw };
  for (const [member, value] of Object.entries(raw)) {
    if (AROUND_VALUES.has(raw.type) && member !== "expression") continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      if (isParsed(one)) children.push(nodeOf(one, node, member));
    }
  }
  children.sort((a, b) => a.start - b.start);
  return node;
}

function isParsed(value: unknown): value is { readonly type: string } {
  if (typeof value !== "object" || value === null) return false;
  const { type, start } = value as { type?: unknown; start?: unknown };
  if (typeof type !== "string" || typeof start !== "number") return false;
  return !type.startsWith("TS") || AROUND_VALUES.has(type);
}

/** All nodes, parents first. */
export function* everyNode(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const child of node.children) yield* everyNode(child);
}

export function childAt(node: SyntaxNode, role: string): SyntaxNode | undefined {
  return node.children.find((child) => child.role === role);
}

export function childrenAt(node: SyntaxNode, role: string): readonly SyntaxNode[] {
  return node.children.filter((child) => child.role === role);
}

/** Without the brackets and assertions around it. */
export function bare(node: SyntaxNode): SyntaxNode {
  const inner =
    node.type === "ParenthesizedExpression" || AROUND_VALUES.has(node.type) ? node.children[0] : undefined;
  return inner === undefined ? node : bare(inner);
}

/** The nearest parent that is more than brackets, and the role in it. */
export function meant(node: SyntaxNode): { readonly parent: SyntaxNode | null; readonly role: string } {
  const { parent, role } = node;
  return parent !== null && bare(parent) !== parent ? meant(parent) : { parent, role };
}

export function functionAround(node: SyntaxNode): SyntaxNode | null {
  for (let at = node.parent; at !== null; at = at.parent) {
    if (/Function/u.test(at.type)) return at;
  }
  return null;
}

/** The name of the outermost declaration around it: where a reader finds it. */
export function declarationAround(node: SyntaxNode): string {
  let name = "top";
  for (let at: SyntaxNode | null = node; at !== null; at = at.parent) {
    const id = ["FunctionDeclaration", "ClassDeclaration", "VariableDeclarator", "MethodDefinition"].includes(
      at.type,
    )
      ? (childAt(at, "id") ?? childAt(at, "key"))
      : undefined;
    const known = id?.raw["name"];
    if (typeof known === "string") name = at.type === "ClassDeclaration" ? `${known}.${name}` : known;
  }
  return name;
}
