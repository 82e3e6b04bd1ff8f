import { expect, test } from "bun:test";
import { remoteDisk, remoteKind } from "../../src/host/remote-disk.ts";

const kinds: [number, string | null][] = [
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  // As some systems say it: a number with a sign.
  [0xff534d42 | 0, "CIFS"],
  [0x65735546, "FUSE"],
  [0x01021994, null],
  [0xef53, null],
  [0x794c7630, null],
];
test.each(kinds)("case 53: %p is %p", (type, name) => {
  expect(remoteKind(type)).toBe(name);
});

test("what cannot be asked is none", () => {
  expect(remoteDisk("/nowhere/at/all")).toBeNull();
  expect(remoteDisk("/proc")).toBeNull();
});
