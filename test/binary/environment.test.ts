import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, jsonOf, runProgram, runWaybill } from "../support/binary.ts";
import { rawServer } from "../support/raw-server.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const PAGE = readFileSync(join(import.meta.dir, "../../docs/security.md"), "utf8");

/** Variables of the runtime and its parts, with the values that would hurt most. docs/security.md names each. */
const HARMLESS: [string, Record<string, string>][] = [
  ["options of Node", { NODE_OPTIONS: "--require ./trap.js --inspect=127.0.0.1:0", NODE_PATH: "." }],
  ["debug output", { NODE_DEBUG: "fs,http", DEBUG: "*", BUN_DEBUG: "bun.log", BUN_DEBUG_ALL: "1" }],
  ["coverage and profiles", { NODE_V8_COVERAGE: "coverage", BUN_CPU_PROFILE: "1", BUN_HEAP_PROFILE: "1" }],
  ["a cache of compiled code", { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "." }],
  ["a configuration of the engine", { BUN_JSC_configFile: "jsc.cfg" }],
  ["an installation of Bun", { BUN_INSTALL: ".", BUN_INSTALL_CACHE_DIR: ".", BUN_TMPDIR: "." }],
  ["preloads", { BUN_PRELOAD: "./trap.js", BUN_PLUGIN_NAME: "./trap.js" }],
  [
    "a place for crash reports",
    { BUN_CRASH_REPORT_URL: "http://127.0.0.1:1/", BUN_ENABLE_CRASH_REPORTING: "1" },
  ],
  ["a port and a host", { BUN_PORT: "1", PORT: "1", NODE_PORT: "1", HOST: "0.0.0.0" }],
  ["verbose requests", { BUN_CONFIG_VERBOSE_FETCH: "curl" }],
  ["colours", { FORCE_COLOR: "3", CLICOLOR_FORCE: "1" }],
  [
    "files for others to read",
    {
      NODE_COMPILE_CACHE: "cache",
      NODE_REDIRECT_WARNINGS: "warnings",
      JSC_PROFILER_PATH: "profile",
      BUN_TRACE: "trace",
      BUN_WATCHER_TRACE: "watched",
    },
  ],
  ["options of the C compiler that is in the runtime", { BUN_TCC_OPTIONS: "-include ./trap.js" }],
  ["a channel to a parent", { NODE_CHANNEL_FD: "0", NODE_UNIQUE_ID: "1", BUN_INTERNAL_BAKE_RESTART: "1" }],
];

/** They speak on standard error, and only there. */
const NOISY: [string, Record<string, string>][] = [
  ["options of the engine", { BUN_JSC_dumpOptions: "2" }],
  ["the collector", { BUN_JSC_logGC: "2" }],
  ["the allocator", { MIMALLOC_VERBOSE: "1", MIMALLOC_SHOW_STATS: "1" }],
];

