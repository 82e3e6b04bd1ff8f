import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CAN_MAKE_CERTIFICATES, makeCertificates } from "../../support/certificates.ts";
import { startControlPlane, type ControlPlaneProcess } from "../../support/control-plane.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { AgentHost, STAYS } from "./agent-process.ts";

const MANIFEST = { health: { interval_ms: 50, window_ms: 200, stop_ms: 300, probe: { kind: "process" } } };

type Told = { platform: string; config_version: string | null; addons: Record<string, unknown>[] };

/** What the control plane says of a host, once `is` holds of its first add-on. */
async function told(
  plane: ControlPlaneProcess,
  token: string,
  is: (addon: Record<string, unknown>) => boolean,
): Promise<Told> {
  let last: unknown = null;
  for (let tries = 0; tries < 400; tries++) {
    const answer = await fetch(`${plane.address}/v1/hosts/web-1`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (answer.ok) {
      const body = (await answer.json()) as Told;
      last = body;
      if (body.addons[0] !== undefined && is(body.addons[0])) return body;
    }
    await Bun.sleep(25);
  }
  throw new Error(`never told: ${JSON.stringify(last)}`);
}

describe("what a host reports", () => {
  test("arrives at the control plane that assigned it: what it has, what it was offered, how it is", async () => {
    const plane = await startControlPlane();
    using host = new AgentHost();
    try {
      const scopes = ["addons:read", "addons:write", "hosts:report", "hosts:read"];
      const token = await plane.token(scopes);
      const publish = async (version: string, program: string, manifest: unknown): Promise<void> => {
        await host.bundle(version, program, manifest);
        const folder = join(host.home, `bundle-${version}`);
        expect(await host.publish(plane.address, token, version, folder)).toMatchObject({ code: 0 });
      };
      await publish("1", STAYS, MANIFEST);
      host.environment = { TOKEN: token };
      host.start(
        ...["--assignments", `${plane.address}/v1/addons/assignments?host=web-1`, "--allow-insecure-http"],
        ...["--token-env", "TOKEN", "--store", `${plane.address}/v1/artifacts`, "--store-token-env", "TOKEN"],
        ...["--report", plane.address, "--host", "web-1"],
      );
      const first = await told(
        plane,
        token,
        ({ state, last_known_good: good }) => state === "running" && good === "1",
      );
      expect(first).toMatchObject({
        host: "web-1",
        platform: expect.stringMatching(/^linux\//u),
        config_version: expect.stringMatching(/^v[0-9a-f]{64}$/u),
        addons: [{ addon_id: "sensor", has: { version: "1" }, offered: { version: "1" }, on_trial: false }],
      });
      // A version that fails: what it has and what it is offered are two things.
      await publish("2", "#!/bin/sh\nexit 3\n", { health: { ...MANIFEST.health, window_ms: 60_000 } });
      const back = await told(
        plane,
        token,
        ({ blocked, state }) => Array.isArray(blocked) && blocked.length === 1 && state === "running",
      );
      expect(back.addons).toMatchObject([
        { has: { version: "1" }, offered: { version: "2" }, last_known_good: "1", on_trial: false },
      ]);
      const [addon] = back.addons;
      expect(addon?.["offered"]).toMatchObject({ digest: (addon?.["blocked"] as string[] | undefined)?.[0] });
      expect(await host.stop()).toBe(0);
      expect((await told(plane, token, ({ state }) => state === "stopped")).addons).toHaveLength(1);
    } finally {
      await plane.stop();
    }
  });

  test("is not taken by a server that refuses it: that is told once, and nothing else changes", async () => {
    let asked = 0;
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        asked +=
          request.method === "PUT" && new URL(request.url).pathname === "/v1/hosts/web-1/status" ? 1 : 0;
        // One is cut off by the stop, and says nothing new.
        if (asked === 3) await new Promise(() => {});
        return new Response("no", { status: 403 });
      },
    });
    using host = new AgentHost();
    host.assign(host.program("sensor", "1", STAYS));
    host.start("--report", `http://127.0.0.1:${server.port}`, "--allow-insecure-http", "--host", "web-1");
    await host.until(({ last_known_good: good }) => good === "1" && asked > 2);
    await host.stop();
    expect(host.said.match(/the state of this host is not taken/gu)).toHaveLength(1);
  });

  test.skipIf(!CAN_MAKE_CERTIFICATES)("arrives where --cacert is what the server is trusted by", async () => {
    using folder = temporaryFolder();
    const { ca, server: tls } = makeCertificates(folder);
    writeFileSync(folder.at("trusted.pem"), ca);
    const credentials: (string | null)[] = [];
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls,
      fetch: ({ headers }) => {
        credentials.push(headers.get("authorization"));
        return new Response("{}");
      },
    });
    using host = new AgentHost();
    host.assign(host.program("sensor", "1", STAYS));
    // The list is a file, so the token is for the report.
    host.environment = { TOKEN: "wb_a-token" };
    const report = ["--report", `https://127.0.0.1:${server.port}`, "--token-env", "TOKEN"];
    host.start(...report, "--cacert", folder.at("trusted.pem"));
    await host.until(({ last_known_good: good }) => good === "1");
    expect(await host.stop()).toBe(0);
    expect(host.said).not.toContain("was not sent");
    expect(new Set(credentials)).toEqual(new Set(["Bearer wb_a-token"]));
  });
});
