import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import {
  findProgram,
  runProcess,
  type ProcessRequest,
  type ProcessResult,
} from "../../src/host/processes.ts";
import { runProgram } from "../support/binary.ts";
import { fragment } from "../support/fragment.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts processes; a busy machine takes its time.
setDefaultTimeout(120_000);

const PATH = process.env["PATH"] ?? "/usr/bin:/bin";

async function shell(line: string, changed: Partial<ProcessRequest> = {}): Promise<ProcessResult> {
  return runProcess({
    program: "/bin/sh",
    args: ["-c", line],
    cwd: "/",
    env: { PATH },
    deadlineMs: 30_000,
    maxOutputBytes: 1_000_000,
    stop: new AbortController().signal,
    ...changed,
  });
}

function text(result: ProcessResult): string {
  return result.outcome === "exited" ? new TextDecoder().decode(result.stdout) : result.outcome;
}

/** Ends when no process has this id any more; a zombie whose parent has not looked yet counts as gone. */
async function isGone(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      process.kill(pid, 0);
      if (/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return true;
    } catch {
      return true;
    }
    await Bun.sleep(10);
  }
  return false;
}

describe("a program that ends", () => {
  test("gives its code and all that it wrote", async () => {
    expect(await shell("echo out; echo err >&2; exit 3")).toMatchObject({
      outcome: "exited",
      code: 3,
      stderr: "err\n",
    });
    expect(text(await shell("head -c 900000 /dev/zero | tr '\\0' x"))).toHaveLength(900_000);
  });

  test("has all of a time that no timer of the runtime can count", async () => {
    expect(text(await shell("sleep 0.1; echo out", { deadlineMs: 2 ** 31 }))).toBe("out\n");
  });

  test("does not get the input of the process that started it", async () => {
    const code = fragment(`
      import { runProcess } from "src/host/processes.ts";
      const wanted = { program: "/bin/cat", args: [], cwd: "/", env: {}, deadlineMs: 30_000, maxOutputBytes: 100,
        stop: new AbortController().signal };
      console.log(new TextDecoder().decode((await runProcess(wanted)).stdout) === "");
    `);
    expect(await runProgram(code, { stdin: "meant for another" })).toEqual({
      code: 0,
      stdout: "true\n",
      stderr: "",
    });
  });

  test("has no input, and no environment but what it is given", async () => {
    process.env["WAYBILL_TEST_LEAK"] = "leaked";
    try {
      expect(
        text(await shell("cat; echo ${WAYBILL_TEST_LEAK-none} $GIVEN", { env: { PATH, GIVEN: "given" } })),
      ).toBe("none given\n");
    } finally {
      delete process.env["WAYBILL_TEST_LEAK"];
    }
  });

  test("runs in the folder that it is given", async () => {
    using folder = temporaryFolder();
    expect(text(await shell("pwd", { cwd: folder.path }))).toBe(`${folder.path}\n`);
  });

  test("gets its arguments as they are, and no shell in between", async () => {
    const args = ["$HOME", "a b", "*", "-x", "", "'"];
    const result = await shell("", { program: Bun.which("printf") ?? "", args: ["[%s]", ...args] });
    expect(text(result)).toBe(args.map((word) => `[${word}]`).join(""));
  });

  test("may write more to standard error than is kept", async () => {
    const result = await shell("head -c 2000000 /dev/zero | tr '\\0' x >&2");
    expect(result).toMatchObject({ outcome: "exited", code: 0 });
    if (result.outcome === "exited") expect(result.stderr.length).toBe(16_384);
  });

  test("with bytes that are no text, on standard error", async () => {
    expect(await shell("printf '\\377' >&2")).toMatchObject({ outcome: "exited", stderr: "\ufffd" });
  });
});

describe("a program that does not start", () => {
  test.each([
    ["does not exist", "/nowhere/program", "/"],
    ["is a folder", "/", "/"],
    ["has no folder to run in", "/bin/sh", "/nowhere"],
  ])("because it %s", async (_what, program, cwd) => {
    expect(await shell("exit 0", { program, cwd })).toEqual({ outcome: "not_started" });
  });
});

