import type { Explained } from "./explained.ts";

/** Those of the ignore rules and digests of trees. */
export const EXPLAINED_CONTEXT: readonly Explained[] = [
  {
    file: "src/context/commit-remainder.ts",
    mutants: [
      "passOver: content.writeBlob !== undefined → false",
      "LONGEST_ID: LONGEST_ID = 32 → LONGEST_ID = 33",
    ],
    reason: "only slower, by a view of the id for each file; and room that nobody needs",
  },
  {
    file: "src/context/commit-remainder.ts",
    mutants: ["passUpTo: shipped !== null && path > shipped → path > shipped"],
    reason: "no text is greater than null",
  },
  {
    file: "src/context/matches-commit.ts",
    mutants: ["departuresFrom: owners.size === 0 → false"],
    reason: "only slower: where there is no submodule, none is found",
  },
  {
    file: "src/context/matches-commit.ts",
    mutants: ["withoutEqual: next.done !== true && next.value.path < item.path → false"],
    reason: "only slower: what is not found beside its item is looked up afterwards",
  },
  {
    file: "src/context/matches-commit.ts",
    mutants: ["ownerOf: slash > 0 → slash >= 0", "ownerOf: slash - 1 → slash - 2"],
    reason: "no path begins with a slash, and no two stand side by side",
  },
  {
    file: "src/context/tree-difference.ts",
    mutants: [
      "differenceOf: x.path < y.path → x.path <= y.path",
      "differenceOf: -1 → -2",
      "differenceOf: x.path < y.path ? -1 : 1 → x.path < y.path ? -1 : 2",
    ],
    reason: "no path is there twice, and only the sign is looked at",
  },
  {
    file: "src/context/git-tree.ts",
    mutants: [
      "LONGEST_ID: LONGEST_ID = 32 → LONGEST_ID = 33",
      "LONGEST_DIGEST: LONGEST_DIGEST = 64 → LONGEST_DIGEST = 65",
      "OpenTrees.add: this.#length + mode.length + name.length + 2 → this.#length + mode.length + name.length + 3",
    ],
    reason: "only more room",
  },
  {
    file: "src/context/git-tree.ts",
    mutants: [
      "OpenTrees.word: cut !== this.#folder.length || !path.startsWith(this.#folder) → true",
      "OpenTrees.word: path.startsWith(this.#folder) → path.endsWith(this.#folder)",
      "OpenTrees.word: cut === 0 → false",
    ],
    reason: "only slower: to enter the folder where one is changes nothing, nor does cutting off nothing",
  },
  {
    file: "src/context/git-tree.ts",
    mutants: [
      'OpenTrees.add: this.#buffer.write(mode, this.#length, "latin1") → this.#buffer.write(mode, this.#length, "")',
    ],
    reason: "a mode is of digits, which are the same bytes in UTF-8",
  },
  {
    file: "src/context/tree-digests.ts",
    mutants: [
      "workingTreeHash: allAscii = true → allAscii = false",
      "workingTreeHash: !allAscii && items.values().some(({ path }) => exactText(path) === null) → items.values().some(({ path }) => exactText(path) === null)",
    ],
    reason: "only slower: it saves asking each name",
  },
  {
    file: "src/context/tree-digests.ts",
    mutants: [
      "dirHash: piece.length > room.length → true",
      "dirHash: piece.length > room.length → piece.length >= room.length",
      "PIECE_BYTES: PIECE_BYTES = 65_536 → PIECE_BYTES = 65537",
      "inPieces: length + needed > buffer.length → true",
      "inPieces: length + needed > buffer.length → length + needed >= buffer.length",
      "inPieces: needed > buffer.length → true",
      "inPieces: needed > buffer.length → needed >= buffer.length",
    ],
    reason: "how much memory is taken at once, and how often; the bytes are the same",
  },
  {
    file: "src/context/git-tree.ts",
    mutants: [
      "OpenTrees.top: Buffer.allocUnsafe(65_536) → Buffer.allocUnsafe(65537)",
      "OpenTrees.add: needed > this.#buffer.length → true",
      "OpenTrees.add: needed > this.#buffer.length → needed >= this.#buffer.length",
      "OpenTrees.add: needed * 2 → needed * 3",
    ],
    reason: "how much memory is taken at once, and how often; the bytes are the same",
  },
  {
    file: "src/context/tree-digests.ts",
    mutants: ["inPieces: length > 0 → length > 1"],
    reason: "a line has more than one byte",
  },
  {
    file: "src/context/git-tree.ts",
    mutants: ["OpenTrees.leave: left === undefined → false"],
    reason: "every folder lies below the root, so nobody leaves it; the check is for the types",
  },
  {
    file: "src/context/verify-source.ts",
    mutants: [
      'capturedSource: !isMap(document) || document["schema"] !== "waybill.capture/v1" → document["schema"] !== "waybill.capture/v1"',
    ],
    reason: "what is no object has no schema; the check is for the types",
  },
  {
    file: "src/context/verify-source.ts",
    mutants: ["digestOf: format === null → false"],
    reason:
      "a git tree is asked for where one was captured, and that says the format; the check is for the types",
  },
  {
    file: "src/context/ignore-file.ts",
    mutants: ["parseIgnoreFile: start < bytes.length → start <= bytes.length"],
    reason: "one more line behind the last, which is empty",
  },
  {
    file: "src/context/ignore.ts",
    mutants: ["IgnoreMatcher.verdictFor: slash + 1 → slash + 2"],
    reason: "in a clean path no two slashes stand side by side",
  },
  {
    file: "src/context/ignore.ts",
    mutants: ["IgnoreMatcher.hits: rule.test === undefined → true"],
    reason: "only slower: the pattern is compiled anew",
  },
  {
    file: "src/context/ignore-pattern.ts",
    mutants: [
      "translate: at < characters.length → at <= characters.length",
      'translate: characters[at++] ?? "" → characters[at++]',
      "nextChunk: end < pattern.length → end <= pattern.length",
    ],
    reason: "one more turn with no character adds nothing; the check is for the types",
  },
  {
    file: "src/context/ignore-pattern.ts",
    mutants: [
      'translate: kind = "regexp" → kind = ""',
      'translate: kind = "regexp" → kind = "" #2',
      'translate: kind = "regexp" → kind = "" #3',
      'translate: kind = "regexp" → kind = "" #4',
      'translate: kind = "regexp" → kind = "" #5',
    ],
    reason: "a regular expression is what none of the three other kinds is",
  },
  {
    file: "src/context/ignore-pattern.ts",
    mutants: ["startsWith: literal.isWellFormed() → false"],
    reason: "only slower: bytes in place of text",
  },
  {
    file: "src/context/ignore-automaton.ts",
    mutants: [
      "MAX_HELD: MAX_HELD = 1_000_000 → MAX_HELD = 1000001",
      "RegexpAutomaton.top: #held = 0; → #held = 1;",
      "RegexpAutomaton.stateOf: this.#held += unique.length; → nothing",
      "RegexpAutomaton.stateOf: this.#held += unique.length → this.#held -= unique.length",
      "RegexpAutomaton.stateOf: this.#held > MAX_HELD → true",
      "RegexpAutomaton.stateOf: this.#held > MAX_HELD → false",
      "RegexpAutomaton.stateOf: this.#held > MAX_HELD → this.#held >= MAX_HELD",
      "RegexpAutomaton.stateOf: this.#states = new Map(); → nothing",
      "RegexpAutomaton.stateOf: this.#held = unique.length; → nothing",
      'RegexpAutomaton.stateOf: this.#start = newState([this.#entry], "edge"); → nothing',
    ],
    reason: "how many states are kept at once: more memory or more work, and the same answer",
  },
  {
    file: "src/context/ignore-automaton.ts",
    mutants: [
      'RegexpAutomaton.constructor: step.op === "at" && step.place.endsWith("boundary") → step.op === "at"',
      'RegexpAutomaton.constructor: step.place.endsWith("boundary") → step.place.endsWith("")',
      "RegexpAutomaton.matches: kind === undefined → true",
      "RegexpAutomaton.matches: state.next[kind.id] ?? this.#advance(state, kind) → this.#advance(state, kind)",
      "RegexpAutomaton.matches: state === FAILED → false",
      "RegexpAutomaton.advance: this.#floats → true",
      "RegexpAutomaton.advance: steps.length === 0 → false",
      "RegexpAutomaton.advance: state.next[kind.id] = following; → nothing",
      "RegexpAutomaton.canBeginLater: takes === null || takes.length > 0 → true",
      "RegexpAutomaton.canBeginLater: takes.length > 0 → takes.length >= 0",
      "RegexpAutomaton.stateOf: Uint32Array.from(new Set(steps)).sort() → Uint32Array.from(new Set(steps))",
      "RegexpAutomaton.stateOf: known !== undefined → false",
      "RegexpAutomaton.stateOf: this.#states.set(key, state); → nothing",
      "RegexpAutomaton.kindOf: known !== undefined → false",
      "RegexpAutomaton.kindOf: this.#looksAtWords && isWord(codePoint) → isWord(codePoint)",
      "RegexpAutomaton.kindOf: this.#kindOfCodePoint.set(codePoint, kind); → nothing",
      "RegexpAutomaton.kindOf: codePoint < 0x80 → true",
      "RegexpAutomaton.kindOf: codePoint < 0x80 → false",
      "RegexpAutomaton.kindOf: codePoint < 0x80 → codePoint <= 0x80",
      "RegexpAutomaton.kindOf: codePoint < 0x80 → codePoint < 127",
    ],
    reason: "only slower: what is known is found out again, or what can match no more is followed",
  },
  {
    file: "src/context/ignore-automaton.ts",
    mutants: [
      'MATCHED: newState([], "edge") → newState([], "")',
      'FAILED: newState([], "edge") → newState([], "")',
      'RegexpAutomaton.kindOf: this.#looksAtWords && isWord(codePoint) ? "word" : "other" → this.#looksAtWords && isWord(codePoint) ? "word" : ""',
      "RegexpAutomaton.top: #visit = 0; → #visit = 1;",
    ],
    reason:
      "from the two ends nobody goes on; of a side only the edge and a word are asked for, of a visit only its difference",
  },
  {
    file: "src/context/ignore-automaton.ts",
    mutants: [
      "RegexpAutomaton.matches: path.codePointAt(at) ?? unit → path.codePointAt(at)",
      "RegexpAutomaton.reach: step === undefined → false",
    ],
    reason: "there is a character within the path, and a step for every number; the checks are for the types",
  },
  {
    file: "src/context/ignore-regexp.ts",
    mutants: [
      "parseRegexp: thrown instanceof Refused → true",
      "parseRegexp: throw thrown; → nothing",
      "Parser.sequence: afterRepeat = false → afterRepeat = true",
      "Parser.item: character.codePointAt(0) ?? 0 → character.codePointAt(0)",
      "Parser.item: character.codePointAt(0) ?? 0 → character.codePointAt(0) ?? 1",
      'Parser.namedClass: found[1] ?? "" → found[1]',
      'Parser.codePoint: hex[1] ?? hex[2] ?? "" → hex[1] ?? hex[2]',
    ],
    reason:
      "nothing else is thrown, and what stands first has nothing to repeat; the checks are for the types",
  },
  {
    file: "src/context/ignore-automaton.ts",
    mutants: ['INSIDE: ["word", "other"] → ["word", ""]', "RegexpAutomaton.canBeginLater: INSIDE → []"],
    reason:
      "of a side only the edge and a word are asked for; what holds before a character holds at the end too, behind the other side",
  },
  {
    file: "src/context/ignore-automaton.ts",
    mutants: [
      'RegexpAutomaton.canBeginLater: INSIDE.some((before) => (["edge", ...INSIDE] as const).some( … | takes.length > 0; }), ) → true',
      'RegexpAutomaton.canBeginLater: (["edge", ...INSIDE] as const).some((after) => { const takes … l || takes.length > 0; }) → true',
    ],
    reason: "only slower: a beginning is looked for where there is none",
  },
  {
    file: "src/context/ignore-regexp.ts",
    mutants: [
      "Parser.single: this.#classes.get(text) ?? set → set",
      "Parser.single: this.#classes.set(text, shared); → nothing",
      "Parser.literal: this.#literals.get(codePoint) ?? ((other): boolean => other === codePoint) → ((other): boolean => other === codePoint)",
      "Parser.literal: this.#literals.set(codePoint, shared); → nothing",
    ],
    reason: "only slower: equal sets are two",
  },
  {
    file: "src/context/ignore-regexp.ts",
    mutants: [
      "Parser.classEscape: this.#take(/\\{([^}]*)\\}|([^{])/uy) → this.#take(/\\{([^}]+)\\}|([^{])/uy)",
      'Parser.codePoint: "abtnvfr".indexOf(control) → "abtnvfr".lastIndexOf(control)',
    ],
    reason: "no class has an empty name, and no letter is there twice",
  },
];
