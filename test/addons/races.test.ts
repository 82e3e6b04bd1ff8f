import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { acquireLock } from "../../src/host/locks.ts";
import { CLEAN_ENVIRONMENT, PROGRAM } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { Host } from "./host.ts";

const stop = new AbortController().signal;

async function codeOf(locking: Promise<unknown>): Promise<string> {
  try {
    await locking;
    return "none";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** A program that takes the lock once, says so, and stays. */
function locking(path: string): string {
  const source = join(import.meta.dir, "../../src/host/locks.ts");
  const wanted = `{ path: ${JSON.stringify(path)}, what: "it", budgetMs: 0, stop: new AbortController().signal }`;
  return `
    import { acquireLock } from ${JSON.stringify(source)};
    try {
      await acquireLock(${wanted});
      console.log("held");
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.code);
    }`;
}

describe("the lock", () => {
  test("is held by one, and free when it is released", async () => {
    using folder = temporaryFolder();
    const wanted = { path: folder.at("lock"), what: "it", budgetMs: 0, stop };
    const first = await acquireLock(wanted);
    expect(await codeOf(acquireLock(wanted))).toBe("lock_held");
    first.release();
    (await acquireLock(wanted)).release();
    expect(existsSync(folder.at("lock"))).toBe(true);
  });

  test("is waited for within the budget", async () => {
    using folder = temporaryFolder();
    const wanted = { path: folder.at("lock"), what: "it", budgetMs: 30_000, stop };
    const first = await acquireLock(wanted);
    const waiting = acquireLock(wanted);
    first.release();
    const second = await waiting;
    expect([first.waited, second.waited]).toEqual([false, true]);
    second.release();
  });

  const isFull = (process.env["WAYBILL_FULL"] ?? "") !== "" && Bun.which("strace") !== null;
  test.skipIf(!isFull)(
    "case 52: on a file that was removed meanwhile is no lock",
    async () => {
      using folder = temporaryFolder();
      const log = folder.at("log");
      const slow = [
        "strace",
        "-f",
        "-qq",
        "-o",
        log,
        "-e",
        "trace=openat,flock",
        "-e",
        "inject=flock:delay_enter=3s",
      ];
      const second = Bun.spawn([...slow, process.execPath, "-e", locking(folder.at("lock"))], {
        stdout: "pipe",
        stderr: "ignore",
      });
      while (!existsSync(log) || !readFileSync(log, "utf8").includes(folder.at("lock"))) await Bun.sleep(5);
      rmSync(folder.at("lock"));
      const first = await acquireLock({ path: folder.at("lock"), what: "it", budgetMs: 0, stop });
      expect(await second.stdout.text()).toBe("lock_held\n");
      first.release();
    },
    30_000,
  );

  test("ends with the holder, however that ends", async () => {
    using folder = temporaryFolder();
    const holder = Bun.spawn([process.execPath, "-e", locking(folder.at("lock"))], {
      stdout: "pipe",
      stderr: "inherit",
    });
    await holder.stdout.getReader().read();
    const wanted = { path: folder.at("lock"), what: "it", budgetMs: 0, stop };
    expect(await codeOf(acquireLock(wanted))).toBe("lock_held");
    holder.kill("SIGKILL");
    await holder.exited;
    (await acquireLock(wanted)).release();
  });

  test("waiting for it can be stopped", async () => {
    using folder = temporaryFolder();
    const wanted = { path: folder.at("lock"), what: "it", budgetMs: 30_000, stop };
    const first = await acquireLock(wanted);
    const stopping = new AbortController();
    const waiting = codeOf(acquireLock({ ...wanted, stop: stopping.signal }));
    stopping.abort("SIGINT");
    expect(await waiting).toBe("interrupted");
    first.release();
  });
});

describe("several runs on one root", () => {
  test("case 51: a run that finds it locked changes nothing, 11", async () => {
    using host = new Host();
    host.assign();
    await host.stage();
    host.assign(host.program("sample", "1"));
    const lock = await acquireLock({ path: join(host.root, "lock"), what: "it", budgetMs: 0, stop });
    const { exit, document } = await host.stage(["--lock-timeout", "0s"]);
    lock.release();
    expect(document.error?.code).toBe("lock_held");
    expect(exit).toBe(11);
    expect(existsSync(host.path("sample"))).toBe(false);
  });

  test("at once end well, and readers see a whole version at every moment", async () => {
    using host = new Host();
    const versions = ["1", "2"].map((version) => host.program("sample", version));
    host.assign(versions[0] ?? {});
    host.allowDowngrade("sample", "1");
    await host.stage();
    const switched = new AbortController();
    let looks = 0;
    const reader = (async () => {
      while (!switched.signal.aborted) {
        expect(readFileSync(host.path("sample/current/sample"), "utf8")).toMatch(
          /^#!\/bin\/sh\necho sample [12]\n$/u,
        );
        looks++;
        await Bun.sleep(0);
      }
    })();
    for (const entry of [versions[1], versions[0], versions[1]]) {
      host.assign(entry ?? {});
      const runs = await Promise.all(
        Array.from({ length: 3 }, () => host.stage(["--override", host.override])),
      );
      expect(runs.map((run) => run.exit)).toEqual([0, 0, 0]);
      const staged = runs.filter((run) => run.document.addons[0]?.outcome === "staged");
      expect(staged).toHaveLength(1);
    }
    switched.abort();
    await reader;
    expect(looks).toBeGreaterThan(0);
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/2");
  });

  test("nobody waits for a download, and what was decided before it does not count after it", async () => {
    using host = new Host();
    for (const version of ["1", "2"]) {
      host.assign(host.program("sample", version));
      expect((await host.stage()).exit).toBe(0);
    }
    const third = host.program("sample", "3");
    host.assign(third);
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async () => {
        asked.resolve();
        await released.promise;
        return new Response(readFileSync(join(host.store, String(third["artifact_object_key"]))));
      },
    });
    try {
      const slow = host.stage(["--store", `http://127.0.0.1:${server.port}`, "--allow-insecure-http"]);
      await asked.promise;
      const now = ["--lock-timeout", "0s"];
      expect(await host.stage(now)).toMatchObject({ exit: 11, document: { error: { code: "lock_held" } } });
      expect(await host.addon("rollback", ["sample", ...now])).toMatchObject({ exit: 0 });
      expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
      expect(await host.addon("pin", ["sample", ...now])).toMatchObject({ exit: 0 });
      expect(await host.addon("fsck", ["--repair", ...now])).toMatchObject({ exit: 0 });
      expect(await host.addon("gc", ["--keep", "9", ...now])).toMatchObject({ exit: 0 });
      released.resolve();
      const { exit, document } = await slow;
      expect(document.addons).toMatchObject([{ outcome: "unchanged", action: "hold", version: "1" }]);
      expect(exit).toBe(0);
    } finally {
      await server.stop(true);
    }
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
    expect(readdirSync(host.path("sample/versions")).toSorted()).toEqual(["1", "2"]);
    expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
    expect((await host.verify(["--key", host.publicKey])).exit).toBe(0);
  });

  test("sixteen at once, with rollbacks and pins between them: all end, and what is left is whole", async () => {
    using host = new Host();
    const entries = ["1", "2", "3"].map((version) => host.program("sample", version));
    for (const entry of entries) {
      host.assign(entry);
      expect((await host.stage()).exit).toBe(0);
    }
    const runs = Array.from({ length: 16 }, async (_, index) => {
      if (index % 4 === 1) return (await host.addon("rollback", ["sample"])).exit;
      if (index % 4 === 2) return (await host.addon("pin", ["sample"])).exit;
      if (index % 4 === 3) return (await host.addon("unpin", ["sample"])).exit;
      return (await host.stage()).exit;
    });
    // 7: a rollback that finds nothing left to go back to; 3: a run whose version was rolled back from.
    for (const exit of await Promise.all(runs)) expect([0, 3, 5, 7]).toContain(exit);
    expect((await host.verify(["--key", host.publicKey])).exit).toBe(0);
    expect((await host.addon("fsck", [])).exit).toBe(0);
  });

  test("case 19: a run that is asked to stop leaves nothing half and the lock free", async () => {
    using host = new Host();
    const asked = Promise.withResolvers<void>();
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => {
        asked.resolve();
        return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
      },
    });
    try {
      host.assign(host.program("sample", "1"));
      await host.stage();
      host.assign(host.program("sample", "2"));
      const flags = ["--store", `http://127.0.0.1:${server.port}`, "--allow-insecure-http"];
      const child = Bun.spawn([...PROGRAM, ...host.arguments(flags)], {
        env: { ...CLEAN_ENVIRONMENT },
        stdout: "pipe",
        stderr: "pipe",
      });
      await asked.promise;
      child.kill("SIGTERM");
      expect(await child.exited).toBe(143);
      expect(JSON.parse(await child.stdout.text())).toMatchObject({
        ok: false,
        error: { code: "terminated" },
      });
      expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
      expect((await host.stage(["--lock-timeout", "0s"])).exit).toBe(0);
    } finally {
      await server.stop(true);
    }
  });
});
