/** A run that finds everything in place: 50 add-ons, one question to the control plane. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measure, report } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? "15");
const binary = process.env["WAYBILL_BINARY"] ?? "dist/waybill";
const folder = mkdtempSync(join(tmpdir(), "waybill-bench-"));
const at = (...names: string[]): string => join(folder, ...names);
const GOAL_MS = 60;

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
mkdirSync(at("store"));
const addons = Array.from({ length: 50 }, (_, index) => {
  const program = Buffer.from(`#!/bin/sh\necho ${index}\n`);
  const sha256 = createHash("sha256").update(program).digest("hex");
  writeFileSync(at("store", sha256), program);
  const signature = sign(null, program, privateKey).toString("base64");
  return {
    addon_id: `addon-${index}`,
    version: "1",
    enabled: true,
    artifact_object_key: sha256,
    artifact_sha256: sha256,
    artifact_signature: signature,
  };
});
const list = JSON.stringify({ addons });
const asked = { whole: 0, conditional: 0, other: 0 };
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request) => {
    if (new URL(request.url).pathname !== "/list") asked.other++;
    const known = request.headers.get("if-none-match") === '"1"';
    asked[known ? "conditional" : "whole"]++;
    const headers = { etag: '"1"' };
    return known ? new Response(null, { status: 304, headers }) : new Response(list, { headers });
  },
});
try {
  const words = [
    binary,
    "addon-stage",
    "--quiet",
    ...["--assignments", `http://127.0.0.1:${server.port}/list`, "--allow-insecure-http"],
    ...["--store", `file:${at("store")}`, "--key", key, "--root", at("root")],
  ];
  const once = Bun.spawn(words, { stdout: "ignore", stderr: "inherit" });
  if ((await once.exited) !== 0) throw new Error("the first stage failed");
  // What was verified within a tick of the clock of its last change is verified once more.
  await Bun.sleep(2_500);
  const name = "waybill addon-stage, 50 add-ons, nothing changed";
  const measured = await measure([{ name, words }], rounds);
  report(`an unchanged run, ${rounds} rounds`, measured, []);
  const median = measured[0]?.median ?? Number.NaN;
  const quiet = asked.whole === 1 && asked.other === 0 && asked.conditional === rounds + 1;
  console.log(`- ${median.toFixed(0)} ms (wanted ≤ ${GOAL_MS} ms): ${median <= GOAL_MS ? "met" : "MISSED"}`);
  console.log(`- one conditional GET a run and nothing else: ${quiet ? "met" : "MISSED"}\n`);
  process.exitCode = median <= GOAL_MS && quiet ? 0 : 1;
} finally {
  await server.stop(true);
  rmSync(folder, { recursive: true, force: true });
}
