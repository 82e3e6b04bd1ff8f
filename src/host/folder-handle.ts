import { closeSync } from "node:fs";
import { keepMethodsFromLastCompiler } from "./compiler.ts";
import { loadKernel, type Kernel, type KernelMemory, type Place } from "./kernel.ts";

/** The kinds that a listing tells (`d_type`), where the file system keeps them. */
export const LISTED = {
  FIFO: 1,
  CHARACTER_DEVICE: 2,
  DIRECTORY: 4,
  BLOCK_DEVICE: 6,
  FILE: 8,
  LINK: 10,
  SOCKET: 12,
} as const;

/**
 * A folder that is held open. What lies below is opened in one call that goes through no link and not out of the
 * folder (openat2), whatever is put in the way meanwhile; by paths that cannot be had. Names are latin1: one character
 * for each byte. A null says that it did not work, and not why: who wants to know asks by path.
 */
export class FolderHandle {
  readonly #kernel: Kernel;
  readonly #path: string;
  readonly #descriptor: number;

  private constructor(kernel: Kernel, path: string, descriptor: number) {
    this.#kernel = kernel;
    this.#path = path;
    this.#descriptor = descriptor;
  }

  /** Null where the kernel (before Linux 5.6, or another) or a sandbox does not have it. */
  static open(path: string): FolderHandle | null {
    const kernel = loadKernel();
    const descriptor = kernel?.openFolder(path) ?? null;
    return kernel === null || descriptor === null ? null : new FolderHandle(kernel, path, descriptor);
  }

  /** The descriptor of a file to read, which the caller closes. It may be something else than a regular file. */
  openFile(path: string): number | null {
    return this.#kernel.openBelow(this.#descriptor, path, "file");
  }

  /**
   * Reads a regular file that is smaller than what `into` has from `at` on, and gives its length; null when it is none,
   * when it is larger and when it changed meanwhile. Its path may be where it lies in memory, with a nul behind it.
   */
  readSmall(path: string | Place, into: KernelMemory, at: number): number | null {
    return this.#kernel.readSmall(this.#descriptor, path, into, at);
  }

  /** Of the file that `readSmall` read. */
  get isExecutable(): boolean {
    return this.#kernel.isExecutable();
  }

  /** Tells the name and the kind of everything in a folder; "" is this one. False if it cannot. */
  list(path: string, each: (name: string, kind: number) => void): boolean {
    const descriptor =
      path === ""
        ? // Not as ".": a folder may be one to list and not to enter.
          this.#kernel.openFolder(this.#path)
        : this.#kernel.openBelow(this.#descriptor, path, "folder");
    if (descriptor === null) return false;
    try {
      return this.#kernel.list(descriptor, each);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Where a link points to. */
  readLink(path: string): Buffer | null {
    const descriptor = this.#kernel.openBelow(this.#descriptor, path, "link");
    if (descriptor === null) return null;
    try {
      return this.#kernel.readLink(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

keepMethodsFromLastCompiler(FolderHandle, "list");
