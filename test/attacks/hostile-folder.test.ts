import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { BINARY, runProgram, runWaybill, type Finished } from "../support/binary.ts";
import { rawServer } from "../support/raw-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

/** What a stranger's checkout may hold to get hold of a program that runs inside it. */
function layTraps(folder: TemporaryFolder): void {
  const mark = `require("node:fs").writeFileSync(${JSON.stringify(folder.at("owned"))}, "owned");`;
  const dotenv =
    "WAYBILL_CONFIG=/nonexistent/trap.toml\nNODE_TLS_REJECT_UNAUTHORIZED=0\nTRAP_TOKEN=trapped-token\nGITHUB_ACTIONS=true\n";
  const dataUrl = `data:text/javascript,${encodeURIComponent(mark)}`;
  const traps: Record<string, string> = {
    ".env": dotenv,
    ".env.local": dotenv,
    ".env.production": dotenv,
    ".env.production.local": dotenv,
    ".env.development": dotenv,
    ".env.test": dotenv,
    "bunfig.toml": `preload = ["./trap.js", ${JSON.stringify(dataUrl)}]\n[run]\npreload = ["./trap.js"]\n`,
    ".bunfig.toml": `preload = ["./trap.js"]\n`,
    // The one file that a run below names itself.
    "named.token": "token-of-prod\n",
    "trap.js": mark,
    "trap.ts": mark,
    "package.json": `{"name":"trap","type":"module","main":"trap.js","imports":{"#x":"./trap.js"}}`,
    "tsconfig.json": `{"compilerOptions":{"paths":{"consola":["./trap.js"],"citty":["./trap.js"]}}}`,
    "jsconfig.json": `{"compilerOptions":{"paths":{"consola":["./trap.js"]}}}`,
    "waybill.toml": "trap = true\n",
    "waybill.json": `{"trap":true}`,
    ".npmrc": "registry=http://127.0.0.1:1/\n",
    "node_modules/citty/package.json": `{"name":"citty","main":"index.js"}`,
    "node_modules/citty/index.js": mark,
    "node_modules/consola/package.json": `{"name":"consola","main":"index.js"}`,
    "node_modules/consola/index.js": mark,
    "node_modules/@noble/hashes/sha2.js": mark,
  };
  for (const [name, content] of Object.entries(traps)) {
    mkdirSync(dirname(folder.at(name)), { recursive: true });
    writeFileSync(folder.at(name), content);
  }
}

/** Runs that touch every lazy part: help (citty), speech (consola), keys (noble). */
const RUNS: [string, string[], number][] = [
  ["version", ["version", "--json"], 0],
  ["help", ["--help"], 0],
  ["a usage error", ["version", "--bogus"], 2],
  [
    "a pin that cannot be read",
    [
      ...["verify", "pin", "--template", "codex", "--digest", `sha256:${"a".repeat(64)}`],
      ...["--target", "prod=http://127.0.0.1:1", "--allow-insecure-http", "--token-file", "prod=named.token"],
    ],
    12,
  ],
  ["a key", ["key", "new", "--out", "made.key", "--json"], 0],
];

const HOSTILE: Record<string, string> = {
  NODE_OPTIONS: "--require ./trap.js --inspect=127.0.0.1:0",
  NODE_PATH: "./node_modules",
  BUN_CONFIG_VERBOSE_FETCH: "curl",
  BUN_PRELOAD: "./trap.js",
  BUN_CONFIG_REGISTRY: "http://127.0.0.1:1/",
  BUN_INSTALL: "./node_modules",
  XDG_CONFIG_HOME: ".",
  TS_NODE_PROJECT: "./tsconfig.json",
};

describe.skipIf(BINARY === null)("in a hostile folder (needs the compiled binary)", () => {
  for (const [env, variables] of [
    ["an ordinary environment", {}],
    ["a hostile environment", HOSTILE],
  ] as const) {
    test.each(RUNS)(`%s runs nothing of it, in ${env}`, async (_what, args, code) => {
      using folder = temporaryFolder();
      layTraps(folder);
      const finished = await runWaybill(args, { cwd: folder.path, env: { ...variables, HOME: folder.path } });
      expect(finished.code).toBe(code);
      expect(finished.stdout + finished.stderr).not.toMatch(/trap|::error|curl|Bun v|inspect/iu);
      expect(existsSync(folder.at("owned"))).toBe(false);
    });
  }

  test("does not take variables from it", async () => {
    using folder = temporaryFolder();
    layTraps(folder);
    // `--key-env` names a variable that only the folder's .env files define.
    const args = ["sign", "trap.js", "--format", "raw", "--key-env", "TRAP_TOKEN", "--json"];
    const finished = await runWaybill(args, { cwd: folder.path });
    expect(finished.code).toBe(4);
    expect(finished.stdout).toContain('"code":"credential_missing"');
  });

  test.skipIf(Bun.which("strace") === null)("opens no file of it (needs strace)", async () => {
    using folder = temporaryFolder();
    layTraps(folder);
    const log = folder.at("strace.log");
    for (const [, args] of RUNS.slice(0, 3)) {
      const words = ["strace", "-f", "-qq", "-e", "trace=%file", "-o", log, BINARY ?? "", ...args];
      await runProgram(words, { cwd: folder.path, env: { ...HOSTILE, HOME: folder.path } });
      const touched = readFileSync(log, "utf8")
        .split("\n")
        // The program may ask which folder it is in; it may not look at a name inside.
        .filter((line) => /"(?:\.\/|[^/"]+")/u.test(line) || line.includes(`${folder.path}/`))
        .filter((line) => !line.includes(" execve("));
      expect(readFileSync(log, "utf8")).toContain("openat");
      expect(touched).toEqual([]);
    }
  });
});

