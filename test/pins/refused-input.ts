import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { EXIT, exitCodeOf, type FailureCode } from "../../src/base/exit-codes.ts";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { scriptedServer, type ScriptedServer } from "../support/scripted-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";
import { NEW } from "./rows.ts";

export const TOKEN: string = "write-token-1234";
/** Stand for the server's port and the folder with the files below. */
export const PORT: string = "<port>";
export const DIR: string = "<dir>";

export const PIN: readonly string[] = ["--template", "codex", "--digest", NEW];
export const HTTP: string = "--allow-insecure-http";
export const PROD: readonly string[] = ["--target", `prod=http://127.0.0.1:${PORT}`, HTTP];
export const CONFIG: readonly string[] = ["--config", `${DIR}/targets.json`, HTTP];
export const GOOD: readonly string[] = [...PIN, ...PROD];

export type Env = Readonly<Record<string, string>>;
export const TOKENS: Env = { WAYBILL_TOKEN_PROD: TOKEN, WAYBILL_TOKEN_STAGING: TOKEN };

/** A refusal: the code of its failure, a part of its message, and the variables when they are not the two tokens. */
export type Row = readonly [
  what: string,
  args: readonly string[],
  code: FailureCode,
  part: string,
  env?: Env,
];

type Rows = {
  readonly both: readonly Row[];
  readonly promote?: readonly Row[];
  readonly verify?: readonly Row[];
};

/** Each row is refused with its code before the server sees so much as a connection. */
export function describeRefusals(rows: Rows): void {
  let server: ScriptedServer;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    server = await scriptedServer({});
    folder = temporaryFolder();
    const url = `http://127.0.0.1:${server.port}`;
    const write = (name: string, content: string | object): void =>
      writeFileSync(folder.at(name), typeof content === "string" ? content : JSON.stringify(content));
    write("targets.json", { environments: { prod: { url }, staging: { url: `${url}/` } } });
    write("empty.json", { environments: {} });
    write("unknown.json", { environments: { prod: { url, tokn_env: "X" } } });
    write("twice.json", `{"environments":{"prod":{"url":"${url}"},"prod":{"url":"${url}"}}}`);
    write("type.json", { environments: [{ url }] });
    write("name.json", { environments: { "Prod EU": { url } } });
    write("url.json", { environments: { prod: { url: `${url}/cp` } } });
    write("broken.json", "{");
    write("no-certificate.pem", "-----BEGIN PRIVATE KEY-----\n");
    write("empty-token", "\n");
    write("two-lines-token", "write-token\n1234\n");
    write("masked-token", "***\n");
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  describe.each([
    ["promote", ["promote"], [...rows.both, ...(rows.promote ?? [])]],
    ["verify pin", ["verify", "pin"], [...rows.both, ...(rows.verify ?? [])]],
  ] as const)("%s refuses before any request", (_name, words, refusals) => {
    test.concurrent.each([...refusals])("%s", async (_what, args, code, part, env = TOKENS) => {
      const filled = args.map((word) => word.replaceAll(PORT, `${server.port}`).replaceAll(DIR, folder.path));
      const run = await runWaybill([...words, ...filled, "--json"], { env });
      const document = jsonOf(run) as { error?: { code?: string; message?: string } };
      expect(document.error?.code).toBe(code);
      expect(document.error?.message).toContain(part);
      expect(run.code).toBe(exitCodeOf(code));
      expect([EXIT.usage, EXIT.auth]).toContain(run.code as 2 | 4);
      expect(document).toMatchObject({
        schema: `waybill.${words.join("-")}/v1`,
        ok: false,
        checked: 0,
        legs: [],
      });
      expect(run.stderr).toStartWith("error: ");
      for (const secret of [TOKEN, "hunter22", "write-token", "x-evil"]) {
        expect(run.stdout + run.stderr).not.toContain(secret);
      }
      expect(server.connections()).toBe(0);
    });

    test("and the same without a fault reaches the server", async () => {
      const filled = GOOD.map((word) => word.replaceAll(PORT, `${server.port}`));
      await using real = await scriptedServer({});
      const run = await runWaybill(
        [...words, ...filled.map((word) => word.replaceAll(server.url, real.url))],
        {
          env: TOKENS,
        },
      );
      expect(run.code).toBe(12);
      expect(real.attempts("GET /cp/admin/runtime-image")).toBe(1);
    });
  });
}
