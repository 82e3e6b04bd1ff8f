/** Archives made byte by byte, so that every lie a header can tell can be told. */

export type TarEntry = {
  readonly name: string;
  readonly data?: string | Uint8Array;
  /** The byte at 156; "0" for a file. */
  readonly type?: string;
  /** 12 bytes, in place of the octal length of `data`. */
  readonly size?: string | Uint8Array;
  readonly prefix?: string;
  readonly link?: string;
  readonly mode?: string;
  /** 8 bytes; POSIX's without it. */
  readonly magic?: string;
  /** Changed after everything else is there, before the checksum is made. */
  readonly spoil?: (header: Buffer) => void;
  readonly checksum?: string;
  /** Bytes that follow the data in place of zeros. */
  readonly padding?: number;
};

export function tarEntry(entry: TarEntry): Buffer {
  const header = Buffer.alloc(512);
  const data = Buffer.from(entry.data ?? "");
  header.write(entry.name, 0, 100, "latin1");
  header.write(entry.mode ?? "0000644\0", 100, "latin1");
  header.write("0000000\0", 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  const size = entry.size ?? `${data.length.toString(8).padStart(11, "0")}\0`;
  (typeof size === "string" ? Buffer.from(size, "latin1") : Buffer.from(size)).copy(header, 124);
  header.write("00000000000\0", 136, "latin1");
  header.write(entry.type ?? "0", 156, "latin1");
  header.write(entry.link ?? "", 157, 100, "latin1");
  header.write(entry.magic ?? "ustar\u000000", 257, 8, "latin1");
  header.write(entry.prefix ?? "", 345, 155, "latin1");
  entry.spoil?.(header);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(entry.checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  const padding = Buffer.alloc((512 - (data.length % 512)) % 512, entry.padding ?? 0);
  return Buffer.concat([header, data, padding]);
}

/** An archive with its end: two blocks of zeros. */
export function tar(...entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);
}

/** One PAX record, `<length> <key>=<value>\n`. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  for (let digits = 1; ; digits++) {
    const length = rest.length + digits;
    if (String(length).length === digits) return `${length}${rest}`;
  }
}
