import type { CodePointSet } from "./ignore-classes.ts";
import type { Expression, Place } from "./ignore-regexp.ts";

type Step =
  | { op: "take"; set: number; next: number }
  | { op: "fork"; next: number; other: number }
  | { op: "at"; place: Place; next: number }
  | { op: "match" };

/** What stands beside a position, as far as `^`, `$` and `\b` look at it. */
type Side = "edge" | "word" | "other";
const INSIDE = ["word", "other"] as const;

/** The steps that are reached before a character, and where each kind of character leads from them. */
type State = {
  steps: readonly number[];
  before: Side;
  next: (State | undefined)[];
  atEnd: boolean | undefined;
};

/** Characters that no set of the expression tells apart. */
type Kind = { id: number; inSets: ReadonlySet<number>; side: Side };

/** steps of one expression; a pattern line has at most 64 KiB, so that only repetitions come near it */
const MAX_STEPS = 100_000;
/** step references kept in the states of one automaton */
const MAX_HELD = 1_000_000;

const MATCHED: State = newState([], "edge");
const FAILED: State = newState([], "edge");

/**
 * A regular expression that searches in time linear in the path, whatever the pattern: states are sets of positions,
 * made when first reached. A backtracking engine can be stalled for years by `*a*a*a*a*a*b` and one long name.
 */
export class RegexpAutomaton {
  readonly #sets: readonly CodePointSet[];
  readonly #steps: Step[] = [];
  readonly #entry: number;
  /** Whether a match may begin after the start of the path, as that of `a|b*` does for its right side. */
  readonly #floats: boolean;
  readonly #looksAtWords: boolean;
  readonly #ascii: (Kind | undefined)[] = [];
  readonly #kinds = new Map<string, Kind>();
  readonly #kindOfCodePoint = new Map<number, Kind>();
  #states = new Map<string, State>();
  #held = 0;
  #start: State;
  readonly #seen: Uint32Array;
  #visit = 0;

  private constructor(expression: Expression) {
    const setIds = new Map<CodePointSet, number>();
    this.#steps.push({ op: "match" });
    this.#entry = this.#compile(expression, 0, setIds);
    this.#sets = [...setIds.keys()];
    this.#seen = new Uint32Array(this.#steps.length);
    this.#looksAtWords = this.#steps.some((step) => step.op === "at" && step.place.endsWith("boundary"));
    this.#floats = this.#canBeginLater();
    this.#start = newState([this.#entry], "edge");
  }

  /** Null when the expression is too large; Go refuses such a one too, at a larger size. */
  static of(expression: Expression): RegexpAutomaton | null {
    return sizeOf(expression) > MAX_STEPS ? null : new RegexpAutomaton(expression);
  }

  /** Whether any part of the path matches. A lone surrogate counts as U+FFFD, like a byte that is not UTF-8 in Go. */
  matches(path: string): boolean {
    let state = this.#start;
    for (let at = 0; at < path.length; at++) {
      const unit = path.charCodeAt(at);
      let kind = this.#ascii[unit];
      if (kind === undefined) {
        const codePoint = path.codePointAt(at) ?? unit;
        if (codePoint > 0xffff) at++;
        kind = this.#kindOf(codePoint >= 0xd800 && codePoint <= 0xdfff ? 0xfffd : codePoint);
      }
      state = state.next[kind.id] ?? this.#advance(state, kind);
      if (state === MATCHED) return true;
      if (state === FAILED) return false;
    }
    state.atEnd ??= this.#reach(state, "edge") === null;
    return state.atEnd;
  }

  #advance(state: State, kind: Kind): State {
    const reached = this.#reach(state, kind.side);
    let following = MATCHED;
    if (reached !== null) {
      const steps = reached.filter(({ set }) => kind.inSets.has(set)).map(({ next }) => next);
      if (this.#floats) steps.push(this.#entry);
      following = steps.length === 0 ? FAILED : this.#stateOf(steps, kind.side);
    }
    state.next[kind.id] = following;
    return following;
  }

