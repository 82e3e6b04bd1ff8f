import { joined } from "../base/bytes.ts";

/**
 * The few ASN.1 values that key files are made of, in their one canonical encoding (X.690 §10): what has two
 * spellings cannot be compared, so another spelling is refused.
 */
export const TAG = { integer: 0x02, octets: 0x04, null: 0x05, oid: 0x06, sequence: 0x30 } as const;

export class NotDer extends Error {
  override readonly name = "NotDer";
}

/** Reads one value after the other out of a constructed value. Every method throws NotDer. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The content of the next value, which must have this tag. */
  take(tag: number): Uint8Array {
    if (this.#byte() !== tag) throw new NotDer("another type than expected");
    const length = this.#length();
    const content = this.#bytes.subarray(this.#at, this.#at + length);
    if (content.length !== length) throw new NotDer("cut short");
    this.#at += length;
    return content;
  }

  /** As `take`, or null when the next value has another tag or there is none. */
  takeIf(tag: number): Uint8Array | null {
    return this.#bytes[this.#at] === tag ? this.take(tag) : null;
  }

  sequence(): DerReader {
    return new DerReader(this.take(TAG.sequence));
  }

  /** An object identifier as the hex of its content. */
  oid(): string {
    return Buffer.from(this.take(TAG.oid)).toString("hex");
  }

  /** A whole number from 0 to 2^31 - 1. */
  integer(): number {
    const content = this.take(TAG.integer);
    const value = content.reduce((sum, byte) => sum * 256 + byte, 0);
    // What is not as we would write it is negative, padded or empty.
    if (content.length <= 4 && Buffer.compare(content, derInteger(value).subarray(2)) === 0) return value;
    throw new NotDer("a number out of range");
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new NotDer("bytes after the end");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new NotDer("cut short");
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    // Key files are small: one or two length bytes reach to 64 KiB.
    if (first === 0x81) return this.#longLength(this.#byte(), 0x80);
    if (first === 0x82) return this.#longLength(this.#byte() * 256 + this.#byte(), 0x100);
    throw new NotDer("a length out of range");
  }

  #longLength(length: number, least: number): number {
    if (length < least) throw new NotDer("a length with a needless byte");
    return length;
  }
}

/** One value: tag, length, content. The content is at most 65,535 bytes. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = joined(...contents);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return joined(Uint8Array.from([tag, ...length]), content);
}

export function derOid(hex: string): Uint8Array {
  return der(TAG.oid, Buffer.from(hex, "hex"));
}

/** A whole number from 0 to 2^31 - 1. */
export function derInteger(value: number): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex");
  // The top bit is the sign.
  return der(TAG.integer, (bytes[0] ?? 0) >= 0x80 ? Uint8Array.from([0, ...bytes]) : bytes);
}
