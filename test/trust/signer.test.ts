import { describe, expect, spyOn, test } from "bun:test";
import { createHash, createPublicKey, randomBytes, verify as nativeVerify } from "node:crypto";
import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ed25519 from "../../src/trust/ed25519.ts";
import { verify } from "../../src/trust/ed25519.ts";
import { spkiPem } from "../../src/trust/key-forms.ts";
import { signBytes } from "../../src/trust/byte-signer.ts";
import { signFile } from "../../src/trust/signer.ts";
import { SigningKey } from "../../src/trust/signing-key.ts";
import { refusalOfAsync } from "./refusal.ts";
import { inFolder } from "./run-waybill.ts";

const key = new SigningKey(randomBytes(32), "the key");
const calm = new AbortController().signal;

describe("a file is signed as its bytes are", () => {
  const MEBIBYTE = 1_048_576;
  test.each([0, 1, 63, 64, 65, 1_000, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE + 7])(
    "%d bytes",
    async (size) => {
      await inFolder(async (folder) => {
        const bytes = randomBytes(size);
        const path = join(folder, "artifact");
        writeFileSync(path, bytes);
        const made = await signFile(key, path, calm);
        // Ed25519 has one signature for a key and a message, so both ways must give the same bytes.
        expect(made.signature).toEqual(signBytes(key, bytes));
        expect(made.size).toBe(size);
        expect(String(made.sha256)).toBe(createHash("sha256").update(bytes).digest("hex"));
        expect(verify(made.signature, bytes, key.publicKey.bytes)).toBe(true);
        expect(nativeVerify(null, bytes, createPublicKey(spkiPem(key.publicKey)), made.signature)).toBe(true);
      });
    },
  );
});

/** A signal that never stops anything; it is asked once a pass, and then lets something happen before the nth. */
function atPass(nth: number, happen: () => void, next?: () => void): AbortSignal {
  let asked = 0;
  const { signal } = new AbortController();
  Object.defineProperty(signal, "aborted", {
    get: () => {
      asked++;
      if (asked === nth) happen();
      if (asked === nth + 1) next?.();
      return false;
    },
  });
  return signal;
}

describe("a file that changes while it is signed", () => {
  const happenings: readonly (readonly [string, (path: string) => void])[] = [
    ["other bytes of the same size", (path) => writeFileSync(path, "version B")],
    ["longer", (path) => appendFileSync(path, "!")],
    ["shorter", (path) => truncateSync(path, 3)],
    ["empty", (path) => truncateSync(path, 0)],
  ];
  const table = happenings.flatMap(([name, happen]) => [2, 3].map((pass) => [name, pass, happen] as const));
  test.each(table)("%s, before pass %d", async (_name, pass, happen) => {
    await inFolder(async (folder) => {
      const path = join(folder, "artifact");
      writeFileSync(path, "version A");
      const refusal = await refusalOfAsync(() =>
        signFile(
          key,
          path,
          atPass(pass, () => happen(path)),
        ),
      );
      expect([refusal.code, refusal.exitCode]).toEqual(["file_changed", 8]);
    });
  });

  test("changed for the second pass only", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "artifact");
      const write = (text: string) => (): void => writeFileSync(path, text);
      write("version A")();
      const signal = atPass(2, write("version B"), write("version A"));
      // Not `internal_error`: the nonce of A must not be used for B at all, not even in a result that is thrown away.
      expect((await refusalOfAsync(() => signFile(key, path, signal))).code).toBe("file_changed");
    });
  });

  test("the passes are three: what happens afterwards is not seen", async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "artifact");
      writeFileSync(path, "version A");
      let happened = false;
      const made = await signFile(
        key,
        path,
        atPass(4, () => (happened = true)),
      );
      expect(happened).toBe(false);
      expect(verify(made.signature, Buffer.from("version A"), key.publicKey.bytes)).toBe(true);
    });
  });
});

describe("a faulty signature never leaves", () => {
  const faults: [string, () => Disposable[]][] = [
    [
      "that only the streaming verifier sees",
      () => [
        spyOn(ed25519, "responseTo").mockImplementation(() => new Uint8Array(32)),
        spyOn(ed25519, "verifyNatively").mockImplementation(() => true),
      ],
    ],
    [
      "that only the runtime's verifier sees",
      () => [spyOn(ed25519, "verifyNatively").mockImplementation(() => false)],
    ],
  ];
  test.each(faults)("%s", async (_what, spoil) => {
    await inFolder(async (folder) => {
      const path = join(folder, "artifact");
      writeFileSync(path, "bytes");
      const spoilt = spoil();
      try {
        expect((await refusalOfAsync(() => signFile(key, path, calm))).code).toBe("internal_error");
      } finally {
        for (const one of spoilt) one[Symbol.dispose]();
      }
      expect((await signFile(key, path, calm)).size).toBe(5);
    });
  });
});

test("what cannot be signed", async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, "folder"));
    expect((await refusalOfAsync(() => signFile(key, join(folder, "none"), calm))).code).toBe(
      "path_not_found",
    );
    const refusal = await refusalOfAsync(() => signFile(key, join(folder, "folder"), calm));
    expect([refusal.code, refusal.message.endsWith("is not a regular file")]).toEqual([
      "file_unreadable",
      true,
    ]);
    writeFileSync(join(folder, "file"), "x");
    const stopped = AbortSignal.abort("SIGINT");
    expect((await refusalOfAsync(() => signFile(key, join(folder, "file"), stopped))).code).toBe(
      "interrupted",
    );
  });
});