  /** The steps that take a character, from a state, between two sides; null when a match is among what is reached. */
  #reach(state: State, after: Side): Extract<Step, { op: "take" }>[] | null {
    const visit = ++this.#visit;
    const takes: Extract<Step, { op: "take" }>[] = [];
    const pending = [...state.steps];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (this.#seen[id] === visit) continue;
      this.#seen[id] = visit;
      const step = this.#steps[id];
      if (step === undefined) continue;
      if (step.op === "match") return null;
      if (step.op === "take") takes.push(step);
      else if (step.op === "fork") pending.push(step.other, step.next);
      else if (holds(step.place, state.before, after)) pending.push(step.next);
    }
    return takes;
  }

  #canBeginLater(): boolean {
    return INSIDE.some((before) =>
      (["edge", ...INSIDE] as const).some((after) => {
        const takes = this.#reach(newState([this.#entry], before), after);
        return takes === null || takes.length > 0;
      }),
    );
  }

  #stateOf(steps: number[], before: Side): State {
    const unique = Uint32Array.from(new Set(steps)).sort();
    const key = `${before} ${unique.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    this.#held += unique.length;
    if (this.#held > MAX_HELD) {
      this.#states = new Map();
      this.#held = unique.length;
      this.#start = newState([this.#entry], "edge");
    }
    const state = newState([...unique], before);
    this.#states.set(key, state);
    return state;
  }

  #kindOf(codePoint: number): Kind {
    const known = this.#kindOfCodePoint.get(codePoint);
    if (known !== undefined) return known;
    const side: Side = this.#looksAtWords && isWord(codePoint) ? "word" : "other";
    const inSets = new Set<number>();
    for (const [id, contains] of this.#sets.entries()) if (contains(codePoint)) inSets.add(id);
    const signature = [side, ...inSets].join(" ");
    const kind = this.#kinds.get(signature) ?? { id: this.#kinds.size, inSets, side };
    this.#kinds.set(signature, kind);
    this.#kindOfCodePoint.set(codePoint, kind);
    if (codePoint < 0x80) this.#ascii[codePoint] = kind;
    return kind;
  }

  /** Compiles from the end to the beginning: the step that does `expression` and goes on with `next`. */
  #compile(expression: Expression, next: number, setIds: Map<CodePointSet, number>): number {
    const { op } = expression;
    if (op === "one") {
      const set = setIds.get(expression.of) ?? setIds.size;
      setIds.set(expression.of, set);
      return this.#add({ op: "take", set, next });
    }
    if (op === "at") return this.#add({ op: "at", place: expression.place, next });
    if (op === "sequence") {
      return expression.of.reduceRight((after, item) => this.#compile(item, after, setIds), next);
    }
    if (op === "either") {
      const branches = expression.of.map((branch) => this.#compile(branch, next, setIds));
      return branches.reduceRight((other, branch) => this.#add({ op: "fork", next: branch, other }));
    }
    const { of, min, max } = expression;
    let first = next;
    if (max === Infinity) {
      const loop: Step = { op: "fork", next, other: next };
      first = this.#add(loop);
      loop.next = this.#compile(of, first, setIds);
    } else {
      for (let copy = min; copy < max; copy++) {
        first = this.#add({ op: "fork", next: this.#compile(of, first, setIds), other: next });
      }
    }
    for (let copy = 0; copy < min; copy++) first = this.#compile(of, first, setIds);
    return first;
  }

  #add(step: Step): number {
    return this.#steps.push(step) - 1;
  }
}

function newState(steps: readonly number[], before: Side): State {
  return { steps, before, next: [], atEnd: undefined };
}

function holds(place: Place, before: Side, after: Side): boolean {
  if (place === "start") return before === "edge";
  if (place === "end") return after === "edge";
  return ((before === "word") !== (after === "word")) === (place === "word-boundary");
}

function isWord(codePoint: number): boolean {
  return /[0-9A-Za-z_]/.test(String.fromCodePoint(codePoint));
}

/** Steps that the expression compiles to. */
function sizeOf(expression: Expression): number {
  const { op } = expression;
  if (op === "one" || op === "at") return 1;
  if (op === "sequence") return expression.of.reduce((sum, item) => sum + sizeOf(item), 0);
  if (op === "either") return expression.of.reduce((sum, item) => sum + 1 + sizeOf(item), -1);
  const { min, max } = expression;
  const one = sizeOf(expression.of);
  return max === Infinity ? (min + 1) * one + 1 : max * one + max - min;
}
