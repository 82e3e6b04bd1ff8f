import { closeSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { quoted } from "../../base/printable.ts";
import { readBundle } from "../bundle/read-bundle.ts";
import { bundleFormat, retainedName, type BundleFormat } from "../bundle/bundle-format.ts";
import type { AddonPaths } from "./layout.ts";
import { strangers } from "./directories.ts";
import {
  openOwn,
  readStaged,
  readThrough,
  type Modes,
  type OwnFile,
  type SignatureCheck,
} from "./staged-file.ts";
import type { ApprovedFile, BundleSink } from "../bundle/tar-listing.ts";
import { BINARY_MODE, FILE_MODE, modeOf } from "../bundle/unpack.ts";

/** What a folder under `versions/` comes to when every byte of it is held against one artifact. */
export type Installed = {
  /** The digest of the artifact when the whole folder is what came out of it; another one for a program alone. */
  readonly sha256: Sha256 | null;
  /** The key whose signature over the artifact holds. */
  readonly keyid: string | null;
  /** The kept artifact, or the program for a kept copy of it, when its bytes are right: no store is needed then. */
  readonly retained: string | null;
  /** What is wrong, for people; empty when nothing is. */
  readonly damage: readonly string[];
};

/** What a version folder is held against, and how. */
export type Inspection = {
  readonly binaryName: string;
  readonly sha256: Sha256;
  readonly check: SignatureCheck | null;
  readonly modes: Modes;
  /** Whether the kept copy of a program has to be whole as well, where there is one. */
  readonly withKept?: boolean;
  readonly stop: AbortSignal;
};

/** Reads a whole version folder and compares it with the artifact of that digest. */
export async function inspect(paths: AddonPaths, folder: string, inspection: Inspection): Promise<Installed> {
  const { sha256: wanted, check, modes, stop } = inspection;
  const directory = paths.version(folder);
  let other: string | null = null;
  for (const format of ["gzip", "zstd"] as const) {
    const path = join(directory, retainedName(format));
    const file = openOwn(path, FILE_MODE, modes);
    if (file === null) continue;
    try {
      const bytes = await readThrough(file, path, check, stop);
      if (bytes.sha256 !== wanted) {
        other = retainedName(format);
        continue;
      }
      const damage = await compare(directory, inspection, file, format);
      const { keyid } = bytes;
      if (damage === null) continue;
      if (damage.length === 0) return { sha256: wanted, keyid, retained: path, damage };
      return { sha256: null, keyid, retained: path, damage };
    } finally {
      closeSync(file.descriptor);
    }
  }
  return inspectProgram(paths, folder, inspection, other);
}

/** `other` is a kept bundle with other bytes: it was to be the artifact, which no program is then. */
async function inspectProgram(
  paths: AddonPaths,
  folder: string,
  { binaryName, sha256: wanted, check, modes, withKept = false, stop }: Inspection,
  other: string | null,
): Promise<Installed> {
  const program = paths.binary(folder, binaryName);
  const bytes = await readStaged(program, BINARY_MODE, modes, check, stop);
  const { sha256 = null, keyid = null, wrongMode = false } = bytes ?? {};
  const isRight = sha256 === wanted;
  const isWhole = isRight && !wrongMode;
  if (isWhole && !withKept) return { sha256, keyid, retained: null, damage: [] };
  const path = join(paths.version(folder), retainedName(null));
  // Its mode is left alone: it may be a second name of the program.
  const kept = await readStaged(path, FILE_MODE, "ignore", null, stop);
  if (isWhole && (kept === null || kept.sha256 === wanted))
    return { sha256, keyid, retained: null, damage: [] };
  return {
    sha256: isRight ? null : sha256,
    keyid,
    retained: isWhole ? program : kept?.sha256 === wanted ? path : null,
    damage: [damageOf()],
  };

  function damageOf(): string {
    if (isWhole) return `${retainedName(null)} has other bytes`;
    if (isRight) return `${binaryName} has a wrong mode`;
    if (other !== null) return `${other} has other bytes`;
    return `${binaryName} ${sha256 === null ? "is missing" : "has other bytes"}`;
  }
}

/** What differs between a folder and its bundle; null when the bundle is none that we would unpack. */
async function compare(
  directory: string,
  { binaryName, modes, stop }: Inspection,
  { descriptor, size }: OwnFile,
  format: BundleFormat,
): Promise<string[] | null> {
  const comparer = new FolderComparer(directory, binaryName, modes);
  try {
    const head = new Uint8Array(4);
    readSync(descriptor, head, 0, head.length, 0);
    if (bundleFormat(head) !== format) return null;
    const files = await readBundle({ descriptor, size, format, binaryName }, comparer, stop);
    const own = new Set([...files.map(({ name }) => name), retainedName(format)]);
    const foreign = strangers(readdirSync(directory), own).map(
      (name) => `${quoted(name)} is not of the bundle`,
    );
    return [...comparer.damage, ...foreign];
  } catch (error) {
    throwIfStopped(stop, "comparing a bundle");
    if (error instanceof Failure) return null;
    throw error;
  } finally {
    comparer.close();
  }
}

/** Reads each file of a folder beside the same one in the bundle. */
class FolderComparer implements BundleSink {
  readonly damage: string[] = [];
  readonly #directory: string;
  readonly #binaryName: string;
  readonly #modes: Modes;
  readonly #buffer = new Uint8Array(1_048_576);
  #file: (OwnFile & { readonly name: string }) | null = null;
  #position = 0;

  constructor(directory: string, binaryName: string, modes: Modes) {
    this.#directory = directory;
    this.#modes = modes;
    this.#binaryName = binaryName;
  }

  readonly begin = ({ name, size }: ApprovedFile): void => {
    // The original's agent merges the assigned configuration into the bundled one, and keeps that under this name.
    const base = name.endsWith(".json")
      ? this.#openFile(`.serviceradar-config-base-${name}`, "ignore")
      : null;
    const file = base ?? this.#openFile(name, this.#modes);
    this.#position = 0;
    if (file?.wrongMode === true) this.damage.push(`${name} has a wrong mode`);
    if (file === null) this.damage.push(`${name} is missing`);
    else if (file.size === size) this.#file = { ...file, name };
    else {
      closeSync(file.descriptor);
      this.damage.push(`${name} has ${file.size} bytes; wanted ${size}`);
    }
  };

  readonly piece = (bytes: Uint8Array): void => {
    for (let rest = bytes; rest.length > 0 && this.#file !== null;) {
      const part = rest.subarray(0, this.#buffer.length);
      const count = readSync(this.#file.descriptor, this.#buffer, 0, part.length, this.#position);
      if (count === 0 || Buffer.compare(this.#buffer.subarray(0, count), part.subarray(0, count)) !== 0) {
        this.damage.push(`${this.#file.name} has other bytes`);
        this.close();
        return;
      }
      this.#position += count;
      rest = rest.subarray(count);
    }
  };

  readonly end = (): void => this.close();

  close(): void {
    if (this.#file !== null) closeSync(this.#file.descriptor);
    this.#file = null;
  }

  #openFile(name: string, modes: Modes): OwnFile | null {
    return openOwn(join(this.#directory, name), modeOf(name, this.#binaryName), modes);
  }
}
