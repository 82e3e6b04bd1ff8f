import { LIMITS } from "../base/limits.ts";
import { printable, quoted } from "../base/printable.ts";

const MASK = "***";
const WHOLE = Number.MAX_SAFE_INTEGER;

/** Stands before every sink: what was registered never leaves the process, in any of its usual spellings. */
export class Redactor {
  /** Longest first, so that a spelling inside another one does not leave the rest of it standing. */
  #spellings: readonly string[] = [];
  /** Registered, and not yet among the spellings. */
  #unspelled: string[] = [];

  /** Registers a secret. Very short ones are left alone: masking "a" would hide every message. */
  register(secret: string): void {
    const value = secret.trim().toWellFormed();
    if (value.length < LIMITS.redactedSecretChars) return;
    this.#unspelled.push(value);
    // While the process waits for the server that the secret is for; `clean` does it when that is sooner.
    setImmediate(() => this.#spellOut());
  }

  clean(text: string): string {
    this.#spellOut();
    let cleaned = text;
    for (const spelling of this.#spellings) cleaned = cleaned.replaceAll(spelling, MASK);
    if (!cleaned.includes("…")) return cleaned;
    const [last = "", ...heads] = cleaned.split("…").reverse();
    return [...heads.reverse().map((head) => this.#cleanEnd(head)), last].join("…");
  }

  #spellOut(): void {
    if (this.#unspelled.length === 0) return;
    const all = new Set(this.#spellings);
    for (const value of this.#unspelled) for (const spelling of spellingsOf(value)) all.add(spelling);
    this.#unspelled = [];
    this.#spellings = [...all].sort((a, b) => b.length - a.length);
  }

  /** `printable` cuts long text with "…", and may have cut a secret in two. */
  #cleanEnd(head: string): string {
    for (const spelling of this.#spellings) {
      const longest = Math.min(spelling.length, head.length);
      for (let length = longest; length >= LIMITS.redactedSecretChars; length--) {
        if (head.endsWith(spelling.slice(0, length))) return head.slice(0, -length) + MASK;
      }
    }
    return head;
  }
}

function spellingsOf(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const encoded: string[] = [];
  for (const text of [bytes.toBase64(), ...insideBase64(bytes)])
    encoded.push(text, text.replaceAll("+", "-").replaceAll("/", "_"));
  // Nothing in such a value is ever written in another way: most tokens, and the start of a run is short.
  if (/^[A-Za-z0-9._~-]+$/u.test(value)) return [value, ...encoded];
  const percent = encodeURIComponent(value);
  // RFC 3986 escapes these too, and some servers write their escapes in lower case.
  const strict = percent.replace(/[!'()*]/gu, (character) => `%${toHexByte(character)}`);
  return [
    value,
    printable(value, WHOLE),
    quoted(value, WHOLE).slice(1, -1),
    JSON.stringify(value).slice(1, -1),
    ...[percent, strict].flatMap((text) => [text, text.replace(/%../gu, (escape) => escape.toLowerCase())]),
    ...encoded,
  ];
}

function toHexByte(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase();
}

/**
 * The characters that base64 of anything around the value has in common, when 0, 1 or 2 bytes modulo 3 stand before
 * it: `user:token` of a Basic header is such a thing. They also cover unpadded base64 of the value alone.
 */
function insideBase64(bytes: Uint8Array): string[] {
  const inside: string[] = [];
  for (let shift = 0; shift < 3; shift++) {
    const shifted = new Uint8Array(shift + bytes.length);
    shifted.set(bytes, shift);
    const text = shifted.toBase64();
    inside.push(text.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3)));
  }
  return inside;
}
