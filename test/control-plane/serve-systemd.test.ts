import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, type Finished } from "../support/binary.ts";
import { makeCertificates } from "../support/certificates.ts";
import { HAS_SYSTEMD, startSystemdLab, type SystemdLab } from "../support/systemd-lab.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "" && HAS_SYSTEMD && BINARY !== null;
const SERVICE = "waybill-control-plane.service";
const SOCKET = "waybill-control-plane.socket";

setDefaultTimeout(180_000);

/** The files that docs/serve.md tells people to write, by their names. */
function documented(): Map<string, string> {
  const text = readFileSync(join(import.meta.dir, "../../docs/serve.md"), "utf8");
  const blocks = text.matchAll(/```ini\n# \/etc\/systemd\/system\/([\w.-]+)[^\n]*\n([^]*?)```/gu);
  return new Map([...blocks].map(([, name = "", unit = ""]) => [name, unit]));
}

describe.skipIf(!FULL)("the units of docs/serve.md", () => {
  let lab: SystemdLab;
  let folder: TemporaryFolder;
  const systemctl = (...args: string[]): Promise<Finished> => lab.run("/bin/systemctl", ...args);
  const shell = (script: string): Promise<Finished> => lab.run("/bin/sh", "-ec", script);
  const configure = (settings: object): Promise<Finished> => {
    writeFileSync(join(lab.shared, "serve.json"), JSON.stringify(settings));
    return shell("install -D -m 0644 /lab/serve.json /etc/waybill/serve.json");
  };
  const ask = (path: string): Promise<Finished> =>
    shell(`curl --silent --show-error --cacert /lab/ca.pem https://127.0.0.1:7070${path}`);
  async function pair(name: "server" | "foreign"): Promise<void> {
    const { cert, key } = certificates[name];
    writeFileSync(join(lab.shared, "server.pem"), cert);
    writeFileSync(join(lab.shared, "server.key"), key);
    await shell(
      "install -m 0644 /lab/server.pem /etc/waybill/; install -m 0640 -g waybill /lab/server.key /etc/waybill/",
    );
  }
  let certificates: ReturnType<typeof makeCertificates>;

  beforeAll(async () => {
    lab = await startSystemdLab();
    folder = temporaryFolder();
    certificates = makeCertificates(folder);
    copyFileSync(BINARY ?? "", join(lab.shared, "waybill"));
    writeFileSync(join(lab.shared, "ca.pem"), certificates.ca);
    for (const [name, unit] of documented()) writeFileSync(join(lab.shared, name), unit);
    await shell(
      `useradd --system --no-create-home waybill; mkdir -p /etc/waybill
       install -m 0755 /lab/waybill /usr/bin/waybill; install -m 0644 /lab/${SERVICE} /lab/${SOCKET} /etc/systemd/system/`,
    );
    await pair("server");
    await systemctl("daemon-reload");
  });
  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const SETTINGS = {
    data: "/var/lib/waybill/control-plane",
    tls_cert: "server.pem",
    tls_key: "server.key",
    access_log: "/var/log/waybill/access.jsonl",
  };
  async function until(what: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (await what()) return;
      await Bun.sleep(100);
    }
    throw new Error(`it did not come to pass: ${(await systemctl("status", SERVICE)).stdout}`);
  }

  test("are what systemd takes, and leave the server little to do harm with", async () => {
    const verified = await lab.run("/bin/systemd-analyze", "verify", SERVICE, SOCKET);
    expect([verified.code, verified.stderr]).toEqual([0, ""]);
    const judged = await lab.run("/bin/systemd-analyze", "security", "--threshold=20", SERVICE);
    expect([judged.code, judged.stdout.split("\n").at(-2)]).toEqual([0, expect.stringContaining("OK")]);
  });

  test("run the server, which takes a new certificate on reload and ends well", async () => {
    await configure({ ...SETTINGS, listen: "127.0.0.1:7070" });
    expect((await systemctl("start", SERVICE)).code).toBe(0);
    await until(async () => (await ask("/readyz")).stdout === '{"ok":true}\n');
    await pair("foreign");
    expect((await systemctl("reload", SERVICE)).code).toBe(0);
    // A name that is not ours: curl's 60.
    await until(async () => (await ask("/healthz")).code === 60);
    await systemctl("stop", SERVICE);
    expect(await lab.show(SERVICE, "Result")).toBe("success");
    expect(await lab.show(SERVICE, "ExecMainStatus")).toBe("0");
    expect((await shell("stat -c '%a %U' /var/lib/waybill/control-plane")).stdout).toBe("700 waybill\n");
    expect((await shell("head -n 1 /var/log/waybill/access.jsonl")).stdout).toContain('"path":"/readyz"');
  });

  test("keep a reload that comes with the start, and leave the server to it", async () => {
    await configure({ ...SETTINGS, listen: "127.0.0.1:7070" });
    await pair("server");
    for (let round = 0; round < 5; round++) {
      const both = `systemctl start --no-block ${SERVICE}; systemctl reload ${SERVICE}`;
      expect((await shell(both)).code).toBe(0);
      // Whoever was told that it reloaded may connect.
      expect((await ask("/healthz")).stdout).toBe('{"ok":true}\n');
      expect([await lab.show(SERVICE, "SubState"), await lab.show(SERVICE, "NRestarts")]).toEqual([
        "running",
        "0",
      ]);
      await systemctl("stop", SERVICE);
      expect(await lab.show(SERVICE, "Result")).toBe("success");
    }
  });

  test("start it with the first connection, keep the socket over a restart, and drain it", async () => {
    await configure({ ...SETTINGS, listen: "systemd" });
    await pair("server");
    expect((await systemctl("start", SOCKET)).code).toBe(0);
    expect(await lab.show(SERVICE, "ActiveState")).toBe("inactive");
    expect((await ask("/readyz")).stdout).toBe('{"ok":true}\n');
    expect(await lab.show(SERVICE, "ActiveState")).toBe("active");
    await pair("foreign");
    await systemctl("reload", SERVICE);
    await until(async () => (await ask("/healthz")).code === 60);
    await pair("server");
    // An upload that is under way when the server is told to stop, and a caller while nobody is there.
    const put = `head -c 3000000 /dev/zero > /tmp/a; sha=$(sha256sum /tmp/a | cut -d' ' -f1)
      token=$(waybill token new --data /var/lib/waybill/control-plane --scope admin --quiet)
      curl -s -o /dev/null -w '%{http_code}' --cacert /lab/ca.pem --limit-rate 1500000 -T /tmp/a \
        -H "Authorization: Bearer $token" -H Expect: https://127.0.0.1:7070/v1/artifacts/$sha`;
    await systemctl("restart", SERVICE);
    await ask("/readyz");
    const upload = shell(put);
    await until(async () => (await shell("ls /var/lib/waybill/control-plane/incoming")).stdout !== "s\n");
    const restarted = systemctl("restart", SERVICE);
    expect((await ask("/healthz")).stdout).toBe('{"ok":true}\n');
    expect((await restarted).code).toBe(0);
    expect((await upload).stdout).toMatch(/^20[01]$/u);
    await systemctl("stop", SOCKET, SERVICE);
    expect(await lab.show(SERVICE, "Result")).toBe("success");
  });
});
