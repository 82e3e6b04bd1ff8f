import { describe, expect, test } from "bun:test";
import { signAdHoc } from "../../scripts/mach-o.ts";
import { signedPages } from "./signed-pages.ts";

/** What a compiled program looks like: code, and a last segment that ends in a signature of something else. */
function executable(codeBytes: number, staleBytes = 64): Buffer {
  const commands = [
    segment("__TEXT", 0, codeBytes, 0x1_0000),
    segment("__LINKEDIT", codeBytes, 16 + staleBytes, 0x1000),
    Buffer.from(new Uint32Array([0x1d, 16, codeBytes + 16, staleBytes]).buffer),
  ];
  const file = Buffer.alloc(codeBytes + 16 + staleBytes, 0xaa);
  const size = commands.reduce((sum, { length }) => sum + length, 0);
  file.set(new Uint8Array(new Uint32Array([0xfeedfacf, 0x01000007, 3, 2, 3, size, 0, 0]).buffer));
  Buffer.concat(commands).copy(file, 32);
  return file;
}

function segment(name: string, offset: number, size: number, mapped: number): Buffer {
  const command = Buffer.alloc(72);
  command.writeUInt32LE(0x19, 0);
  command.writeUInt32LE(72, 4);
  command.write(name, 8, "latin1");
  command.writeBigUInt64LE(BigInt(mapped), 32);
  command.writeBigUInt64LE(BigInt(offset), 40);
  command.writeBigUInt64LE(BigInt(size), 48);
  return command;
}

describe("the ad hoc signature of a Mach-O executable", () => {
  // The ends of a page, and a signature that is larger than the room that the last segment has.
  test.each([4096, 4096 * 3 - 16, 4096 * 3 - 17, 4096 * 400])("fits %d bytes", (bytes) => {
    const before = executable(bytes);
    const signed = signAdHoc(before, "waybill");
    const found = signedPages(signed);
    expect(found).toMatchObject({ wrong: 0, identifier: "waybill", signedTo: bytes + 16 });
    expect(found.pages).toBe(Math.ceil((bytes + 16) / 4096));
    expect(found.signatureAt).toBe(found.signedTo);
    // Nothing but the header and the signature is another one, and signing again changes nothing.
    const end = bytes + 16;
    expect(signed.subarray(208, end).equals(before.subarray(208, end))).toBe(true);
    expect(signAdHoc(signed, "waybill").equals(signed)).toBe(true);
    // The last segment holds all of it, in the file and in memory.
    const [mapped, inFile] = [signed.readBigUInt64LE(136), signed.readBigUInt64LE(152)];
    expect(Number(inFile)).toBe(signed.length - bytes);
    expect(mapped >= inFile).toBe(true);
  });

  test("is broken by one byte anywhere before it", () => {
    const signed = signAdHoc(executable(9000), "waybill");
    for (const at of [20, 4095, 4096, 9015]) {
      const changed = Buffer.from(signed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect([at, signedPages(changed).wrong]).toEqual([at, 1]);
    }
  });

  const refused: [string, Buffer, string][] = [
    ["an ELF file", Buffer.from(`\x7fELF${"\0".repeat(60)}`, "latin1"), "no 64-bit Mach-O"],
    ["an empty file", Buffer.alloc(0), "no 64-bit Mach-O"],
    ["bytes behind the signature", Buffer.concat([executable(4096), Buffer.alloc(1)]), "not the last thing"],
    ["no signature", withoutSignature(), "no code signature to replace"],
  ];
  test.each(refused)("refuses %s", (_what, file, message) => {
    expect(() => signAdHoc(file, "waybill")).toThrow(message);
  });
});

function withoutSignature(): Buffer {
  const file = executable(4096);
  file.writeUInt32LE(2, 16);
  return file;
}
