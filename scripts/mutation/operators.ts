/** What a mutation changes: the smallest edits after which a decision would be another one. */
import { bare, childAt, childrenAt, functionAround, meant, type SyntaxNode } from "./syntax-tree.ts";
import { regexpEdits } from "./regexp-edits.ts";

export type Edit = {
  /** What is looked at, and what the edit is inside of. */
  readonly node: SyntaxNode;
  readonly start: number;
  readonly end: number;
  readonly to: string;
};

const COMPARISONS = /^(?:[<>]=?|[=!]==?|in|instanceof)$/u;
const BOUNDARIES: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const ARITHMETIC: Readonly<Record<string, string>> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
  "&": "|",
  "|": "&",
  "^": "&",
  "+=": "-=",
  "-=": "+=",
};
const OTHER_METHOD: ReadonlyMap<string, string> = new Map(
  [
    ["every", "some"],
    ["min", "max"],
    ["startsWith", "endsWith"],
    ["find", "findLast"],
    ["indexOf", "lastIndexOf"],
  ].flatMap(([one = "", other = ""]) => [
    [one, other],
    [other, one],
  ]),
);
/** `x.sort()` becomes `x`. */
const DROPPED_METHODS = new Set([
  "filter",
  "sort",
  "toSorted",
  "reverse",
  "toReversed",
  "trim",
  "trimStart",
  "trimEnd",
  "toLowerCase",
  "toUpperCase",
  "normalize",
]);
const PREDICATE_TAKERS = new Set(["every", "some", "filter", "find", "findIndex", "findLast"]);

/**
 * The edits of one node. Left out is what the same tests kill: the negation of a condition (both `true` and `false`
 * are tried), `&&` for `||` (each operand is left out), a value compared with (the comparison is tried both ways).
 */
export function editsOf(node: SyntaxNode, text: string): Edit[] {
  if (wordsAMessage(node)) return [];
  return [
    ...conditionEdits(node, text),
    ...(EDITS[node.type]?.(node, text) ?? []),
    ...returnEdits(node, text),
    ...removal(node),
  ];
}

const whole = (node: SyntaxNode, to: string): Edit => ({ node, start: node.start, end: node.end, to });

function conditionEdits(node: SyntaxNode, text: string): Edit[] {
  const { parent, role } = meant(node);
  if (bare(node) !== node || isOperand(node)) return [];
  if (role === "test" && parent?.type === "SwitchCase") return [];
  const isTest = role === "test";
  if (!isTest && !isBoolean(node) && !isPredicate(node)) return [];
  if (isTest && node.type === "Literal") return [];
  const isLoop = isTest && /^(?:While|DoWhile|For)Statement$/u.test(parent?.type ?? "");
  const operator = node.raw["operator"];
  return [
    // `true` for an `&&` is killed by what kills the loss of an operand, and so is `false` for an `||`.
    ...(isLoop || (node.type === "LogicalExpression" && operator === "&&") ? [] : [whole(node, "true")]),
    ...(node.type === "LogicalExpression" && operator === "||" ? [] : [whole(node, "false")]),
  ].filter(({ to }) => text.slice(node.start, node.end) !== to);
}

function isBoolean({ type, raw }: SyntaxNode): boolean {
  const operator = String(raw["operator"]);
  return (
    (type === "BinaryExpression" && COMPARISONS.test(operator)) ||
    (type === "LogicalExpression" && operator !== "??") ||
    (type === "UnaryExpression" && operator === "!")
  );
}

function isOperand(node: SyntaxNode): boolean {
  const { parent } = meant(node);
  if (parent === null) return false;
  if (parent.type === "LogicalExpression") return parent.raw["operator"] !== "??";
  return parent.type === "UnaryExpression" && parent.raw["operator"] === "!";
}

/** What an arrow function says that something is chosen by. */
function isPredicate(node: SyntaxNode): boolean {
  const { parent, role } = meant(node);
  if (parent?.type !== "ArrowFunctionExpression" || role !== "body" || node.type === "BlockStatement")
    return false;
  const call = parent.parent;
  return (
    parent.role === "arguments" &&
    call?.type === "CallExpression" &&
    PREDICATE_TAKERS.has(String(methodOf(call)?.raw["name"]))
  );
}

