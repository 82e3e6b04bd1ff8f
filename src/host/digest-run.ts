import { readSync } from "node:fs";

/** One digest: SHA-2 over the prefix and then the bytes. */
export type DigestSpec = { readonly algorithm: "sha256" | "sha512"; readonly prefix: Uint8Array };

const CHUNK_BYTES = 1_048_576;

/** Digests of the first bytes of a file that another one writes, read through the descriptor that both share. */
export class DigestRun {
  readonly #descriptor: number;
  readonly #specs: readonly DigestSpec[];
  readonly #buffer: Uint8Array = new Uint8Array(CHUNK_BYTES);
  #engines: Bun.CryptoHasher[] = [];
  #position = 0;

  constructor(descriptor: number, specs: readonly DigestSpec[]) {
    this.#descriptor = descriptor;
    this.#specs = specs;
    this.restart();
  }

  restart(): void {
    this.#position = 0;
    this.#engines = this.#specs.map(({ algorithm, prefix }) =>
      new Bun.CryptoHasher(algorithm).update(prefix),
    );
  }

  advance(length: number): void {
    while (this.#position < length) {
      const wanted = Math.min(this.#buffer.length, length - this.#position);
      const read = readSync(this.#descriptor, this.#buffer, 0, wanted, this.#position);
      if (read === 0) throw new Error(`the file ends at byte ${this.#position}, before ${length}`);
      const chunk = this.#buffer.subarray(0, read);
      for (const engine of this.#engines) engine.update(chunk);
      this.#position += read;
    }
  }

  finish(length: number): Uint8Array[] {
    this.advance(length);
    return this.#engines.map((engine) => new Uint8Array(engine.digest()));
  }
}
