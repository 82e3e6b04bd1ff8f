import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Host } from "../host.ts";
import { BINARY, CLEAN_ENVIRONMENT, PROGRAM, runProgram } from "../../support/binary.ts";
import { AgentHost, counting } from "./agent-process.ts";

/** As the entry point of a container: process 1 of a namespace of its own, which ends with it. */
const CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
const isAble = process.geteuid?.() === 0 && BINARY !== null && Bun.which("unshare") !== null;

describe.skipIf(!isAble)("as process 1 of a container", () => {
  async function staged(program: string): Promise<Host> {
    const host = new Host();
    host.assign(host.program("sensor", "1", program));
    expect((await host.stage()).exit).toBe(0);
    return host;
  }

  test("exec is the program: it is process 1 itself, and its exit code is the container's", async () => {
    using host = await staged("#!/bin/sh\necho pid $$\nexit 41\n");
    const { code, stdout } = await runProgram([
      ...CONTAINER,
      ...PROGRAM,
      "addon",
      "exec",
      "sensor",
      "--root",
      host.root,
    ]);
    expect({ code, stdout }).toEqual({ code: 41, stdout: "pid 1\n" });
  });

  test("what is stopped by its runtime gets the signal itself", async () => {
    using host = await staged(
      "#!/bin/sh\ntrap 'echo stopped; exit 7' TERM\necho up\nwhile :; do sleep 0.05; done\n",
    );
    const child = Bun.spawn([...CONTAINER, ...PROGRAM, "addon", "exec", "sensor", "--root", host.root], {
      env: { ...CLEAN_ENVIRONMENT },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    let said = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      said += decoder.decode(chunk, { stream: true });
      const [first] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ");
      if (said === "up\n") process.kill(Number(first), "SIGTERM");
    }
    expect({ said, code: await child.exited }).toEqual({ said: "up\nstopped\n", code: 7 });
  });

  test("run lets go of the orphans that become its own", async () => {
    using host = new AgentHost([...CONTAINER, ...PROGRAM]);
    const orphans =
      "for i in 1 2 3 4 5; do (setsid sh -c 'sleep 0.2' &) ; done\ntrap 'exit 0' TERM\nwhile :; do sleep 0.05; done";
    host.assign(host.program("sensor", "1", counting(orphans)));
    host.start();
    await host.until(({ state }) => state === "running");
    const [agent = ""] = readFileSync(`/proc/${host.agentPid}/task/${host.agentPid}/children`, "utf8").split(
      " ",
    );
    const dead = (): string[] =>
      readFileSync(`/proc/${agent}/task/${agent}/children`, "utf8")
        .trim()
        .split(" ")
        .filter((pid) => {
          try {
            return / Z /u.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
          } catch {
            return false;
          }
        });
    // They end after a fifth of a second, and are gone a moment later.
    const begun = Date.now();
    await host.until(() => Date.now() - begun > 500);
    for (let tries = 0; dead().length > 0; tries++) {
      expect(tries).toBeLessThan(400);
      await Bun.sleep(25);
    }
    process.kill(Number(agent), "SIGTERM");
    expect(await host.stop("SIGCONT")).toBe(0);
  });
});
