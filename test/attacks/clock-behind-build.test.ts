/** A clock that was set back makes all valid again that has run out: expired certificates, keys, policies. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonOf, runProgram } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const DIGEST = `sha256:${"a".repeat(64)}`;
/** The key of RFC 8032 §7.1, TEST 1. */
const KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const PIN = ["--template", "codex", "--digest", DIGEST];

/** The program as if it had been built then. */
function builtAt(instant: string): readonly string[] {
  return [process.execPath, "--define", `WAYBILL_BUILT_AT="${instant}"`, MAIN];
}
const TOMORROW = builtAt(new Date(Date.now() + 86_400_000).toISOString());
const YESTERDAY = builtAt(new Date(Date.now() - 86_400_000).toISOString());

describe("with a clock before the build nothing is judged, and nothing is sent", () => {
  test.each(["verify pin", "promote", "verify audit"])("%s", async (command) => {
    let requests = 0;
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => {
        requests++;
        return Response.json({ pins: [{ template_name: "codex", image_digest: DIGEST }] });
      },
    });
    const place = ["--target", `prod=http://127.0.0.1:${server.port}`, "--allow-insecure-http"];
    const wanted = command === "verify audit" ? [] : PIN;
    const env = { WAYBILL_TOKEN_PROD: "a-token-for-tests" };
    const finished = await runProgram([...TOMORROW, ...command.split(" "), ...wanted, ...place, "--json"], {
      env,
    });
    expect(finished.code).toBe(2);
    expect(jsonOf(finished)["error"]).toMatchObject({ code: "clock_behind" });
    expect(requests).toBe(0);
  });

  test("evidence: an attestation, an artifact by a trust root, the keys that are valid now", async () => {
    using folder = temporaryFolder();
    const file = folder.at("file");
    writeFileSync(file, "x");
    writeFileSync(folder.at("root.json"), "{}");
    const attestation = ["verify", "attestation", file, "--subject", file, "--key", file];
    const artifact = ["verify", "artifact", file, "--signature", file, "--trust", folder.at("root.json")];
    const root = folder.at("root.json");
    const keys = [
      ["export", root, "--to", "pem", "--out", folder.path],
      ["list", root],
      // What is written into a root by such a clock is wrong on every other machine.
      ["revoke", root, "ci"],
      ["rotate", root, "ci", "--new-name", "ci-2", "--public-key", KEY],
    ].map((words) => ["key", "trust", ...words]);
    for (const words of [attestation, artifact, ...keys]) {
      const finished = await runProgram([...TOMORROW, ...words, "--json"]);
      expect(finished.code).toBe(2);
      expect(jsonOf(finished)["error"]).toMatchObject({ code: "clock_behind" });
    }
  });
});

test("with a clock after the build the same command is judged", async () => {
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => Response.json({ pins: [{ template_name: "codex", image_digest: DIGEST }] }),
  });
  const place = ["--target", `prod=http://127.0.0.1:${server.port}`, "--allow-insecure-http"];
  const env = { WAYBILL_TOKEN_PROD: "a-token-for-tests" };
  const finished = await runProgram([...YESTERDAY, "verify", "pin", ...PIN, ...place], { env });
  expect(finished).toMatchObject({ code: 0, stderr: "" });
});

test("a capture judges nothing by time, and goes on", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.at("file"), "x");
  expect((await runProgram([...TOMORROW, "capture", folder.path, "--time-budget", "10s"])).code).toBe(0);
});
