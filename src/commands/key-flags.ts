import { isatty } from "node:tty";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { askHidden } from "../host/terminal.ts";
import { secretSpellings } from "../trust/key-conversion.ts";
import { signingKeyOf } from "../trust/key-file.ts";
import { readKeyText, readPassphrase, type KeySource, type KeyText } from "../trust/key-text.ts";
import { isEncryptedKeyText, type SigningKey } from "../trust/signing-key.ts";

/** How the passphrase of a private key comes; without either it is asked for at a terminal. */
export const PASSPHRASE_FLAGS = {
  "passphrase-file": {
    type: "string",
    valueHint: "FILE",
    description: "the passphrase of an encrypted private key, one line",
  },
  "passphrase-fd": {
    type: "string",
    valueHint: "N",
    description: "the same from an open descriptor",
  },
} as const;

const KEY_FLAGS = {
  key: {
    type: "string",
    valueHint: "FILE|-",
    description: "the private key: a file that only you can read, or - for standard input",
  },
  "key-env": {
    type: "string",
    valueHint: "VAR",
    description: "the environment variable that holds the private key: PEM, or its base64 on one line",
  },
  "key-fd": {
    type: "string",
    valueHint: "N",
    description: "an open descriptor to read the private key from",
  },
} as const;

/** Where the private key of a command that signs comes from; see `readSigningKey`. */
export const SIGNING_KEY_FLAGS: typeof KEY_FLAGS & typeof PASSPHRASE_FLAGS = {
  ...KEY_FLAGS,
  ...PASSPHRASE_FLAGS,
};

export type PassphraseFlags = Values<typeof PASSPHRASE_FLAGS>;
export type SigningKeyFlags = Values<typeof SIGNING_KEY_FLAGS>;

/**
 * The private key that the flags name, known to the redactor in all its spellings. Throws Failure: a usage code,
 * `credential_missing`, `key_invalid`, `key_weak` or `key_permissions`.
 */
export async function readSigningKey(
  flags: SigningKeyFlags,
  world: World,
  prefix: "" | "receipt-" = "",
): Promise<SigningKey> {
  const read = readKeyText(keySource(flags, world, prefix));
  const key = signingKeyOf(read, await passphraseFor(read, flags, world));
  for (const spelling of secretSpellings(key)) world.secrets.register(spelling);
  return key;
}

/** Every private key that is named, once; none when no flag names any. A passphrase is for all of them. */
export async function readSigningKeys(
  { key: files, ...others }: Omit<SigningKeyFlags, "key"> & { readonly key: readonly string[] },
  world: World,
): Promise<SigningKey[]> {
  const named = others["key-env"] !== undefined || others["key-fd"] !== undefined;
  const sources = files.length === 0 ? (named ? [undefined] : []) : files;
  if (
    sources.length > 1 &&
    (others["passphrase-fd"] !== undefined || files.filter((one) => one === "-").length > 1)
  ) {
    throw new Failure("flags_contradict", "several keys cannot be read from one descriptor", {
      hint: "put the passphrase, or each key, into a file of its own",
    });
  }
  const keys: SigningKey[] = [];
  for (const key of sources) keys.push(await readSigningKey({ ...others, key }, world));
  const keyids = keys.map(({ publicKey }) => publicKey.keyid);
  const twice = keyids.find((keyid, index) => keyids.indexOf(keyid) !== index);
  if (twice === undefined) return keys;
  throw new Failure("flags_contradict", `--key names the key ${twice} twice; it counts once`, {
    hint: "name each key once",
  });
}

/** The file that the private key lies in, which no output may replace, or null. */
export function signingKeyFile(flags: SigningKeyFlags): string | null {
  return flags.key === undefined || flags.key === "-" ? null : flags.key;
}

function keySource(flags: SigningKeyFlags, world: World, prefix: string): KeySource {
  const { key: file, "key-env": variable, "key-fd": descriptor } = flags;
  const flag = `--${prefix}key`;
  const given = Object.entries({
    [flag]: file,
    [`${flag}-env`]: variable,
    [`${flag}-fd`]: descriptor,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length > 1)
    throw new Failure("flags_contradict", `${given.join(" and ")} both name the private key`, {
      hint: "give one",
    });
  if (file === "-") return { descriptor: 0 };
  if (file !== undefined) return { file };
  if (descriptor !== undefined) return { descriptor: parseDescriptor(descriptor, `${flag}-fd`) };
  if (variable === undefined)
    throw new Failure("flag_missing", "no private key is named", {
      hint: `pass ${flag} FILE, or ${flag}-env VAR with the name of a variable that holds the key`,
    });
  const text = world.env[variable] ?? "";
  if (text.trim() === "")
    throw new Failure(
      "credential_missing",
      `the variable ${quoted(variable)} of ${flag}-env is not set or is empty`,
    );
  world.secrets.register(text);
  return { text, from: `the key in ${quoted(variable)}` };
}

/** The passphrase that the flags name, or that the person types when the key needs one; undefined for none. */
export async function passphraseFor(
  read: KeyText,
  flags: PassphraseFlags,
  world: World,
): Promise<Uint8Array | undefined> {
  const named = namedPassphrase(flags, world);
  if (named !== undefined || !isEncryptedKeyText(read.text)) return named;
  if (read.exposed !== null) throw read.exposed;
  return askPassphrase(`Passphrase of ${read.from}: `, world);
}

/** The passphrase in the file or descriptor that the flags name, or undefined. */
export function namedPassphrase(flags: PassphraseFlags, world: World): Uint8Array | undefined {
  const { "passphrase-file": file, "passphrase-fd": descriptor } = flags;
  if (file !== undefined && descriptor !== undefined)
    throw new Failure("flags_contradict", "--passphrase-file and --passphrase-fd both name the passphrase", {
      hint: "give one",
    });
  if (file !== undefined) return registered(readPassphrase({ file }), world);
  if (descriptor === undefined) return undefined;
  return registered(readPassphrase({ descriptor: parseDescriptor(descriptor, "--passphrase-fd") }), world);
}

/** What the person types, or undefined where nobody could: not in a pipeline, not in CI. */
export async function askPassphrase(question: string, world: World): Promise<Uint8Array | undefined> {
  const typed = isatty(0) ? await askHidden(question, world.stop) : null;
  return typed === null ? undefined : registered(typed, world);
}

function registered(passphrase: Uint8Array, world: World): Uint8Array {
  world.secrets.register(new TextDecoder().decode(passphrase));
  return passphrase;
}

function parseDescriptor(text: string, flag: string): number {
  if (/^(?:0|[1-9]\d{0,4})$/u.test(text) && text !== "1" && text !== "2") return Number(text);
  throw new Failure(
    "invalid_value",
    `${flag} is ${quoted(text)}; wanted the number of a descriptor to read from`,
  );
}
