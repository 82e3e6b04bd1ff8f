import { lstatSync, readdirSync, readlinkSync, type Dirent } from "node:fs";
import { FolderHandle, LISTED } from "../host/folder-handle.ts";
import type { KernelMemory, Place } from "../host/kernel.ts";
import { bytePathOf, childPath, isAscii, placeOf, type BytePath } from "./byte-path.ts";
import { ContentFailure, OpenedFile } from "./opened-file.ts";

export type Kind = "file" | "directory" | "symlink" | "fifo" | "socket" | "device";

/**
 * The one door to the files of a context, for one thread. Where the kernel can do it (Linux 5.6), nothing is reached
 * through a link, also when one takes the place of a folder while the context is read; elsewhere only the last part
 * of a path is guarded so.
 */
export class ContextFolder {
  readonly root: BytePath;
  readonly #handle: FolderHandle | null;

  /** `root` is absolute and without links. */
  constructor(root: BytePath) {
    this.root = root;
    this.#handle = FolderHandle.open(root);
  }

  /** Opens a file by its path below the root, or by an absolute one. Throws ContentFailure. */
  open(path: BytePath): OpenedFile {
    if (path.startsWith("/")) return new OpenedFile(placeOf(path));
    const descriptor = this.#handle?.openFile(path) ?? null;
    if (descriptor !== null) return new OpenedFile(descriptor);
    // By its path, to learn why.
    const file = new OpenedFile(this.#place(path));
    if (this.#handle === null) return file;
    file.close();
    throw displaced();
  }

  /**
   * Reads a small file that nobody disturbs, and gives its length; null when `open` must say what there is. Its path
   * below the root may be where it lies in memory, with a nul behind it: then no string is made of it.
   */
  readSmall(path: BytePath | Place, into: KernelMemory, at = 0): number | null {
    if (typeof path === "string" && path.startsWith("/")) return null;
    return this.#handle?.readSmall(path, into, at) ?? null;
  }

  /** Of the file that `readSmall` read. */
  get isExecutable(): boolean {
    return this.#handle?.isExecutable ?? false;
  }

  /** Tells the names in a folder, "" being the root, in no order. Throws the system's error, or ContentFailure. */
  list(path: BytePath | "", each: (name: BytePath, kind: Kind) => void): void {
    const listed = this.#handle?.list(path, (text, type) => {
      const name = text as BytePath; // oxlint-disable-line typescript/no-unsafe-type-assertion -- latin1 is one character a byte
      each(name, KINDS.get(type) ?? this.#kindOnDisk(childPath(path, name)));
    });
    if (listed === true) return;
    this.#listByPath(path, each);
    if (this.#handle !== null) throw displaced();
  }

  /** Where a link points to. Throws the system's error, or ContentFailure. */
  readLink(path: BytePath): BytePath {
    const target = this.#handle?.readLink(path) ?? null;
    if (target !== null) return bytePathOf(target);
    const asked = readlinkSync(this.#place(path), { encoding: "buffer" });
    if (this.#handle !== null) throw displaced();
    return bytePathOf(asked);
  }

  close(): void {
    this.#handle?.close();
  }

  #place(path: BytePath | ""): string | Buffer {
    return placeOf(path === "" ? this.root : childPath(this.root, path));
  }

  #listByPath(path: BytePath | "", each: (name: BytePath, kind: Kind) => void): void {
    const place = this.#place(path);
    const children = readdirSync(place, { withFileTypes: true });
    // ASCII names are exact as strings, and their kinds come with the listing. What is not UTF-8 would be U+FFFD.
    if (children.every(({ name }) => isAscii(name))) {
      for (const child of children) {
        const name = child.name as BytePath; // oxlint-disable-line typescript/no-unsafe-type-assertion -- ASCII is its own bytes
        each(name, kindOf(child) ?? this.#kindOnDisk(childPath(path, name)));
      }
      return;
    }
    for (const bytes of readdirSync(place, { encoding: "buffer" })) {
      const name = bytePathOf(bytes);
      each(name, this.#kindOnDisk(childPath(path, name)));
    }
  }

  #kindOnDisk(path: BytePath): Kind {
    return kindOf(lstatSync(this.#place(path))) ?? "device";
  }
}

/** By what a listing tells; not every file system keeps the kinds there. */
const KINDS: ReadonlyMap<number, Kind> = new Map([
  [LISTED.FIFO, "fifo"],
  [LISTED.CHARACTER_DEVICE, "device"],
  [LISTED.DIRECTORY, "directory"],
  [LISTED.BLOCK_DEVICE, "device"],
  [LISTED.FILE, "file"],
  [LISTED.LINK, "symlink"],
  [LISTED.SOCKET, "socket"],
] as const);

type Status = Pick<
  Dirent,
  "isFile" | "isDirectory" | "isSymbolicLink" | "isFIFO" | "isSocket" | "isBlockDevice" | "isCharacterDevice"
>;

function kindOf(status: Status): Kind | null {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "symlink";
  if (status.isFIFO()) return "fifo";
  if (status.isSocket()) return "socket";
  return status.isBlockDevice() || status.isCharacterDevice() ? "device" : null;
}

/** What its path finds and the kernel, which goes through no link, does not. */
function displaced(): ContentFailure {
  return new ContentFailure("changed", "something took the place of a folder above it");
}
