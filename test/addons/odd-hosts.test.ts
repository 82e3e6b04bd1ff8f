import { expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CLEAN_ENVIRONMENT, PROGRAM } from "../support/binary.ts";
import { Host, type Entry } from "./host.ts";

test("case 74: a parent that hands its group down changes no mode", async () => {
  using host = new Host();
  chmodSync(host.home, 0o2755);
  host.assign(host.program("sample", "1"));
  expect((await host.stage()).exit).toBe(0);
  for (const path of ["", "sample", "sample/versions", "sample/versions/1", "sample/versions/1/sample"]) {
    expect([path, (lstatSync(host.path(path)).mode & 0o7777).toString(8)]).toEqual([path, "755"]);
  }
});

/** What a folder gives to all that is made in it: everything to everybody. */
const EVERYBODY = Buffer.from("0200000001000700ffffffff04000700ffffffff20000700ffffffff", "hex");
const inherits = (path: string): boolean =>
  Bun.spawnSync([
    ...["python3", "-c", "import os, sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))"],
    ...[path, "system.posix_acl_default", EVERYBODY.toString("hex")],
  ]).success;
const shells: [string, string[], (host: Host) => boolean][] = [
  ["a umask of 000", ["sh", "-c", 'umask 000; exec "$@"', "sh"], () => true],
  ["a umask of 077", ["sh", "-c", 'umask 077; exec "$@"', "sh"], () => true],
  [
    "a parent whose access list lets everybody write",
    [],
    ({ home }) => process.platform === "linux" && inherits(home),
  ],
];
test.each(shells)("case 74: %s makes nothing writable, and nothing unreadable", async (_name, shell, set) => {
  using host = new Host();
  // Not every file system has access lists.
  if (!set(host)) return;
  host.assign(host.program("sample", "1"));
  const child = Bun.spawn([...shell, ...PROGRAM, ...host.arguments()], {
    ...{ cwd: host.home, env: { ...CLEAN_ENVIRONMENT } },
    ...{ stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  });
  expect(await child.exited).toBe(0);
  const made = readdirSync(host.root, { recursive: true, encoding: "utf8" });
  expect(made.length).toBeGreaterThan(10);
  for (const path of ["", ...made]) {
    const status = lstatSync(join(host.root, path));
    if (!status.isSymbolicLink()) expect([path, status.mode & 0o022]).toEqual([path, 0]);
  }
  for (const path of ["", "sample", "sample/versions", "sample/versions/1", "sample/versions/1/sample"]) {
    expect([path, (lstatSync(host.path(path)).mode & 0o7777).toString(8)]).toEqual([path, "755"]);
  }
});

const OWN_USERS = Bun.spawnSync(["unshare", "--user", "--map-root-user", "true"]).success;
test.skipIf(!OWN_USERS)("case 74: who may give files to nobody else stages and runs as ever", async () => {
  using host = new Host();
  host.assign(host.program("sample", "1"));
  for (const _outcome of ["staged", "unchanged"]) {
    const child = Bun.spawn(["unshare", "--user", "--map-root-user", ...PROGRAM, ...host.arguments()], {
      ...{ cwd: host.home, env: { ...CLEAN_ENVIRONMENT } },
      ...{ stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    });
    expect(await child.exited).toBe(0);
  }
  expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged" }]);
});

test.skipIf(process.platform !== "linux")(
  "case 57: a program that runs is made whole beside itself, and goes on",
  async () => {
    using host = new Host();
    const original = readFileSync(Bun.which("sleep") ?? "/bin/sleep");
    host.assign(host.program("sample", "1", original));
    expect((await host.stage()).exit).toBe(0);
    const path = host.path("sample/versions/1/sample");
    const running = Bun.spawn([path, "60"], { env: { ...CLEAN_ENVIRONMENT } });
    try {
      // A running program cannot be written; what it was started from can be taken away.
      expect(() => copyFileSync(host.list, path)).toThrow("ETXTBSY");
      rmSync(path);
      writeFileSync(path, "other", { mode: 0o755 });
      host.emptyStore();
      expect((await host.stage()).document.addons).toMatchObject([{ outcome: "staged", action: "repair" }]);
      expect(readFileSync(path).equals(original)).toBe(true);
      expect(running.exitCode).toBeNull();
    } finally {
      running.kill("SIGKILL");
      await running.exited;
    }
  },
);

test("case 62: a server that changes its mind at every poll costs no transfer", async () => {
  using host = new Host();
  // Names without an order, so that neither is a step back.
  const [a, b] = [host.program("sample", "red"), host.program("sample", "blue")];
  for (const entry of [a, b]) {
    host.assign(entry);
    expect((await host.stage()).exit).toBe(0);
  }
  host.emptyStore();
  for (const entry of [a, b, a, b]) {
    host.assign(entry);
    expect(await host.stage()).toMatchObject({ exit: 0, document: { addons: [{ action: "activate" }] } });
  }
});

test("case 92: fifty add-ons come a few at a time, and one that stalls holds up nobody", async () => {
  using host = new Host();
  const entries = Array.from({ length: 50 }, (_, index): Entry => host.program(`addon-${index}`, "1"));
  host.assign(...entries);
  const stalled = String(entries[7]?.["artifact_object_key"]);
  let [now, most, done] = [0, 0, 0];
  const others = Promise.withResolvers<void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const key = new URL(request.url).pathname.slice(1);
      most = Math.max(most, ++now);
      const bytes = await Bun.file(join(host.store, key)).bytes();
      // Until all the others have come, it does not end.
      if (key === stalled) await others.promise;
      else if (++done === 49) others.resolve();
      now--;
      return key === stalled ? new Response("", { status: 404 }) : new Response(bytes);
    },
  });
  try {
    const flags = ["--store", `http://127.0.0.1:${server.port}`, "--allow-insecure-http"];
    const { exit, document } = await host.stage(flags);
    expect(exit).toBe(3);
    expect(document.addons.filter(({ outcome }) => outcome === "staged")).toHaveLength(49);
    expect(document.addons[7]).toMatchObject({ outcome: "skipped", error: { code: "not_found" } });
    expect(most).toBeLessThanOrEqual(4);
  } finally {
    await server.stop(true);
  }
});

