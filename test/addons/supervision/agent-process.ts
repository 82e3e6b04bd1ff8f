import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AddonReport, HostStatus } from "../../../src/addons/supervision/status-report.ts";
import { Host, type Entry } from "../host.ts";
import { schemaProblem } from "../../support/schemas.ts";
import { CLEAN_ENVIRONMENT, PROGRAM, runWaybill, type Finished } from "../../support/binary.ts";

/** A host with an agent that can be killed and started again. Whatever it leaves running is killed at the end. */
export class AgentHost extends Host {
  #child: Bun.Subprocess<"ignore", "ignore", "pipe"> | null = null;
  #said = "";
  #rounds = 0;
  #read: Promise<void> = Promise.resolve();
  readonly #program: readonly string[];

  /** `program` is run in place of the one under test. */
  constructor(program: readonly string[] = PROGRAM) {
    super();
    this.#program = program;
  }

  /** What the next agent has in its environment besides. */
  environment: Record<string, string> = {};

  /** Publishes a folder or program as `sensor` and assigns it to every host. */
  async publish(url: string, token: string, version: string, file: string): Promise<Finished> {
    const flags = ["--url", url, "--allow-insecure-http", "--token-env", "TOKEN", "--key-env", "KEY"];
    return runWaybill(
      [
        "addon",
        "publish",
        file,
        "--id",
        "sensor",
        "--binary",
        "sensor",
        "--version",
        version,
        "--assign",
        ...flags,
      ],
      { env: { TOKEN: token, KEY: this.privateKey }, cwd: this.home },
    );
  }

  start(...flags: string[]): void {
    this.startUnder([], ...flags);
  }

  /** The same by another program, as strace. */
  startUnder(words: readonly string[], ...flags: string[]): void {
    this.#start([...words, ...this.#program], flags);
  }

  #start(program: readonly string[], flags: readonly string[]): void {
    // What the one before it said is no news of this one.
    rmSync(join(this.root, "agent.json"), { force: true });
    const has = (flag: string): boolean => flags.includes(flag);
    const words = [
      ...["addon", "run", "--root", this.root, "--key", this.publicKey],
      ...(has("--store") ? [] : ["--store", `file:${this.store}`]),
      ...(has("--assignments") ? [] : ["--assignments", this.list]),
      ...(has("--interval") ? [] : ["--interval", "200ms"]),
      ...(has("--window") ? [] : ["--window", "500ms"]),
      ...flags,
    ];
    const child = Bun.spawn([...program, ...words], {
      cwd: this.home,
      env: { ...CLEAN_ENVIRONMENT, ...this.environment },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    this.#child = child;
    this.#read = child.stderr.text().then((text) => {
      this.#said += text;
    });
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    this.#child?.kill(signal);
    const code = (await this.#child?.exited) ?? 0;
    await this.#read;
    return code;
  }

  /** The exit code of one that was told to end otherwise. */
  async ended(): Promise<number> {
    const code = (await this.#child?.exited) ?? 0;
    await this.#read;
    return code;
  }

  /** The agents of this host themselves, whatever started them. */
  agents(): number[] {
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/u.test(name)) return [];
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0");
        const isAgent = words[0] === this.#program[0] && words.includes("run") && words.includes(this.root);
        return isAgent ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
  }

  /** What the agents that have ended said on standard error. */
  get said(): string {
    return this.#said;
  }

  get hasEnded(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get agentPid(): number {
    return this.#child?.pid ?? 0;
  }

  #status(): HostStatus | undefined {
    const path = join(this.root, "agent.json");
    if (!existsSync(path)) return undefined;
    const status = JSON.parse(readFileSync(path, "utf8")) as HostStatus;
    const problem = schemaProblem("host-status", status);
    if (problem !== null) throw new Error(problem);
    return status;
  }

  report(id = "sensor"): AddonReport | undefined {
    return this.#status()?.addons.find(({ addon_id: one }) => one === id);
  }

  /** Waits until the agent has gone through its list, a file, so many times more. */
  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) {
      const config_version = `round ${++this.#rounds}`;
      writeFileSync(
        this.list,
        JSON.stringify({ ...JSON.parse(readFileSync(this.list, "utf8")), config_version }),
      );
      await this.#untilSeen(() => this.#status()?.config_version === config_version);
    }
  }

  /** Waits until the report satisfies `is`; fails with the last one. */
  async until(is: (report: AddonReport) => boolean, id = "sensor"): Promise<AddonReport> {
    let last: AddonReport | undefined;
    await this.#untilSeen(() => {
      last = this.report(id);
      return last !== undefined && is(last);
    }, id);
    if (last === undefined) throw new Error("it was seen");
    return last;
  }

  async #untilSeen(is: () => boolean, id = "sensor"): Promise<void> {
    for (let tries = 0; tries < 800; tries++) {
      if (is()) return;
      await Bun.sleep(25);
    }
    await this.stop("SIGKILL");
    throw new Error(`never reported: ${JSON.stringify(this.report(id))}\n${this.said}`);
  }

  /** Signed and in the store: a bundle with the program `sensor` and these other files. */
  async bundle(version: string, program: string, manifest: unknown, more: Entry = {}): Promise<Entry> {
    const problem = schemaProblem("manifest", manifest);
    if (problem !== null) throw new Error(problem);
    const folder = join(this.home, `bundle-${version}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "sensor"), program);
    writeFileSync(join(folder, "waybill.manifest"), JSON.stringify(manifest));
    const made = Bun.spawnSync(
      ["tar", "--format=ustar", "-czf", "../bundle.tar.gz", "sensor", "waybill.manifest"],
      { cwd: folder },
    );
    if (!made.success) throw new Error(made.stderr.toString());
    return this.program("sensor", version, readFileSync(join(this.home, "bundle.tar.gz")), more);
  }

  state(...parts: string[]): string {
    return this.path("sensor", "state", ...parts);
  }

  /** Every process of this host that is not the agent. */
  processes(): number[] {
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/u.test(name)) return [];
      try {
        const environment = readFileSync(`/proc/${name}/environ`, "latin1");
        return environment.includes(`WAYBILL_ADDON_DIR=${this.root}/`) ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
  }

  override [Symbol.dispose](): void {
    this.#child?.kill("SIGKILL");
    for (const pid of this.processes()) process.kill(pid, "SIGKILL");
    super[Symbol.dispose]();
  }
}

/** Health of which a test need not wait long. */
export const QUICK = {
  interval_ms: 50,
  timeout_ms: 1_000,
  ready_ms: 1_000,
  window_ms: 200,
  stop_ms: 300,
  probe: { kind: "process" },
} as const;

/** A program that notes each of its starts, and when it was not the only one. */
export function counting(rest: string): string {
  return `#!/bin/sh
cd "$WAYBILL_ADDON_STATE_DIR"
[ -e pid ] && grep -qs ') [RSDT] ' "/proc/$(cat pid)/stat" && echo "$$" >>double
echo $$ >pid
echo "$WAYBILL_ADDON_VERSION" >>starts
${rest}
`;
}

export const STAYS: string = counting('trap "exit 0" TERM\nwhile :; do sleep 0.05; done');
