import { describe, expect, test } from "bun:test";
import { der, derInteger, derOid, DerReader, NotDer, TAG } from "../../src/trust/der.ts";

describe("DER has one spelling", () => {
  const table: readonly (readonly [string, string])[] = [
    ["an indefinite length", "308005000000"],
    ["a long length that needs no long form", "3081020500"],
    ["two length bytes that need one", "308200020500"],
    ["three length bytes", "30830000020500"],
    ["three length bytes that would do as two", `30830100${"00".repeat(256)}`],
    ["an indefinite length before as many bytes", `3080${"00".repeat(128)}`],
    ["a length beyond the end", "30030201"],
    ["no length", "30"],
    ["another type", "020105"],
    ["nothing", ""],
  ];
  test.each(table)("%s", (_name, hex) => {
    const reader = new DerReader(new Uint8Array(Buffer.from(hex, "hex")));
    expect(() => reader.take(TAG.sequence)).toThrow(NotDer);
  });

  test("a length that no key file has is told as that", () => {
    const reader = new DerReader(Uint8Array.of(0x30, 0x84, 0, 0, 0, 0));
    expect(() => reader.take(TAG.sequence)).toThrow("a length out of range");
  });

  test("what was not read to its end", () => {
    const reader = new DerReader(new Uint8Array(Buffer.from("3002050000", "hex")));
    expect(reader.take(TAG.sequence)).toHaveLength(2);
    expect(() => reader.end()).toThrow(NotDer);
  });

  test.each([
    "02020001",
    "0200",
    "020180",
    "0201ff",
    "0202007f",
    "020480000000",
    "020500ffffffff",
    "02050100000000",
  ])("the number %s", (hex) => {
    const reader = new DerReader(new Uint8Array(Buffer.from(hex, "hex")));
    expect(() => reader.integer()).toThrow(NotDer);
  });

  test("numbers and names are written as they have to be", () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
    const numbers: [number, string][] = [
      [0, "020100"],
      [0x7f, "02017f"],
      [0x80, "02020080"],
      [0x100, "02020100"],
      [0x7f_ff_ff_ff, "02047fffffff"],
    ];
    for (const [value, wanted] of numbers) expect(hex(derInteger(value))).toBe(wanted);
    expect(hex(derOid("2b6570"))).toBe("06032b6570");
    expect(hex(der(TAG.null))).toBe("0500");
    expect(new DerReader(derOid("2b6570")).oid()).toBe("2b6570");
    expect(hex(der(TAG.octets, new Uint8Array(0x7f)).subarray(0, 2))).toBe("047f");
    expect(hex(der(TAG.octets, new Uint8Array(0x80)).subarray(0, 3))).toBe("048180");
    expect(hex(der(TAG.octets, new Uint8Array(0xff)).subarray(0, 3))).toBe("0481ff");
    expect(hex(der(TAG.octets, new Uint8Array(0x1_02)).subarray(0, 4))).toBe("04820102");
  });

  test("a value that may be left out is taken when it is there", () => {
    const reader = new DerReader(new Uint8Array(Buffer.from("040107020103", "hex")));
    expect(reader.takeIf(TAG.null)).toBeNull();
    expect([...(reader.takeIf(TAG.octets) ?? [])]).toEqual([7]);
    expect(reader.takeIf(TAG.octets)).toBeNull();
    expect(reader.integer()).toBe(3);
    expect(reader.takeIf(TAG.octets)).toBeNull();
    reader.end();
  });

  test("a sequence is read by itself", () => {
    const reader = new DerReader(der(TAG.sequence, derInteger(1), derInteger(2)));
    const inner = reader.sequence();
    reader.end();
    expect([inner.integer(), inner.integer()]).toEqual([1, 2]);
    inner.end();
  });

  test("numbers and lengths come back", () => {
    for (const value of [0, 1, 127, 128, 255, 256, 32_767, 32_768, 600_000, 0x7f_ff_ff_ff])
      expect(new DerReader(derInteger(value)).integer()).toBe(value);
    for (const size of [0, 1, 127, 128, 255, 256, 65_535])
      expect(new DerReader(der(TAG.octets, new Uint8Array(size))).take(TAG.octets)).toHaveLength(size);
  });
});
