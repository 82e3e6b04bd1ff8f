import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parsePublicKey } from "../../src/trust/public-key.ts";
import { parseSigningKey } from "../../src/trust/signing-key.ts";
import { Host } from "../addons/host.ts";
import { digestOf } from "../control-plane/plane.ts";
import { POLICY } from "../trust/attestations.ts";
import { runWaybill } from "../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

/** Every command that writes a file for its user, with what it needs, for the tests that disturb it while it writes. */
export type Output = {
  readonly name: string;
  readonly words: (its: Workshop) => readonly string[];
  readonly files: readonly string[];
  /** What stands there before. */
  readonly before: string | null;
  /** Whether that is all of a new file; throws or says false when it is not. */
  readonly isWhole: (bytes: Buffer, file: string, its: Workshop) => boolean;
};

const OLD = "what stood there before\n";
const line = (text: string): boolean => text.endsWith("\n") && typeof JSON.parse(text) === "object";
const document = (bytes: Buffer): boolean => line(bytes.toString());
const lines = (bytes: Buffer): boolean =>
  bytes
    .toString()
    .trimEnd()
    .split("\n")
    .every((one) => line(`${one}\n`));

const INPUTS = ["context", "app", "predicate.json", "key", "key.pub", "policy.json", "policy.signed.json"];
const KEY = ["--key", "key"];
const ATTEST = [
  "attest",
  "app",
  "--predicate",
  "predicate.json",
  "--predicate-type",
  "https://example.com/it",
  ...KEY,
];
const target = ({ plane }: Workshop): string[] => [
  "--target",
  `prod=${plane.address}`,
  "--allow-insecure-http",
];

/** The words, without the flag that names the file. */
function output(
  name: string,
  words: readonly string[] | Output["words"],
  isWhole: Output["isWhole"],
  more: Partial<Output> & { readonly flag?: string } = {},
): Output {
  const { flag = "--out", files = ["it"], ...others } = more;
  const all = (its: Workshop): string[] => [
    ...(typeof words === "function" ? words(its) : words),
    ...(flag === "" ? [] : [flag]),
    `out/${files[0]}`,
  ];
  return { name, words: all, files, before: OLD, isWhole, ...others };
}

/** Archives are the same bytes each time. */
const archives = ["tar", "tar.gz", "tar.zst"].map((ending) => {
  const isSame: Output["isWhole"] = (bytes, file, its) => readFileSync(join(its.path, file)).equals(bytes);
  const more = { flag: "--archive", files: [`it.${ending}`] };
  return output(`capture --archive .${ending}`, ["capture", "context"], isSame, more);
});