describe.skipIf(BINARY === null)("options of the runtime (needs the compiled binary)", () => {
  const refused: [string, Record<string, string>][] = [
    ["a preload", { BUN_OPTIONS: "--preload ./trap.js" }],
    [
      "a preload in a data: URL",
      { BUN_OPTIONS: "--preload data:text/javascript,require(%22fs%22).writeFileSync(%22owned%22,%22x%22)" },
    ],
    ["a preload of the inspector", { BUN_INSPECT_PRELOAD: "./trap.js" }],
    ["a configuration file", { BUN_OPTIONS: "--config=bunfig.toml" }],
    ["an evaluated text", { BUN_OPTIONS: "--eval console.log(1)" }],
    // The runtime writes it all the same, before anything of ours runs: whoever sets this variable of a process can
    // read the others too.
    ["a profile", { BUN_OPTIONS: "--heap-prof" }],
    ["the inspector, by option", { BUN_OPTIONS: "--inspect=127.0.0.1:0" }],
    ["an option that does nothing", { BUN_OPTIONS: "--smol" }],
  ];
  test.each(refused)("%s", async (_what, env) => {
    using folder = temporaryFolder();
    layTraps(folder);
    const finished = await runWaybill(["version", "--json"], { cwd: folder.path, env });
    expect(finished.code).not.toBe(0);
    expect(finished.stdout).not.toContain('"ok":true');
    expect(existsSync(folder.at("owned"))).toBe(false);
  });

  test("are refused in a document, where the program still comes to speak", async () => {
    const finished = await runWaybill(["version", "--json"], { env: { BUN_OPTIONS: "--smol" } });
    expect(finished.code).toBe(2);
    expect(JSON.parse(finished.stdout)).toMatchObject({
      schema: "waybill.error/v1",
      ok: false,
      exit_code: 2,
      error: { code: "runtime_tampered", hint: "unset BUN_OPTIONS and run again" },
    });
  });

  test("the inspector opens no port and is refused", async () => {
    // A port that is known to be free a moment ago, so that a listener could be found on it.
    const port = await (async (): Promise<string> => {
      await using server = await rawServer(() => {});
      return server.url.port;
    })();
    const finished: Finished = await runWaybill(["version"], {
      env: { BUN_INSPECT: `ws://127.0.0.1:${port}/x` },
    });
    expect(finished.code).toBe(1);
    expect(finished.stdout).toBe("");
    expect(finished.stderr).toContain("BUN_INSPECT cannot be used");
  });

  test("on the command line are arguments like any other", async () => {
    using folder = temporaryFolder();
    layTraps(folder);
    for (const flag of [
      "--preload=./trap.js",
      "--inspect",
      "--eval=1",
      "--env-file=.env",
      "--cwd=/",
      "--smol",
    ]) {
      const finished = await runWaybill(["version", flag], { cwd: folder.path });
      expect(finished.code).toBe(2);
      expect(finished.stderr).toContain(`unknown flag "${flag.split("=")[0]}"`);
    }
    expect(existsSync(folder.at("owned"))).toBe(false);
  });

  /**
   * The one door that stays open: BUN_BE_BUN=1 makes the file behave as the runtime that is inside it, and there is
   * no switch against that. Whoever sets the environment of a process can choose its program anyway (PATH,
   * LD_PRELOAD); units and wrappers that take their environment from elsewhere have to clear it. This test notes the
   * fact, so that a runtime which closes the door is noticed.
   */
  test("BUN_BE_BUN=1 turns the program into its runtime", async () => {
    const finished = await runWaybill(["--version"], { env: { BUN_BE_BUN: "1" } });
    expect(finished.code).toBe(0);
    expect(finished.stdout).toMatch(/^\d+\.\d+\.\d+\n$/u);
  });
});
