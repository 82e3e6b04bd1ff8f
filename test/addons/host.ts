import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256Of } from "../../src/base/hashing.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

type AddonLine = {
  addon_id: string;
  version: string;
  wanted_version: string;
  ok: boolean;
  outcome: string;
  exit_code: number;
  binary_path: string | null;
  digest: string | null;
  signature: { verified: boolean; keyid: string | null; keyids: string[] };
  action: string;
  error: { code: string; message: string; hint?: string } | null;
};

export type StageRun = {
  exit: number;
  stderr: string;
  document: {
    ok: boolean;
    exit_code: number;
    checked: number;
    addons: AddonLine[];
    warnings: { code: string; message: string }[];
    assignments?: string;
    error?: { code: string; message: string };
  };
};

type LogLine = { event: string; version: string; recovered?: boolean };

export type OtherRun = { exit: number; stderr: string; document: Record<string, unknown> };

export type Entry = Record<string, unknown>;

/** A host in a temporary folder: a root, a file store, an assignment list and a release key. */
export class Host implements Disposable {
  readonly #folder: TemporaryFolder = temporaryFolder();
  readonly home: string = this.#folder.path;
  readonly root: string = join(this.home, "root");
  readonly store: string = join(this.home, "store");
  readonly list: string = join(this.home, "assignments.json");
  readonly override: string = join(this.home, "addons.local.json");
  readonly #private: KeyObject;
  readonly publicKey: string;
  /** The seed, in base64. */
  readonly privateKey: string;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.#private = privateKey;
    this.publicKey = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
    this.privateKey = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64");
    mkdirSync(this.store);
  }

  /** Puts a program into the store and returns a signed assignment for it. */
  program(
    id: string,
    version: string,
    content: string | Uint8Array = `#!/bin/sh\necho ${id} ${version}\n`,
    more: Entry = {},
  ): Entry {
    const bytes = Buffer.from(content);
    const key = `addons/${id}/${sha256Of(bytes)}`;
    mkdirSync(dirname(join(this.store, key)), { recursive: true });
    writeFileSync(join(this.store, key), bytes);
    return {
      addon_id: id,
      version,
      enabled: true,
      binary_path: `/usr/local/lib/waybill/bin/${id}`,
      artifact_object_key: key,
      artifact_sha256: sha256Of(bytes),
      artifact_signature: sign(null, bytes, this.#private).toString("base64"),
      ...more,
    };
  }

  /** The same assignment with a signed statement about it; `says` changes what it says. */
  stated(entry: Entry, says: Entry = {}, key: KeyObject = this.#private): Entry {
    const sha256 = String(entry["artifact_sha256"]);
    const { subject = sha256, ...claims } = says;
    const predicate = {
      addon_id: entry["addon_id"],
      version: entry["version"],
      ...this.platform,
      size: statSync(join(this.store, String(entry["artifact_object_key"]))).size,
      issued: "2026-01-01T00:00:00.000Z",
      ...claims,
    };
    const payload = Buffer.from(
      JSON.stringify({
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ digest: { sha256: subject } }],
        predicateType: "https://waybill.invalid/attestation/addon/v1",
        predicate,
      }),
    );
    const type = "application/vnd.in-toto+json";
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
    const signature = sign(null, signed, key).toString("base64");
    return {
      ...entry,
      artifact_statement: {
        payload: payload.toString("base64"),
        payloadType: type,
        signatures: [{ sig: signature }],
      },
    };
  }

  /** This machine, as statements name it. */
  readonly platform: { os: string; arch: string } = {
    os: process.platform,
    arch: process.arch === "x64" ? "amd64" : process.arch,
  };

  /** Lets the host go back to one older version. */
  allowDowngrade(id: string, version: string): void {
    writeFileSync(this.override, JSON.stringify({ addons: [{ addon_id: id, allow_downgrade: version }] }));
  }

  assign(...addons: Entry[]): void {
    writeFileSync(this.list, JSON.stringify({ addons }));
  }

  path(...parts: string[]): string {
    return join(this.root, "addons", ...parts);
  }

  read(...parts: string[]): string {
    return readFileSync(this.path(...parts), "utf8");
  }

  /** Without the store: everything that it held is gone. */
  emptyStore(): void {
    rmSync(this.store, { recursive: true });
  }

  /** Leaves nothing good of a version of `sample`: neither the program nor the kept artifact. */
  spoil(version: string): void {
    for (const name of ["sample", "artifact.bin"]) {
      writeFileSync(this.path("sample/versions", version, name), "#!/bin/sh\necho evil\n");
    }
  }

  /** The lines of the log. */
  log(): LogLine[] {
    const lines = readFileSync(join(this.root, "audit.jsonl"), "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line));
  }

  arguments(extra: readonly string[] = []): string[] {
    const has = (flag: string): boolean => extra.includes(flag);
    return [
      "addon-stage",
      "--json",
      "--root",
      this.root,
      ...(has("--assignments") ? [] : ["--assignments", this.list]),
      ...(has("--store") || has("--no-store") ? [] : ["--store", `file:${this.store}`]),
      ...(has("--key") || has("--no-key") ? [] : ["--key", this.publicKey]),
      ...extra.filter((flag) => flag !== "--no-store" && flag !== "--no-key"),
    ];
  }

  async stage(extra: readonly string[] = [], env: Record<string, string> = {}): Promise<StageRun> {
    const finished = await runWaybill(this.arguments(extra), { cwd: this.home, env });
    return {
      exit: finished.code,
      stderr: finished.stderr,
      document: jsonOf(finished) as StageRun["document"],
    };
  }

  /** `waybill addon WORD` on this host's root. */
  addon(word: string, args: readonly string[]): Promise<OtherRun> {
    return this.#run(["addon", word], args);
  }

  /** `waybill verify addon`. */
  verify(args: readonly string[]): Promise<OtherRun> {
    return this.#run(["verify", "addon"], args);
  }

  async #run(words: readonly string[], args: readonly string[]): Promise<OtherRun> {
    const root = args.includes("--root") ? [] : ["--root", this.root];
    const finished = await runWaybill([...words, "--json", ...root, ...args], { cwd: this.home });
    return { exit: finished.code, stderr: finished.stderr, document: jsonOf(finished) };
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** Every name, size, mode and time below a folder. */
export function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => {
      const status = statSync(join(folder, name), { throwIfNoEntry: false });
      return `${name} ${status?.size} ${status?.mode} ${status?.mtimeMs} ${status?.ctimeMs}`;
    })
    .sort();
}
