import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  utimesSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Host } from "../host.ts";
import { PROGRAM, runProgram, runWaybill, type Finished } from "../../support/binary.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const SHOW = `#!/bin/sh
echo "version=$WAYBILL_ADDON_VERSION pid=$$ cwd=$(pwd) args=$*"
env | sort
grep -E 'SigIgn|SigBlk' /proc/self/status
ls -l /proc/$$/fd >fds
grep -c ' [3-9] ->' fds
exit 0
`;

function exec(host: Host, args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return runWaybill(["addon", "exec", "--root", host.root, ...args], { env, cwd: host.home });
}

async function staged(content = SHOW, more: Record<string, unknown> = {}): Promise<Host> {
  const host = new Host();
  host.assign(host.program("sensor", "1.0.0", content, more));
  expect((await host.stage()).exit).toBe(0);
  return host;
}

describe("addon exec", () => {
  test("becomes the program: same process, own folder, its arguments, clean signals, no descriptor", async () => {
    using host = await staged(SHOW, { args: ["--assigned"], config_json: { key: "value" } });
    const words = [
      ...PROGRAM,
      "addon",
      "exec",
      "sensor",
      "--root",
      host.root,
      "--env",
      "WANTED",
      "--",
      "--once",
      "a b",
    ];
    const env = { WANTED: "yes", CP_TOKEN: "secret-token-1", LISTEN_FDS: "1" };
    const { code, stdout, stderr } = await runProgram(
      ["/bin/sh", "-c", 'echo $$; exec "$@" 3</dev/null', "sh", ...words],
      { env },
    );
    const [pid, first, ...rest] = stdout.trim().split("\n");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(first).toBe(
      `version=1.0.0 pid=${pid} cwd=${host.path("sensor", "state")} args=--assigned --once a b`,
    );
    expect(rest).toContain("WANTED=yes");
    expect(rest).toContain(`WAYBILL_ADDON_CONFIG=${host.path("sensor", "state", ".waybill-config.json")}`);
    expect(stdout).not.toContain("secret-token-1");
    expect(stdout).not.toContain("LISTEN_FDS");
    expect(rest.at(-1)).toBe("0");
    expect(rest.filter((line) => line.startsWith("Sig"))).toEqual([
      "SigBlk:\t0000000000000000",
      "SigIgn:\t0000000000000000",
    ]);
    expect(JSON.parse(host.read("sensor", "state", ".waybill-config.json"))).toEqual({ key: "value" });
    expect(statSync(host.path("sensor", "state")).mode & 0o777).toBe(0o700);
    expect(statSync(host.path("sensor", "state", ".waybill-config.json")).mode & 0o777).toBe(0o600);
  });

  test("takes names of variables, and no values", async () => {
    using host = await staged();
    const { code, stdout } = await exec(host, ["sensor", "--env", "TOKEN=secret", "--json"]);
    expect({ code, answer: JSON.parse(stdout).error.code }).toEqual({ code: 2, answer: "invalid_value" });
  });

  test("its exit code is the program's", async () => {
    using host = await staged("#!/bin/sh\nexit 37\n");
    expect((await exec(host, ["sensor"])).code).toBe(37);
  });

  test("an ephemeral helper and a model spelled with hyphens are run the same", async () => {
    using host = await staged("#!/bin/sh\necho helped $*\n", { supervision: "ephemeral-helper" });
    expect((await exec(host, ["sensor", "--", "me"])).stdout).toBe("helped me\n");
  });

  test("case 20: needs neither the list nor the store", async () => {
    using host = await staged("#!/bin/sh\necho up\n");
    host.emptyStore();
    rmSync(host.list);
    expect((await exec(host, ["sensor"])).stdout).toBe("up\n");
  });

  test("what state it finds is the folder that systemd made, when it made one", async () => {
    using host = await staged("#!/bin/sh\npwd\n");
    const state = join(host.home, "given");
    mkdirSync(state);
    expect((await exec(host, ["sensor"], { STATE_DIRECTORY: state })).stdout).toBe(`${state}\n`);
  });
});

describe("bytes that changed", () => {
  async function upgraded(): Promise<Host> {
    const host = await staged("#!/bin/sh\necho one\n");
    await host.stage();
    host.assign(host.program("sensor", "2.0.0", "#!/bin/sh\necho two\n", { args: ["--two"] }));
    expect((await host.stage()).exit).toBe(0);
    return host;
  }

  test("start the last known good, loudly, and change nothing", async () => {
    using host = await upgraded();
    writeFileSync(host.path("sensor", "versions", "2.0.0", "sensor"), "#!/bin/sh\necho evil\n");
    const before = readFileSync(host.path("sensor", ".waybill-specs.json"), "utf8");
    const { code, stdout, stderr } = await exec(host, ["sensor"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "one\n" });
    expect(stderr).toContain('the last known good "1.0.0" is started');
    expect(host.read("sensor", ".waybill-specs.json")).toBe(before);
  });

  test("same size and same times, are seen as well", async () => {
    using host = await upgraded();
    const path = host.path("sensor", "versions", "2.0.0", "sensor");
    const { atime, mtime } = statSync(path);
    writeFileSync(path, "#!/bin/sh\necho 2wo\n");
    utimesSync(path, atime, mtime);
    expect((await exec(host, ["sensor"])).stdout).toBe("one\n");
  });

  test("with nothing good left are 6, and nothing runs", async () => {
    using host = await staged("#!/bin/sh\necho one\n");
    writeFileSync(host.path("sensor", "versions", "1.0.0", "sensor"), "#!/bin/sh\necho evil\n");
    const { code, stdout } = await exec(host, ["sensor", "--json"]);
    expect({ code, answer: JSON.parse(stdout).error.code }).toEqual({ code: 6, answer: "hash_mismatch" });
  });

  test("or that others could change start the last known good, until their mode is put right", async () => {
    using host = await upgraded();
    const path = host.path("sensor", "versions", "2.0.0", "sensor");
    for (const mode of [0o757, 0o775]) {
      chmodSync(path, mode);
      const { stdout, stderr } = await exec(host, ["sensor"]);
      expect(stdout).toBe("one\n");
      expect(stderr).toContain("sensor has a wrong mode");
    }
    chmodSync(path, 0o700);
    expect((await exec(host, ["sensor"])).stdout).toBe("two\n");
  });

  test("a version that is gone starts the last known good", async () => {
    using host = await upgraded();
    renameSync(host.path("sensor", "versions", "2.0.0"), join(host.home, "away"));
    expect((await exec(host, ["sensor"])).stdout).toBe("one\n");
  });
});

describe("refused", () => {
  test("a program that the machine does not start is told", async () => {
    using folder = temporaryFolder();
    const interpreter = folder.at("run");
    copyFileSync("/bin/sh", interpreter);
    chmodSync(interpreter, 0o755);
    using host = await staged(`#!${interpreter}\necho one\n`);
    rmSync(interpreter);
    const alone = await exec(host, ["sensor", "--json"]);
    expect({ code: alone.code, answer: JSON.parse(alone.stdout).error.code }).toEqual({
      code: 7,
      answer: "program_not_started",
    });
    // Of what the runtime thinks of its own functions nobody is told.
    expect(alone.stderr).not.toContain("Warning");
  });

  test.each([
    ["an add-on that is not there", "other", 7, "nothing_checked"],
    ["a name that leads elsewhere", "../../etc", 5, "unsafe_path"],
  ])("%s", async (_name, id, exit, answer) => {
    using host = await staged();
    const { code, stdout } = await exec(host, [id, "--json"]);
    expect({ code, answer: JSON.parse(stdout).error.code }).toEqual({ code: exit, answer });
  });

  test("a state folder that leads elsewhere", async () => {
    using host = await staged();
    symlinkSync("/tmp", host.path("sensor", "state"));
    const { code, stdout } = await exec(host, ["sensor", "--json"]);
    expect({ code, answer: JSON.parse(stdout).error.code }).toEqual({ code: 5, answer: "unsafe_path" });
  });

  test("specs that cannot be read are no add-on without specs", async () => {
    using host = await staged();
    writeFileSync(host.path("sensor", ".waybill-specs.json"), "{");
    const { code, stdout } = await exec(host, ["sensor", "--json"]);
    expect({ code, answer: JSON.parse(stdout).error.code }).toEqual({ code: 2, answer: "file_unreadable" });
  });
});

test("a program of the host is run, and never fetched", async () => {
  using host = new Host();
  const own = join(host.home, "own");
  writeFileSync(own, "#!/bin/sh\necho own $*\n", { mode: 0o755 });
  mkdirSync(host.path(), { recursive: true });
  const entry = {
    addon_id: "own",
    version: "1",
    enabled: true,
    delivery: "os-package",
    binary_path: own,
    args: ["-x"],
  };
  const toggle = { addon_id: "toggle", version: "1", enabled: true, supervision: "config-toggle" };
  writeFileSync(join(host.root, "assignments.json"), JSON.stringify({ addons: [entry, toggle] }));
  expect((await exec(host, ["own", "--", "-y"])).stdout).toBe("own -x -y\n");
  const { code, stdout } = await exec(host, ["toggle", "--json"]);
  expect({ code, answer: JSON.parse(stdout).error.code }).toEqual({
    code: 5,
    answer: "supervision_unsupported",
  });
});
