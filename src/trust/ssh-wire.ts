import { joined } from "../base/bytes.ts";

/** The SSH wire format: numbers of four bytes and strings with their length before them (RFC 4251 §5). */

export class NotSsh extends Error {
  override readonly name = "NotSsh";
}

/** Reads one value after the other. Every method throws NotSsh. */
export class SshReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `count` bytes. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    if (taken.length !== count) throw new NotSsh("cut short");
    this.#at += count;
    return taken;
  }

  uint32(): number {
    return Buffer.from(this.take(4)).readUInt32BE();
  }

  string(): Uint8Array {
    return this.take(this.uint32());
  }

  /** A string that must be ASCII, such as the name of an algorithm. */
  word(): string {
    const bytes = this.string();
    if (!bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) throw new NotSsh("a name that is no text");
    return new TextDecoder().decode(bytes);
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new NotSsh("bytes after the end");
  }
}

export function sshUint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return new Uint8Array(bytes);
}

export function sshString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return joined(sshUint32(bytes.length), bytes);
}
