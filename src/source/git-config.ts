import type { Settings } from "./remote-choice.ts";

/**
 * The settings of one configuration file of git, under git's names: section and last part in lower case, the middle
 * as it is written. Files that it includes are not followed; `includes` says that there are some. Null for text that
 * git would not read either.
 */
export function parseGitConfig(text: string): { settings: Settings; includes: boolean } | null {
  const reader = new Reader(text.replace(/^\ufeff/u, "").replaceAll("\r\n", "\n"));
  const settings: [string, string][] = [];
  let section: string | null = null;
  for (;;) {
    reader.skip(/[ \t\r\n]*(?:[#;][^\n]*\n?[ \t\r\n]*)*/uy);
    if (reader.atEnd) break;
    if (reader.take("[")) {
      section = readSection(reader);
      if (section === null) return null;
      continue;
    }
    const name = reader.match(/[A-Za-z][A-Za-z0-9-]*/uy);
    if (name === null) return null;
    reader.skip(/[ \t]*/uy);
    const value = reader.take("=") ? readValue(reader) : reader.endsLine() ? "true" : null;
    if (value === null) return null;
    // A NUL ends a value for whoever gets it from git.
    const [whole = ""] = value.split("\0", 1);
    settings.push([`${section === null ? "" : `${section}.`}${name.toLowerCase()}`, whole]);
  }
  const includes = settings.some(([name]) => /^include(?:if\..*)?\.path$/su.test(name));
  return { settings, includes };
}

/** `section]`, `section "sub"]`, or the old `section.sub]`, whose second part has no case. */
function readSection(reader: Reader): string | null {
  const name = reader.match(/[A-Za-z0-9.-]+/uy);
  if (name === null) return null;
  const quoted = reader.match(/[ \t\r]+"(?:[^"\\\n\0]|\\[^\n\0])*"/uy)?.trimStart() ?? null;
  if (!reader.take("]")) return null;
  const sub = quoted === null ? "" : `.${quoted.slice(1, -1).replace(/\\(.)/gsu, "$1")}`;
  return `${name.toLowerCase()}${sub}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", n: "\n", t: "\t", b: "\b" };

/** Up to the end of the line: white space around it goes, quotes keep theirs, a backslash carries on. */
function readValue(reader: Reader): string | null {
  let value = "";
  // How much of the value is there to stay, whatever white space comes after it.
  let kept = 0;
  let inQuotes = false;
  for (;;) {
    const character = reader.next();
    if (character === "" || character === "\n") return inQuotes ? null : value.slice(0, kept);
    if (!inQuotes && (character === "#" || character === ";")) {
      reader.skip(/[^\n]*\n?/uy);
      return value.slice(0, kept);
    }
    if (character === '"') {
      inQuotes = !inQuotes;
      kept = value.length;
      continue;
    }
    if (character === "\\") {
      // White space before it stays, even where nothing comes after it.
      kept = value.length;
      const escaped = reader.next();
      // The end of the file counts as the end of a line.
      if (escaped === "\n" || escaped === "") continue;
      const meant = ESCAPES[escaped];
      if (meant === undefined) return null;
      value += meant;
      kept = value.length;
      continue;
    }
    // Git's white space: no other character of Unicode, and not C's vertical tab and form feed.
    const isBlank = !inQuotes && /[ \t\r]/u.test(character);
    // There is none at the begin of a value, not even behind empty quotes or a line that was carried on.
    if (isBlank && value === "") continue;
    value += character;
    if (!isBlank) kept = value.length;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  next(): string {
    return this.#text[this.#at++] ?? "";
  }

  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  skip(pattern: RegExp): void {
    this.match(pattern);
  }

  /** Whether the line ends here; git takes not even a comment after a name without a value. */
  endsLine(): boolean {
    return this.atEnd || this.take("\n");
  }
}
