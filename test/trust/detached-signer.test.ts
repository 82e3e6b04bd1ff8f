import { describe, expect, spyOn, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as signer from "../../src/trust/byte-signer.ts";
import { signDetached, type DetachedFormat } from "../../src/trust/detached-signer.ts";
import { refusalOfAsync } from "./refusal.ts";
import { keyOf } from "./roots.ts";
import { inFolder } from "./run-waybill.ts";

const key = keyOf("me");
const FORMATS: readonly (readonly [string, DetachedFormat])[] = [
  ["minisign", { format: "minisign", now: new Date(1_700_000_000_000) }],
  ["ssh", { format: "ssh", namespace: "file" }],
];

/** A signal that never stops anything; what shall happen does so before the second pass over the file. */
function beforeSecondPass(happen: () => void): AbortSignal {
  let asked = 0;
  const { signal } = new AbortController();
  Object.defineProperty(signal, "aborted", {
    get: () => {
      if (++asked === 2) happen();
      return false;
    },
  });
  return signal;
}

describe.each(FORMATS)("%s", (_name, format) => {
  test("the same file gives the same signature, and is read twice", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "app");
      writeFileSync(path, "bytes");
      let second = false;
      const one = await signDetached(
        key,
        path,
        format,
        beforeSecondPass(() => (second = true)),
      );
      const two = await signDetached(key, path, format, new AbortController().signal);
      expect([second, one.text, one.size]).toEqual([true, two.text, 5]);
    });
  });

  test("a file that changes while it is signed", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "app");
      writeFileSync(path, "version A");
      const signal = beforeSecondPass(() => writeFileSync(path, "version B"));
      const refusal = await refusalOfAsync(() => signDetached(key, path, format, signal));
      expect([refusal.code as string, refusal.exitCode]).toEqual(["file_changed", 8]);
    });
  });

  test("a faulty signature never leaves", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "app");
      writeFileSync(path, "bytes");
      const fault = spyOn(signer, "signBytes").mockImplementation(() => new Uint8Array(64));
      try {
        const refusal = await refusalOfAsync(() =>
          signDetached(key, path, format, new AbortController().signal),
        );
        expect(refusal.code).toBe("internal_error");
      } finally {
        fault.mockRestore();
      }
    });
  });
});
