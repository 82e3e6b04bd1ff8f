import { printable } from "../../base/printable.ts";

/** Markup that is safe to send. Only `html` makes it, and there every value is escaped that is not markup itself. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  static of(pieces: readonly string[], values: readonly Part[]): Html {
    return new Html(
      pieces.map((piece, index) => piece + (index < values.length ? shown(values[index]) : "")).join(""),
    );
  }
}

type Part = Html | string | number | null | undefined | readonly Part[];

/** Longest foreign text that a page shows whole, in characters. */
const TEXT_CHARS = 2_000;

/**
 * `<b title="${text}">${text}</b>`: values may stand where text stands, or in an attribute between double quotes, and
 * nowhere else (no tag name, no script, no style). null and undefined are nothing; a list is its members in turn.
 */
export function html(pieces: TemplateStringsArray, ...values: readonly Part[]): Html {
  return Html.of(pieces, values);
}

function shown(value: Part): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escaped(value);
  return value.map(shown).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Control, bidirectional and zero-width characters go too: they would show another text than the one stored. */
function escaped(text: string): string {
  return printable(text, TEXT_CHARS).replace(/[&<>"']/gu, (character) => ENTITIES[character] ?? "");
}

/** A path on this server: every value is one segment or one query value, and never leads to another host. */
export function path(pieces: TemplateStringsArray, ...values: readonly string[]): string {
  return pieces.map((piece, index) => piece + encodeURIComponent(values[index] ?? "")).join("");
}
