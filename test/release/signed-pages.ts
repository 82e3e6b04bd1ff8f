import { createHash } from "node:crypto";

/** What a reader of a Mach-O file's code signature finds, with no line of the writer's. */
export type SignedPages = {
  /** Pages whose hash is another one than the signature says, and how many it covers. */
  readonly wrong: number;
  readonly pages: number;
  /** Where the signed bytes end, and where the signature begins. */
  readonly signedTo: number;
  readonly signatureAt: number;
  readonly identifier: string;
};

export function signedPages(file: Buffer): SignedPages {
  const commands = file.readUInt32LE(16);
  let at = 32;
  for (let index = 0; index < commands; index++) {
    // LC_CODE_SIGNATURE
    if (file.readUInt32LE(at) === 0x1d) return readSignature(file, file.readUInt32LE(at + 8));
    at += file.readUInt32LE(at + 4);
  }
  throw new Error("no code signature");
}

function readSignature(file: Buffer, signatureAt: number): SignedPages {
  const signature = file.subarray(signatureAt);
  const blobs = signature.readUInt32BE(8);
  for (let index = 0; index < blobs; index++) {
    const directory = signature.subarray(signature.readUInt32BE(12 + index * 8 + 4));
    if (directory.readUInt32BE(0) !== 0xfade0c02) continue;
    const [hashes, name, pages, signedTo] = [16, 20, 28, 32].map((offset) =>
      directory.readUInt32BE(offset),
    ) as [number, number, number, number];
    const [size, page] = [directory.readUInt8(36), 1 << directory.readUInt8(39)];
    let wrong = 0;
    for (let slot = 0; slot < pages; slot++) {
      const bytes = file.subarray(slot * page, Math.min((slot + 1) * page, signedTo));
      const found = createHash("sha256").update(bytes).digest().subarray(0, size);
      if (!found.equals(directory.subarray(hashes + slot * size, hashes + (slot + 1) * size))) wrong++;
    }
    const identifier = directory.toString("utf8", name, directory.indexOf(0, name));
    return { wrong, pages, signedTo, signatureAt, identifier };
  }
  throw new Error("no code directory");
}