describe.skipIf(BINARY === null)("variables of the runtime (needs the compiled binary)", () => {
  test.each(HARMLESS)("%s change nothing", async (_what, env) => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("trap.js"), 'require("node:fs").writeFileSync("owned", "");');
    writeFileSync(folder.at("jsc.cfg"), "jscOptions {\n dumpOptions = 2\n}\n");
    const before = readdirSync(folder.path);
    const finished = await runWaybill(["version", "--json"], { cwd: folder.path, env });
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    expect(jsonOf(finished)["ok"]).toBe(true);
    expect(readdirSync(folder.path)).toEqual(before);
    for (const name of Object.keys(env)) expect(PAGE).toContain(`\`${name}\``);
  });

  test.each(NOISY)("%s speak on standard error alone", async (_what, env) => {
    const finished = await runWaybill(["version", "--json"], { env });
    expect(finished.code).toBe(0);
    expect(jsonOf(finished)["ok"]).toBe(true);
    expect(PAGE).toContain(`\`${Object.keys(env)[0]?.replace(/_[^_]+$/u, "_")}`);
  });

  test.each(["BUN_INSPECT_CONNECT_TO", "BUN_INSPECT_NOTIFY"])("%s makes no connection", async (name) => {
    let connections = 0;
    await using server = await rawServer(() => void connections++);
    for (const value of [`127.0.0.1:${server.url.port}`, `ws://127.0.0.1:${server.url.port}/x`]) {
      const finished = await runWaybill(["version", "--json"], { env: { [name]: value } });
      expect(finished.stdout === "" || jsonOf(finished)["ok"]).toBe(
        finished.stdout === "" ? true : finished.code === 0,
      );
    }
    expect(connections).toBe(0);
  });

  test("a request shows no credential, whatever the runtime is told to print", async () => {
    await using server = await rawServer(() => {});
    const token = "token-that-nobody-may-see";
    const env = {
      WAYBILL_TOKEN_PROD: token,
      BUN_CONFIG_VERBOSE_FETCH: "curl",
      NODE_DEBUG: "http",
      DEBUG: "*",
    };
    const place = [
      "--target",
      `prod=http://127.0.0.1:${server.url.port}`,
      "--allow-insecure-http",
      "--attempt-timeout",
      "1s",
      "--timeout",
      "1s",
    ];
    const pin = ["--template", "codex", "--digest", `sha256:${"a".repeat(64)}`];
    const finished = await runWaybill(["verify", "pin", ...pin, ...place, "--json", "--verbose"], { env });
    expect(finished.code).not.toBe(0);
    expect(jsonOf(finished)["ok"]).toBe(false);
    expect(finished.stdout + finished.stderr).not.toContain(token);
    expect(finished.stderr).not.toMatch(/curl|authorization/iu);
  });

  // Facts about doors that cannot be shut: each is on the page, and noticed here when a runtime shuts it.
  test("BUN_BYTECODE_ORDER_OUT has the runtime write a file", async () => {
    using folder = temporaryFolder();
    const finished = await runWaybill(["version"], {
      cwd: folder.path,
      env: { BUN_BYTECODE_ORDER_OUT: "order" },
    });
    expect(finished.code).toBe(0);
    expect(existsSync(folder.at("order"))).toBe(true);
    expect(PAGE).toContain("`BUN_BYTECODE_ORDER_OUT`");
  });

  const preloadable = [...new Bun.Glob("*/libpcprofile.so").scanSync({ cwd: "/usr/lib", absolute: true })][0];
  test.skipIf(preloadable === undefined).each(["LD_PRELOAD", "LD_AUDIT"])(
    "%s runs foreign code in the process; doctor names it (needs a library of glibc)",
    async (name) => {
      using folder = temporaryFolder();
      // This library of glibc opens a file as soon as it is loaded.
      const env = { [name]: preloadable ?? "", PCPROFILE_OUTPUT: folder.at("owned") };
      const finished = await runWaybill(["doctor", "--json"], { env });
      expect(finished.code).toBe(0);
      expect(existsSync(folder.at("owned"))).toBe(true);
      expect(jsonOf(finished)["findings"]).toContainEqual(
        expect.objectContaining({ name: `$${name}`, state: "limited" }),
      );
      expect(PAGE).toContain(`\`${name}\``);
    },
  );

  test.skipIf(process.platform !== "linux")(
    "LD_TRACE_LOADED_OBJECTS has the loader end with 0 in place of the program; only a document is a proof",
    async () => {
      const words = [BINARY ?? "", "verify", "pin", "--template", "x", "--json"];
      const finished = await runProgram(words, { env: { LD_TRACE_LOADED_OBJECTS: "1" } });
      expect([finished.code, finished.stdout.includes('"ok"')]).toEqual([0, false]);
      expect(PAGE).toContain("`LD_TRACE_LOADED_OBJECTS`");
      const shown = await runProgram([BINARY ?? "", "version"], { env: { LD_SHOW_AUXV: "1" } });
      expect(shown.stdout.split("\n").length).toBeGreaterThan(2);
      expect(PAGE).toContain("`LD_SHOW_AUXV`");
    },
  );

  test.each(["bun", "bunx", "node", "npx"])("called %s, it is waybill all the same", async (name) => {
    using folder = temporaryFolder();
    symlinkSync(BINARY ?? "", folder.at(name));
    const finished = await runProgram([folder.at(name), "version", "--json"], { cwd: folder.path });
    expect(finished.code).toBe(0);
    expect(jsonOf(finished)["schema"]).toBe("waybill.version/v1");
  });

  test("a folder that was removed under it does not stop it", async () => {
    using folder = temporaryFolder();
    const script = 'mkdir "$1/gone" && cd "$1/gone" && rmdir "$1/gone" && exec "$2" version --json';
    const finished = await runProgram(["sh", "-c", script, "sh", folder.path, BINARY ?? ""]);
    expect([finished.code, finished.stdout === "" ? finished.stderr : jsonOf(finished)["ok"]]).toEqual([
      0,
      true,
    ]);
  });
});

describe("docs/security.md", () => {
  const named = [
    "LD_PRELOAD",
    "BUN_BE_BUN",
    "BUN_OPTIONS",
    "BUN_INSPECT",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "PATH",
    "HTTPS_PROXY",
    ".env",
    "bunfig.toml",
    "package.json",
    "tsconfig.json",
    "node_modules",
  ];
  test.each(named)("says what %s does", (name) => {
    expect(PAGE).toContain(`\`${name}\``);
  });
});