test("case 58: a run says which state of the list it obeyed", async () => {
  using host = new Host();
  mkdirSync(host.root);
  const entry = host.program("sample", "1");
  writeFileSync(host.list, JSON.stringify({ addons: [entry], config_version: "v7" }));
  expect((await host.stage()).document).toMatchObject({ config_version: "v7" });
  host.assign(entry);
  expect((await host.stage()).document).toMatchObject({ config_version: null });
});

const IMMUTABLE = process.platform === "linux" && process.getuid?.() === 0 && Bun.which("chattr") !== null;
test.skipIf(!IMMUTABLE)(
  "case 74: a folder that nobody may change is told, and what runs goes on",
  async () => {
    using host = new Host();
    const [one, two] = [host.program("sample", "1"), host.program("sample", "2")];
    host.assign(one);
    expect((await host.stage()).exit).toBe(0);
    const chattr = (flag: string): boolean =>
      Bun.spawnSync(["chattr", flag, host.path("sample/versions")]).success;
    // Not every file system has the flag.
    if (!chattr("+i")) return;
    try {
      host.assign(two);
      expect(await host.stage()).toMatchObject({
        exit: 3,
        document: { addons: [{ outcome: "kept_last_known_good", error: { code: "storage_failed" } }] },
      });
    } finally {
      chattr("-i");
    }
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "staged", version: "2" }]);
  },
);

test("case 55: the path of a program is its own, and never one through current", async () => {
  using host = new Host();
  for (const version of ["1", "2"]) {
    host.assign(host.program("sample", version));
    for (const outcome of ["staged", "unchanged"]) {
      expect((await host.stage()).document.addons).toMatchObject([
        { outcome, binary_path: host.path("sample/versions", version, "sample") },
      ]);
    }
  }
});

test("case 59: what was disabled while it came is not asked for, and goes on from there when it is enabled", async () => {
  using host = new Host();
  const entry = host.program("sample", "1", `#!/bin/sh\n${"# padding\n".repeat(60_000)}`);
  const bytes = readFileSync(join(host.store, String(entry["artifact_object_key"])));
  const ranges: (string | null)[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const range = request.headers.get("range");
      ranges.push(range);
      const headers = { etag: '"one"', "content-length": String(bytes.length) };
      if (range === null) {
        const body = new ReadableStream({
          start: (controller) => {
            controller.enqueue(bytes.subarray(0, 400_000));
          },
        });
        return new Response(body, { headers });
      }
      const from = Number(/^bytes=(\d+)-$/u.exec(range)?.[1]);
      return new Response(bytes.subarray(from), {
        status: 206,
        headers: { etag: '"one"', "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` },
      });
    },
  });
  try {
    const flags = ["--store", `http://127.0.0.1:${server.port}`, "--allow-insecure-http"];
    host.assign(entry);
    const child = Bun.spawn([...PROGRAM, ...host.arguments(flags)], {
      env: { ...CLEAN_ENVIRONMENT },
      stdout: "ignore",
      stderr: "ignore",
    });
    const part = join(host.root, "tmp", `sample.${String(entry["artifact_sha256"])}.part`);
    while ((statSync(part, { throwIfNoEntry: false })?.size ?? 0) < 400_000) await Bun.sleep(5);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(143);
    host.assign({ ...entry, enabled: false });
    expect((await host.stage(flags)).document.addons).toMatchObject([{ outcome: "disabled" }]);
    expect(ranges).toEqual([null]);
    host.assign(entry);
    expect((await host.stage(flags)).document.addons).toMatchObject([{ outcome: "staged" }]);
    expect(ranges).toHaveLength(2);
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/u);
  } finally {
    await server.stop(true);
  }
});

test.each([
  ["is not there", (): unknown => null],
  ["is a folder", (path: string): unknown => mkdirSync(path)],
  ["is not executable", (path: string): unknown => writeFileSync(path, "#!/bin/sh\n", { mode: 0o644 })],
])(
  "case 69: an override whose binary_path %s is told, and nothing is run in its place",
  async (_name, make) => {
    using host = new Host();
    const path = join(host.home, "dev-build");
    make(path);
    host.assign();
    const local = { addons: [{ addon_id: "sample", binary_path: path }] };
    writeFileSync(host.override, JSON.stringify(local));
    const { exit, document } = await host.stage(["--override", host.override]);
    expect(document.addons).toMatchObject([
      { outcome: "skipped", binary_path: null, error: { code: "binary_missing" } },
    ]);
    expect(exit).toBe(7);
  },
);
