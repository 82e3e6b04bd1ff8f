import { fromBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { instantOf } from "../base/instant.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { publicKeyFromBytes } from "./public-key.ts";
import { formatSshKey, looksLikeSshKey, parseSshKey, SSH_ED25519 } from "./ssh-key.ts";
import { isSshPattern } from "./ssh-pattern.ts";
import { EVERYTHING, type TrustedKey } from "./trusted-key.ts";

/** ALLOWED SIGNERS of ssh-keygen(1): principals, options, key; one a line. */

export type AllowedSigners = {
  /** Names are the principals as they stand there. */
  readonly keys: readonly TrustedKey[];
  /** Lines that were left out, each with its reason: other kinds of keys, certificate authorities. */
  readonly skipped: readonly string[];
};

/** Cheap and sure enough to tell it from the JSON of a trust root. */
export function looksLikeAllowedSigners(text: string): boolean {
  return !text.trimStart().startsWith("{");
}

/** ssh-keygen ends a line at a NUL, and nobody writes the others: a reader that goes on reads another line. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/u;

/** Words end at a space or a tab alone, as ssh-keygen has it: any other white space is a letter of a principal. */
const EDGES = /^[ \t]+|[ \t]+$/gu;

/** Throws Failure `trust_root_invalid`, which names the line, or `key_weak`. */
export function parseAllowedSigners(text: string, from: string): AllowedSigners {
  const keys: TrustedKey[] = [];
  const skipped: string[] = [];
  const lines = text.replace(/\r?\n$/u, "").split(/\r?\n/u);
  if (lines.length > LIMITS.trustedKeys) throw invalid(from, `it has more than ${LIMITS.trustedKeys} lines`);
  for (const [index, line] of lines.entries()) {
    const trimmed = line.replaceAll(EDGES, "");
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    if (CONTROL.test(trimmed)) throw invalid(`${from}, line ${index + 1}`, "it has a control character");
    const found = readLine(trimmed, `${from}, line ${index + 1}`);
    if (typeof found === "string") skipped.push(`line ${index + 1} ${found}`);
    else keys.push(found);
  }
  return { keys, skipped };
}

/** One line for each key, in UTC. Names are used as principals. */
export function formatAllowedSigners(keys: readonly TrustedKey[]): string {
  return keys
    .map(({ name, key, namespaces, validFrom, validUntil }) => {
      const options = [
        ...(namespaces === null ? [] : [`namespaces="${namespaces.join(",")}"`]),
        ...(validFrom === null || validFrom < FIRST_TIME ? [] : [`valid-after="${timestamp(validFrom)}"`]),
        ...(validUntil === null
          ? []
          : [`valid-before="${timestamp(validUntil < FIRST_TIME ? FIRST_TIME : validUntil)}"`]),
      ];
      const middle = options.length === 0 ? "" : ` ${options.join(",")}`;
      return `${name}${middle} ${formatSshKey(key.bytes)}\n`;
    })
    .join("");
}

function readLine(line: string, from: string): TrustedKey | string {
  const [word, afterPrincipals] = field(line, from);
  const principals = unquoted(word, from);
  const hasOptions = !looksLikeSshKey(afterPrincipals);
  const [options, keyText] = hasOptions ? field(afterPrincipals, from) : ["", afterPrincipals];
  if (!looksLikeSshKey(keyText)) throw invalid(from, "it has no key where one is wanted");
  const read = readOptions(options, from);
  if (!namesSomebody(principals)) return `names nobody with ${quoted(principals, 100)}`;
  if (read === "cert-authority") return "trusts a certificate authority, which waybill does not check";
  const [type = "", base64 = ""] = keyText.split(/[ \t]+/u);
  if (type !== SSH_ED25519) return `has the unsupported key type ${quoted(type, 60)}; wanted ${SSH_ED25519}`;
  if (fromBase64(base64) === null) throw invalid(from, "its key is not base64");
  const key = publicKeyFromBytes(parseSshKey(`${type} ${base64}`, from), from);
  return { name: principals, key, roles: null, scopes: [EVERYTHING], revocation: null, ...read };
}

type Options = Pick<TrustedKey, "namespaces" | "validFrom" | "validUntil">;

function readOptions(text: string, from: string): Options | "cert-authority" {
  const options: Record<string, string> = Object.create(null);
  let rest = text;
  while (rest !== "") {
    const found = /^([a-z-]+)(?:="([^"]*)")?(?:,(?=.)|$)/iu.exec(rest);
    if (found === null) throw invalid(from, `its options ${quoted(text, 100)} are not understood`);
    const [whole, option = "", value = ""] = found;
    const name = option.toLowerCase();
    if (name in options) throw invalid(from, `it has the option ${quoted(name)} twice`);
    options[name] = value;
    rest = rest.slice(whole.length);
  }
  if ("cert-authority" in options) return "cert-authority";
  const known = ["namespaces", "valid-after", "valid-before"];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  // An option may narrow what the key is trusted with.
  if (unknown !== undefined) throw invalid(from, `it has the unknown option ${quoted(unknown, 60)}`);
  const { namespaces, "valid-after": after, "valid-before": before } = options;
  return {
    namespaces: namespaces === undefined ? null : patternsOf(namespaces, from),
    validFrom: after === undefined ? null : instant(after, from),
    validUntil: before === undefined ? null : instant(before, from),
  };
}