function methodOf(call: SyntaxNode): SyntaxNode | undefined {
  const callee = childAt(call, "callee");
  return callee?.type === "MemberExpression" && callee.raw["computed"] !== true
    ? childAt(callee, "property")
    : undefined;
}

const EDITS: Readonly<Record<string, (node: SyntaxNode, text: string) => readonly Edit[]>> = {
  BinaryExpression: (node, text) => operatorEdits(node, text, { ...BOUNDARIES, ...ARITHMETIC }),
  AssignmentExpression: (node, text) => operatorEdits(node, text, ARITHMETIC),
  LogicalExpression: logicalEdits,
  UpdateExpression: (node, text) =>
    node.role === "update"
      ? []
      : [
          whole(
            node,
            text.slice(node.start, node.end).replace(/\+\+|--/u, (is) => (is === "++" ? "--" : "++")),
          ),
        ],
  Literal: literalEdits,
  ArrayExpression: (node) =>
    // One spread alone is emptied by itself.
    node.children.some(({ type }) => type !== "Literal") &&
    !(node.children.length === 1 && node.children[0]?.type === "SpreadElement")
      ? [whole(node, "[]")]
      : [],
  SpreadElement: (node) => {
    const inner = childAt(node, "argument");
    if (inner === undefined || /^(?:Conditional|Logical)/u.test(bare(inner).type)) return [];
    if (node.role === "arguments") return [];
    return [{ ...whole(inner, node.role === "properties" ? "{}" : "[]"), node: inner }];
  },
  MemberExpression: (node, text) => {
    const object = childAt(node, "object");
    if (node.raw["optional"] !== true || object === undefined) return [];
    const at = text.indexOf("?.", object.end);
    const to = node.raw["computed"] === true ? "" : ".";
    return [{ node, start: at, end: at + 2, to }];
  },
  CallExpression: callEdits,
};

function operatorEdits(
  node: SyntaxNode,
  text: string,
  others: Readonly<Record<string, string>>,
): readonly Edit[] {
  const operator = String(node.raw["operator"]);
  const other = others[operator];
  const left = childAt(node, "left");
  if (other === undefined || left === undefined || isText(node)) return [];
  const at = text.indexOf(operator, left.end);
  return [{ node, start: at, end: at + operator.length, to: other }];
}

/** A `+` that joins text. */
function isText(node: SyntaxNode): boolean {
  const found = bare(node);
  if (found.type === "TemplateLiteral") return true;
  if (found.type === "Literal") return typeof found.raw["value"] === "string";
  return /^[+]=?$/u.test(String(found.raw["operator"])) && found.children.some(isText);
}

/** Each operand is left out once: whether it matters. */
function logicalEdits(node: SyntaxNode, text: string): readonly Edit[] {
  const left = childAt(node, "left");
  const right = childAt(node, "right");
  if (left === undefined || right === undefined) return [];
  const without = [whole(node, text.slice(left.start, left.end))];
  // Of a longer chain the left operand is left out further down, where it stands alone.
  if (left.raw["operator"] !== node.raw["operator"])
    without.push(whole(node, text.slice(right.start, right.end)));
  return without;
}

function literalEdits(node: SyntaxNode): readonly Edit[] {
  const { value } = node.raw;
  const raw = String(node.raw["raw"]);
  const { parent, role } = meant(node);
  const compared = parent?.type === "BinaryExpression" ? String(parent.raw["operator"]) : "";
  if (role === "source" || role === "key" || typeof parent?.raw["directive"] === "string") return [];
  if (node.raw["regex"] !== undefined) return regexpEdits(raw).map((to) => whole(node, to));
  if (typeof value === "boolean") return [whole(node, String(!value))];
  if (/^[=!]==?$|^in$/u.test(compared)) return [];
  if (typeof value === "number" || typeof value === "bigint") return numberEdits(node, value, compared);
  if (typeof value === "string" && /^\S+$/u.test(value)) return [whole(node, '""')];
  return [];
}

/** One more; of a bound, the neighbour that the other comparison at the same place does not reach. */
function numberEdits(node: SyntaxNode, value: number | bigint, compared: string): readonly Edit[] {
  const suffix = typeof value === "bigint" ? "n" : "";
  const isLess = compared === ">=" || compared === "<";
  const other = typeof value === "bigint" ? value + (isLess ? -1n : 1n) : value + (isLess ? -1 : 1);
  return [whole(node, `${other}${suffix}`)];
}

