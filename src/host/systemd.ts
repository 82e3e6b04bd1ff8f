import { existsSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { findProgram, runProcess } from "./processes.ts";

type Said = { readonly code: number; readonly stdout: string; readonly stderr: string };

const OUTPUT_BYTES = 1_048_576;
/** A stop that waits for a program which ignores SIGTERM takes longer than the program is given. */
const DEADLINE_MS = 120_000;
/** Nothing of ours may reach it, and its answers are to be in one language. */
const ENVIRONMENT = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C",
  SYSTEMD_COLORS: "0",
  SYSTEMD_PAGER: "",
};

/** The service manager of this host. */
export class Systemd {
  readonly #program: string;

  private constructor(program: string) {
    this.#program = program;
  }

  /** Throws Failure `systemd_unavailable` before anything is written: no systemctl, another init, no manager. */
  static async find(): Promise<Systemd> {
    const program = findProgram("systemctl", ENVIRONMENT.PATH);
    if (program === null) throw unavailable("there is no systemctl");
    // As sd_booted(3) does: the programs may be there without systemd being what runs this host.
    if (!existsSync("/run/systemd/system")) throw unavailable("this host was not started by systemd");
    const systemd = new Systemd(program);
    const { code, stdout, stderr } = await systemd.ask(["show", "--property=Version", "--value"]);
    if (code !== 0 || stdout.trim() === "") {
      throw unavailable(`the service manager does not answer: ${printable(stderr.trim(), 200)}`);
    }
    return systemd;
  }

  /** What systemctl answers, whatever it is. */
  async ask(words: readonly string[]): Promise<Said> {
    return run(this.#program, ["--no-pager", "--no-ask-password", ...words]);
  }

  /** Throws Failure `unit_failed` with what systemctl said. */
  async do(words: readonly string[]): Promise<void> {
    const { code, stderr } = await this.ask(words);
    if (code === 0) return;
    const said = printable(stderr.trim().split("\n").slice(-3).join(" "), 400);
    throw new Failure("unit_failed", `systemctl ${words.join(" ")} ended with ${code}: ${said}`);
  }

  /** Properties of a unit by their names; "" for those that it has not. */
  async show(unit: string, properties: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const { stdout } = await this.ask(["show", `--property=${properties.join(",")}`, "--", unit]);
    const found = stdout.split("\n").flatMap((line) => {
      const cut = line.indexOf("=");
      return cut === -1 ? [] : [[line.slice(0, cut), line.slice(cut + 1)] as const];
    });
    return { ...Object.fromEntries(properties.map((name) => [name, ""])), ...Object.fromEntries(found) };
  }
}

/** The exposure of a unit file, 0 to 10, by `systemd-analyze security`; null where that is not there. */
export async function exposureOf(path: string): Promise<string | null> {
  const program = findProgram("systemd-analyze", ENVIRONMENT.PATH);
  if (program === null) return null;
  const { code, stdout } = await run(program, ["security", "--offline=true", "--no-pager", path]);
  const found = /Overall exposure level for .*: (\d+\.\d [A-Z]+)/u.exec(stdout)?.[1];
  return code === 0 ? (found ?? null) : null;
}

const NEVER = new AbortController().signal;

async function run(program: string, args: readonly string[]): Promise<Said> {
  const ran = await runProcess({
    program,
    args,
    cwd: "/",
    env: ENVIRONMENT,
    deadlineMs: DEADLINE_MS,
    maxOutputBytes: OUTPUT_BYTES,
    // What was begun with systemd is finished within its deadline: a stop must not cut an undo in half.
    stop: NEVER,
  });
  if (ran.outcome !== "exited") return { code: -1, stdout: "", stderr: ran.outcome };
  return { code: ran.code, stdout: new TextDecoder().decode(ran.stdout), stderr: ran.stderr };
}

function unavailable(why: string): Failure {
  return new Failure("systemd_unavailable", `units cannot be installed: ${why}`, {
    hint: "print them with: waybill addon unit ID; or start the add-on with: waybill addon exec ID",
  });
}
