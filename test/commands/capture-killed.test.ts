import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startWaybill, waybill } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { HAS_GIT, makeRepository } from "../source/support/repository.ts";
import { HAS_STRACE } from "../support/faults.ts";
import { jsonOf } from "../support/binary.ts";

const newFolder = scratchFolders();

/** What stops a capture where the archive is on the disk, and does not have its name yet. */
function before(signal: "KILL" | "STOP", log: string): string[] {
  const calls = "fsync,fdatasync";
  const inject = `inject=${calls}:signal=${signal}:when=1`;
  return ["strace", "-f", "-b", "execve", "-o", log, "-e", `trace=${calls}`, "-e", inject];
}

function temporaries(root: string): string[] {
  return readdirSync(root).filter((name) => name.startsWith(".context.tar."));
}

type Told = { readonly source_fields: object; readonly digests: object };

async function capture(root: string, archive: string): Promise<{ told: Told; stderr: string }> {
  const ran = await waybill(["capture", root, "--archive", archive, "--json"]);
  const { source_fields, digests } = jsonOf({ ...ran, code: ran.exit }) as Told & Record<string, unknown>;
  return { told: { source_fields, digests }, stderr: ran.stderr };
}

describe.skipIf(!HAS_STRACE || !HAS_GIT)("an archive in its own context (needs strace and git)", () => {
  test("of which a killed run left a part is made as if there had been none", async () => {
    const root = makeRepository(newFolder(), { files: { "app/main.ts": "1\n" } });
    const archive = join(root, "context.tar");
    const { told: clean } = await capture(root, join(newFolder(), "context.tar"));
    const log = join(newFolder(), "log");
    const killed = startWaybill(["capture", root, "--archive", archive], { under: before("KILL", log) });
    expect(await killed.exited).not.toBe(0);
    const [leftover = ""] = temporaries(root);
    expect(leftover).toMatch(/^\.context\.tar\.[0-9a-f]{12}\.tmp$/u);
    expect(existsSync(archive)).toBe(false);

    const again = await capture(root, archive);
    expect(again.told.source_fields).toEqual(clean.source_fields);
    expect(again.told.digests).toEqual(clean.digests);
    expect(again.stderr).toContain(
      `removed "${join(root, leftover)}", which a killed run left of the archive`,
    );
    expect(temporaries(root)).toEqual([]);
  });

  test("takes no part away from a run that is only slow", async () => {
    const root = makeRepository(newFolder(), { files: { "app/main.ts": "1\n" } });
    const archive = join(root, "context.tar");
    const log = join(newFolder(), "log");
    const stopped = startWaybill(["capture", root, "--archive", archive], { under: before("STOP", log) });
    for (let tries = 0; tries < 800 && !isStopped(log); tries++) await Bun.sleep(25);
    const parts = temporaries(root);
    expect(parts).toHaveLength(1);

    expect((await capture(root, archive)).stderr).not.toContain("removed");
    expect(temporaries(root)).toEqual(parts);
    const pid = Number(
      /^\s*(\d+)/u.exec(
        readFileSync(log, "utf8")
          .split("\n")
          .find((line) => line.includes("stopped by SIGSTOP")) ?? "",
      )?.[1],
    );
    process.kill(pid, "SIGCONT");
    expect(await stopped.exited).toBe(0);
    expect(temporaries(root)).toEqual([]);
  });
});

function isStopped(log: string): boolean {
  return existsSync(log) && readFileSync(log, "utf8").includes("stopped by SIGSTOP");
}