export const OUTPUTS: readonly Output[] = [
  ...archives,
  output("capture --manifest", ["capture", "context"], lines, { flag: "--manifest" }),
  output("capture --out", ["capture", "context"], document),
  output("sign, minisign", ["sign", "app", ...KEY, "--format", "minisign"], (bytes) =>
    /^untrusted comment: [^\n]*\n[\w+/=]{100}\ntrusted comment: [^\n]*\n[\w+/=]{88}\n$/u.test(
      bytes.toString(),
    ),
  ),
  output("sign, ssh", ["sign", "app", ...KEY, "--format", "ssh", "--namespace", "n"], (bytes) =>
    bytes.toString().endsWith("-----END SSH SIGNATURE-----\n"),
  ),
  output("attest", ATTEST, document),
  output(
    "attest, one line more",
    [...ATTEST, "--format", "jsonl"],
    (bytes) => lines(bytes) && bytes.toString().split("\n").length >= 3,
    { before: '{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AAAA"}]}\n' },
  ),
  output("policy sign", ["policy", "sign", "policy.json", ...KEY], document),
  output(
    "policy check --policy-state",
    ["policy", "check", "policy.signed.json", "--key", "key.pub"],
    document,
    { flag: "--policy-state", before: null },
  ),
  output("key trust init", ["key", "trust", "init", ...KEY], document, { flag: "", before: null }),
  output(
    "key new",
    ["key", "new"],
    (bytes, file) => {
      const text = bytes.toString();
      const key = file === "it" ? parseSigningKey(text, file).publicKey : parsePublicKey(text, file);
      return key.keyid.length > 0;
    },
    { files: ["it", "it.pub"], before: null },
  ),
  output(
    "key convert",
    ["key", "convert", "key.pub", "--to", "ssh"],
    (bytes) => /^ssh-ed25519 \S{68}[^\n]*\n$/u.test(bytes.toString()),
    { before: null },
  ),
  // An archive ends with two empty blocks.
  output(
    "addon export",
    ({ host }) => ["addon", "export", "--root", host.root],
    (bytes) => bytes.length % 512 === 0 && bytes.subarray(-1024).every((byte) => byte === 0),
  ),
  // Its header has the size of a page and how many there are.
  output(
    "serve --backup",
    ({ plane }) => ["serve", "--data", plane.data],
    (bytes) => bytes.length > 100 && bytes.length === bytes.readUInt16BE(16) * bytes.readUInt32BE(28),
    { flag: "--backup", before: null },
  ),
  output("verify audit --export", (its) => ["verify", "audit", "--chain", ...target(its)], lines, {
    flag: "--export",
  }),
  output(
    "promote --receipt-out",
    (its) => [
      "promote",
      "--template",
      "it",
      "--digest",
      digestOf("it"),
      ...target(its),
      "--receipt-key",
      "key",
      // A fault may hit what wakes the thread that waits for an answer.
      ...["--attempt-timeout", "1s", "--timeout", "5s"],
    ],
    lines,
    { flag: "--receipt-out", before: '{"a":1}\n' },
  ),
];

/** A folder with keys, an artifact, a context, a host and a control plane. */
export class Workshop implements AsyncDisposable {
  readonly #folder: TemporaryFolder = temporaryFolder();
  readonly path: string = this.#folder.path;
  readonly env: Record<string, string> = {};
  readonly host: Host = new Host();
  #plane: ControlPlaneProcess | undefined;

  async prepare(): Promise<void> {
    const plane = (this.#plane = await startControlPlane());
    this.env["WAYBILL_TOKEN_PROD"] = await plane.token(["pins:read", "pins:write", "audit:read"]);
    mkdirSync(this.#at("context/folder"), { recursive: true });
    for (const name of ["a", "b", "folder/c"]) writeFileSync(this.#at("context", name), name.repeat(70_000));
    writeFileSync(this.#at("app"), "bytes");
    writeFileSync(this.#at("predicate.json"), '{"a":1}');
    await this.#run("key", "new", "--out", "key");
    await this.#run("key", "trust", "init", "root.json", "--key", "key");
    const [issued, expires] = [-60_000, 86_400_000].map((ms) => new Date(Date.now() + ms).toISOString());
    const policy = { ...POLICY, issued_at: issued, expires_at: expires };
    writeFileSync(this.#at("policy.json"), JSON.stringify(policy));
    await this.#run("policy", "sign", "policy.json", "--key", "key");
    this.host.assign(this.host.program("sample", "1"));
    await this.host.stage();
    for (const ending of ["tar", "tar.gz", "tar.zst"])
      await this.#run("capture", "context", "--archive", `it.${ending}`);
  }

  get plane(): ControlPlaneProcess {
    if (this.#plane === undefined) throw new Error("not prepared");
    return this.#plane;
  }

  #at(...names: string[]): string {
    return join(this.path, ...names);
  }

  async #run(...words: string[]): Promise<void> {
    const ran = await runWaybill(words, { cwd: this.path, env: this.env });
    if (ran.code !== 0) throw new Error(`${words.join(" ")}: ${ran.stderr}`);
  }

  /** A copy of the inputs with an `out` in which the old files stand; a folder of its own for each test. */
  place(name: string): string {
    const place = this.#at("places", name.replaceAll(/\W+/gu, "-"));
    mkdirSync(place, { recursive: true });
    for (const input of INPUTS) cpSync(this.#at(input), join(place, input), { recursive: true });
    return place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plane?.stop("SIGKILL");
    this.host[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}