describe("the ceiling of the output", () => {
  test("is exact", async () => {
    expect(text(await shell("printf 12345", { maxOutputBytes: 5 }))).toBe("12345");
    expect(await shell("printf 123456", { maxOutputBytes: 5 })).toEqual({ outcome: "too_much_output" });
  });

  test("ends a program that would never end", async () => {
    expect(await shell("yes", { maxOutputBytes: 100_000 })).toEqual({ outcome: "too_much_output" });
  });

  test("and those that it started", async () => {
    using folder = temporaryFolder();
    const pid = folder.at("pid");
    const line = `sleep 1000 & echo $! >${pid}; yes`;
    expect(await shell(line, { maxOutputBytes: 100_000 })).toEqual({ outcome: "too_much_output" });
    expect(await isGone(Number(readFileSync(pid, "utf8")))).toBe(true);
  });
});

describe("the deadline", () => {
  test("ends a program that waits, and one that does not want to", async () => {
    expect(await shell("exec sleep 1000", { deadlineMs: 50 })).toEqual({ outcome: "deadline" });
    expect(await shell("trap '' TERM INT; while :; do sleep 1; done", { deadlineMs: 50 })).toEqual({
      outcome: "deadline",
    });
  });

  test("ends a grandchild that holds the pipe after its parent has gone", async () => {
    using folder = temporaryFolder();
    const pid = folder.at("pid");
    const line = `sleep 1000 & echo $! >${pid}; exit 0`;
    expect(await shell(line, { deadlineMs: 200 })).toEqual({ outcome: "deadline" });
    expect(await isGone(Number(readFileSync(pid, "utf8")))).toBe(true);
  });

  test.skipIf(Bun.which("setsid") === null)("does not wait for one that left the group", async () => {
    using folder = temporaryFolder();
    const pid = folder.at("pid");
    const line = `setsid sh -c 'echo $$ >${pid}.new; mv ${pid}.new ${pid}; exec sleep 1000' & while ! test -e ${pid}; do :; done`;
    try {
      expect(await shell(line, { deadlineMs: 500 })).toEqual({ outcome: "deadline" });
      expect(existsSync(pid)).toBe(true);
    } finally {
      if (existsSync(pid)) process.kill(Number(readFileSync(pid, "utf8")), "SIGKILL");
    }
  });
});

describe("a stop", () => {
  test("ends the program and what it started, at once and for good", async () => {
    using folder = temporaryFolder();
    const pid = folder.at("pid");
    const stop = new AbortController();
    const running = shell(`sleep 1000 & echo $! >${pid}.new; mv ${pid}.new ${pid}; exec sleep 1000`, {
      stop: stop.signal,
    });
    while (!existsSync(pid)) await Bun.sleep(1);
    stop.abort("SIGTERM");
    expect(await running).toEqual({ outcome: "stopped" });
    expect(await isGone(Number(readFileSync(pid, "utf8")))).toBe(true);
    expect(await shell("echo never", { stop: stop.signal })).toEqual({ outcome: "stopped" });
  });
});

describe("findProgram", () => {
  test("takes the first that can be run, in absolute folders only", () => {
    using folder = temporaryFolder();
    for (const name of ["a", "b", "c", "d"]) mkdirSync(folder.at(name));
    writeFileSync(folder.at("a", "tool"), "", { mode: 0o644 });
    mkdirSync(folder.at("b", "tool"));
    symlinkSync("nowhere", folder.at("c", "tool"));
    writeFileSync(folder.at("d", "tool"), "");
    chmodSync(folder.at("d", "tool"), 0o755);
    const all = ["a", "b", "c", "d"].map((name) => folder.at(name)).join(":");
    expect(findProgram("tool", all)).toBe(folder.at("d", "tool"));
    expect(findProgram("tool", folder.at("a"))).toBe(null);
    expect(findProgram("other", all)).toBe(null);
  });

  test.each(["", ".", ":", "::", "./", "bin", "../bin", "~/bin"])("does not look in %j", (path) => {
    using folder = temporaryFolder();
    const before = process.cwd();
    for (const name of ["bin", "~", "~/bin", "in"]) mkdirSync(folder.at(name));
    for (const name of ["tool", "bin/tool", "~/bin/tool"]) {
      writeFileSync(folder.at(name), "#!/bin/sh\n", { mode: 0o755 });
    }
    process.chdir(path.startsWith("..") ? folder.at("in") : folder.path);
    try {
      expect(findProgram("tool", path)).toBe(null);
      expect(findProgram("tool", `${path}:${folder.at("bin")}`)).toBe(folder.at("bin", "tool"));
    } finally {
      process.chdir(before);
    }
  });

  test("finds nothing without a PATH", () => {
    expect(findProgram("sh", undefined)).toBe(null);
  });
});
