/** A run that finds everything in place: 50 add-ons, one question to the control plane. */
import { createHash, sign } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newKey } from "./harness/artifacts.ts";
import { BINARY, record, roundsOr } from "./harness/record.ts";
import { emptyProgram, inNewFolder } from "./harness/workshop.ts";

const rounds = roundsOr(15);
const STAGE = "waybill addon-stage, 50 add-ons, nothing changed";

await inNewFolder(async (folder) => {
  const at = (...names: string[]): string => join(folder, ...names);
  const key = newKey(folder);
  const secret = readFileSync(key.privateKey);
  mkdirSync(at("store"));
  const addons = Array.from({ length: 50 }, (_, index) => {
    const program = Buffer.from(`#!/bin/sh\necho ${index}\n`);
    const sha256 = createHash("sha256").update(program).digest("hex");
    writeFileSync(at("store", sha256), program);
    return {
      addon_id: `addon-${index}`,
      version: "1",
      enabled: true,
      artifact_object_key: sha256,
      artifact_sha256: sha256,
      artifact_signature: sign(null, program, secret).toString("base64"),
    };
  });
  const list = JSON.stringify({ addons });
  const asked = { whole: 0, conditional: 0, other: 0 };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/bare") return new Response(null, { status: 304 });
      if (pathname !== "/list") asked.other++;
      const known = request.headers.get("if-none-match") === '"1"';
      asked[known ? "conditional" : "whole"]++;
      const headers = { etag: '"1"' };
      return known ? new Response(null, { status: 304, headers }) : new Response(list, { headers });
    },
  });
  try {
    const url = `http://127.0.0.1:${server.port}`;
    const words = [
      ...[BINARY, "addon-stage", "--quiet", "--assignments", `${url}/list`, "--allow-insecure-http"],
      ...["--store", `file:${at("store")}`, "--key", key.base64, "--root", at("root")],
    ];
    const once = Bun.spawn(words, { stdout: "ignore", stderr: "inherit" });
    if ((await once.exited) !== 0) throw new Error("the first stage failed");
    // What was verified within a tick of the clock of its last change is verified once more.
    await Bun.sleep(2_500);
    await record("stage-unchanged", async (book) => {
      await book.compare({
        title: "Nothing changed",
        rounds,
        ways: [
          { name: STAGE, role: "ours", words },
          { name: "curl, the same question", words: ["curl", "-sf", `${url}/bare`] },
          {
            name: "at the least: an empty program of the same runtime",
            role: "limit",
            words: [emptyProgram(folder)],
          },
        ],
        goals: () => [
          { of: STAGE, mostMs: 60 },
          {
            claim: `${asked.conditional} conditional requests in ${rounds + 1} runs, and ${asked.whole - 1 + asked.other} others (wanted: one a run, and no other)`,
            holds: asked.whole === 1 && asked.other === 0 && asked.conditional === rounds + 1,
          },
        ],
      });
    });
  } finally {
    await server.stop(true);
  }
});
