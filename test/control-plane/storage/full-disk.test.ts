import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { sha256Of } from "../../../src/base/hashing.ts";
import { CAN_MOUNT } from "../../context/support/scratch.ts";
import { jsonOf, runWaybill } from "../../support/binary.ts";
import { startControlPlane, type ControlPlaneProcess } from "../../support/control-plane.ts";
import { pointsOf } from "../../support/points.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { pinned, promote } from "../served.ts";

/**
 * The data folder is on a disk of a few hundred kilobytes, and is written to until nothing fits. What was acknowledged
 * is there, reads go on, and with more room writes go on too, without a restart.
 */
const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const POINTS = pointsOf("writes to a control plane whose disk is full");
const SIZES_KB = FULL ? [400, 600, 700, 800, 900, 1000, 1200, 1600, 2400, 4000] : [1000];

/** 507: no room for the file; 503: the database takes no write now. */
const FULL_CODES: ReadonlySet<string> = new Set(["storage_full", "unavailable"]);

async function put(server: ControlPlaneProcess, token: string, bytes: string): Promise<Response> {
  return fetch(`${server.address}/v1/artifacts/${sha256Of(bytes)}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}` },
    body: bytes,
  });
}

function mount(path: string, options: string): boolean {
  return Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], { stderr: "ignore" }).success;
}

/** A server on a disk of this size, or what it ended with because it could not begin. */
async function started(data: string): Promise<ControlPlaneProcess | string> {
  try {
    return await startControlPlane({ data });
  } catch (error) {
    return String(error);
  }
}

describe.skipIf(!CAN_MOUNT)("a control plane on a disk that is full", () => {
  test.each(SIZES_KB)(
    "of %i KiB",
    async (size) => {
      using folder = temporaryFolder();
      const data = folder.at("data");
      mkdirSync(data);
      if (!mount(data, `mode=0700,size=${size}k`)) throw new Error("mount failed");
      try {
        const server = await started(data);
        if (typeof server === "string") {
          // Too small for an empty database: told, with a code that says so.
          await POINTS.try(async () => expect(server).toMatch(/"code":"(?:no_space|data_dir_invalid)"/u));
          return;
        }
        await fill(server, data);
      } finally {
        Bun.spawnSync(["umount", "-l", data]);
      }
    },
    120_000,
  );
});

async function fill(server: ControlPlaneProcess, data: string): Promise<void> {
  let token = "";
  let auditor = "";
  try {
    token = await server.token(["admin"]);
    auditor = await server.token(["audit:read"]);
  } catch (error) {
    await POINTS.try(async () => expect(String(error)).toMatch(/no space|full|cannot/u));
    await server.stop();
    return;
  }
  const [pins, artifacts]: [string[], string[]] = [[], []];
  let refused = 0;
  for (let at = 0; refused < 25 && at < 400; at++) {
    refused += await POINTS.try(async () => {
      const isArtifact = at % 3 === 0;
      const bytes = `${at} `.repeat(8_000);
      const answer = isArtifact ? await put(server, token, bytes) : await promote(server, token, `t-${at}`);
      const body = (await answer.json()) as { code?: string };
      if (answer.ok) (isArtifact ? artifacts : pins).push(isArtifact ? bytes : `t-${at}`);
      const told = { at, status: answer.status, code: body.code };
      expect({ ...told, isKnown: answer.ok || FULL_CODES.has(body.code ?? "") }).toEqual({
        ...told,
        isKnown: true,
      });
      // Reads go on, whatever the disk is like.
      expect((await pinned(server, token)).filter((name) => pins.includes(name))).toHaveLength(pins.length);
      return answer.ok ? 0 : 1;
    });
  }
  expect(refused).toBeGreaterThan(0);
  const more = Bun.spawnSync(["mount", "-o", "remount,size=64m", data]);
  expect(more.success).toBe(true);
  const target = ["--target", `it=${server.address}`, "--allow-insecure-http"];
  await POINTS.try(async () => {
    expect((await promote(server, token, "after")).status).toBe(200);
    expect((await put(server, token, "after")).status).toBe(201);
    for (const bytes of artifacts) expect((await put(server, token, bytes)).status).toBe(200);
    const ran = await runWaybill(["verify", "audit", "--chain", ...target, "--json"], {
      env: { WAYBILL_TOKEN_IT: auditor },
    });
    expect([ran.code, jsonOf(ran)["ok"]]).toEqual([0, true]);
  });
  expect(await server.stop()).toBe(0);
  const again = await startControlPlane({ data });
  await POINTS.try(async () => {
    const there = new Set(await pinned(again, token));
    expect([...pins, "after"].filter((name) => !there.has(name))).toEqual([]);
  });
  expect(await again.stop()).toBe(0);
}