function callEdits(node: SyntaxNode, text: string): readonly Edit[] {
  const method = methodOf(node);
  const callee = childAt(node, "callee");
  const object = callee === undefined ? undefined : childAt(callee, "object");
  if (method === undefined || object === undefined) return [];
  const name = String(method.raw["name"]);
  const other = OTHER_METHOD.get(name);
  if (other !== undefined) return [{ node, start: method.start, end: method.end, to: other }];
  const [first] = childrenAt(node, "arguments");
  // A predicate in place is tried both ways anyhow.
  const isTried =
    first?.type === "ArrowFunctionExpression" && childAt(first, "body")?.type !== "BlockStatement";
  if (!DROPPED_METHODS.has(name) || isTried) return [];
  return [whole(node, text.slice(object.start, object.end))];
}

/** What a function of a plain type could give instead. */
function returnEdits(node: SyntaxNode, text: string): Edit[] {
  const isBody =
    node.role === "body" && node.parent?.type === "ArrowFunctionExpression" && node.type !== "BlockStatement";
  const isReturned = node.role === "argument" && node.parent?.type === "ReturnStatement";
  const around = isBody ? node.parent : isReturned ? functionAround(node) : null;
  const declared = around?.raw["returnType"] as
    | { readonly typeAnnotation: { readonly start: number; readonly end: number } }
    | null
    | undefined;
  const value = bare(node);
  if (declared === null || declared === undefined || value.type === "Literal") return [];
  if (value.type === "Identifier" && value.raw["name"] === "undefined") return [];
  const type = text.slice(declared.typeAnnotation.start, declared.typeAnnotation.end);
  const plain = type.replace(/^Promise<(.*)>$/su, "$1");
  if (plain === "boolean" || / is /u.test(plain))
    return isBoolean(value) || isPredicate(value) ? [] : [whole(node, "true"), whole(node, "false")];
  if (/\|\s*undefined$/u.test(plain)) return [whole(node, "undefined")];
  if (/\|\s*null$/u.test(plain)) return [whole(node, "null")];
  if (plain === "string" && value.type !== "TemplateLiteral") return [whole(node, '""')];
  if (plain === "number") return [whole(node, "0")];
  if (plain.endsWith("[]") && value.type !== "ArrayExpression") return [whole(node, "[]")];
  return [];
}

function removal(node: SyntaxNode): Edit[] {
  if (typeof node.raw["directive"] === "string" || isGuarded(node)) return [];
  const { type } = node;
  const inner = type === "ExpressionStatement" ? childAt(node, "expression")?.type : undefined;
  const isAct = inner !== undefined && /^(?:Call|Assignment|Await|Update|Chain)Expression$/u.test(inner);
  return isAct || /^(?:Throw|Break|Continue)Statement$/u.test(type) ? [whole(node, "")] : [];
}

/** All that an `if` without `else` does: its condition is tried as `false`. */
function isGuarded({ parent, role }: SyntaxNode): boolean {
  if (parent?.type === "IfStatement")
    return role === "consequent" && childAt(parent, "alternate") === undefined;
  return parent?.type === "BlockStatement" && parent.children.length === 1 && isGuarded(parent);
}

/** What only words something for people decides nothing: what follows a failure's code, `message`, `hint`. */
function wordsAMessage(node: SyntaxNode): boolean {
  for (let at: SyntaxNode = node; at.parent !== null; at = at.parent) {
    const { parent } = at;
    if (/Statement$|Function/u.test(at.type)) return false;
    if (parent.type === "Property" && at.role === "value") {
      const key = childAt(parent, "key")?.raw["name"];
      if (key === "message" || key === "hint") return true;
    }
    if (at.role !== "arguments") continue;
    const callee = childAt(parent, "callee");
    const name = String(callee?.raw["name"]);
    const first = childrenAt(parent, "arguments")[0];
    const isRefusal = name === "Failure" || /^(?:failure|refusal)$/u.test(name);
    if (isRefusal && at !== first) return true;
    if (/^(?:RangeError|TypeError|Error)$/u.test(name)) return true;
    // How much of a foreign text is shown.
    if (/^(?:printable|quoted|shownJson)$/u.test(name) && at !== first) return true;
  }
  return false;
}