function patternsOf(namespaces: string, from: string): string[] {
  const patterns = namespaces.split(",");
  // `!pattern` takes away what another pattern gives, and to ssh-keygen white space is part of one.
  if (!patterns.every(isSshPattern))
    throw invalid(
      from,
      `its namespaces ${quoted(namespaces, 100)} have a pattern that is empty, negated or has white space`,
    );
  return patterns;
}

/** The first word, in which quotes keep white space together, and what follows it. */
function field(text: string, from: string): readonly [string, string] {
  const found = /^((?:[^ \t"]|"[^"]*")+)[ \t]+(.*)/su.exec(text);
  if (found === null) throw invalid(from, `${quoted(text, 60)} is not principals and a key`);
  const [, word = "", rest = ""] = found;
  return [word, rest];
}

/** To ssh-keygen a word ends with its closing quotes: what is quoted in part is another name there, or none. */
function unquoted(word: string, from: string): string {
  const [, inQuotes] = /^"([^"]*)"$/u.exec(word) ?? [];
  if (inQuotes === undefined && word.includes('"'))
    throw invalid(from, `its principals ${quoted(word, 100)} are quoted in part`);
  return inQuotes ?? word;
}

/** A list that only takes names away leaves nobody; whoever asks for no name must not find somebody there. */
function namesSomebody(principals: string): boolean {
  return principals.split(",").some((pattern) => pattern !== "" && !pattern.startsWith("!"));
}

/** ssh-keygen takes the second before it for no time at all. */
const FIRST_TIME = new Date(1000);

const TIME = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/u;

/** YYYYMMDD[HHMM[SS]][Z]; without Z it is this machine's own time, as OpenSSH has it. */
function instant(text: string, from: string): Date {
  const [, year, month, day, hour = "00", minute = "00", second = "00", zone] = TIME.exec(text) ?? [];
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  // What no calendar has would roll over into the next month, day or hour.
  const inUtc = instantOf(`${written}Z`);
  const found = inUtc === null || zone === "Z" ? inUtc : new Date(written);
  if (found !== null && found >= FIRST_TIME) return found;
  throw invalid(from, `${quoted(text, 40)} is no time such as 20270131 or 202701312359Z`);
}

function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/gu, "")}Z`;
}

function invalid(from: string, found: string): Failure {
  return new Failure("trust_root_invalid", `${from}: ${found}`, {
    hint: "wanted lines of allowed signers: PRINCIPALS [OPTIONS] ssh-ed25519 AAAA…",
  });
}
