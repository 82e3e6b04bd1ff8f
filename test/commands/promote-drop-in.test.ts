import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Board, FOREIGN, LIST, listing, NEW, OLD, PROMOTE, row } from "../pins/rows.ts";
import { jsonOf, runProgram, runWaybill, type Finished } from "../support/binary.ts";
import { scriptedServer, type Plan, type ScriptedServer } from "../support/scripted-server.ts";
import { parsedOutputs } from "../support/step-outputs.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

const TOKEN = "admin-token-1234";
const HAS_OPENSSL = Bun.which("openssl") !== null;

// The variables of the script say https without a word, so the server needs a certificate.
describe.skipIf(!HAS_OPENSSL)(
  `the variables of the script alone${HAS_OPENSSL ? "" : " (needs openssl)"}`,
  () => {
    let folder: TemporaryFolder;
    let certificate: { key: string; cert: string };
    beforeAll(async () => {
      folder = temporaryFolder();
      const made = await runProgram([
        ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-keyout", folder.at("key.pem"), "-out", folder.at("cert.pem"), "-days", "2"],
        ...["-subj", "/CN=waybill-test", "-addext", "subjectAltName=IP:127.0.0.1"],
      ]);
      if (made.code !== 0) throw new Error(made.stderr);
      certificate = {
        key: readFileSync(folder.at("key.pem"), "utf8"),
        cert: readFileSync(folder.at("cert.pem"), "utf8"),
      };
    });
    afterAll(() => folder[Symbol.dispose]());

    type Env = Readonly<Record<string, string | undefined>>;

    async function script(
      words: readonly string[],
      plan: Plan,
      changed: Env = {},
      more: readonly string[] = ["--cacert", folder.at("cert.pem")],
    ): Promise<Finished & { server: ScriptedServer }> {
      await using server = await scriptedServer(plan, certificate);
      const env: Env = {
        CP_HOST: `127.0.0.1:${server.port}`,
        CP_ADMIN_API_TOKEN: TOKEN,
        TOKEN_SECRET_NAME: "CP_STAGING_ADMIN_API_TOKEN",
        TEMPLATE_NAME: "codex",
        ENV_NAME: "staging",
        ...changed,
      };
      const given = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
      return { ...(await runWaybill([...words, ...more], { env: Object.fromEntries(given) })), server };
    }
    const verify = ["verify"];
    const promote = ["promote", "--retry-interval", "5ms"];

    test("verify an equal pin: OK", async () => {
      const run = await script(verify, { [LIST]: listing(row(NEW)) }, { EXPECTED_DIGEST: NEW });
      expect(run).toMatchObject({ code: 0, stderr: "" });
      expect(run.stdout).toStartWith("OK      staging: codex (global) matches: ");
      expect(
        run.server.requests.map(({ method, path, headers }) => [method, path, headers["authorization"]]),
      ).toEqual([["GET", "/cp/admin/runtime-image", `Bearer ${TOKEN}`]]);
    });

    test("verify another pin: PIN MISMATCH", async () => {
      const run = await script(verify, { [LIST]: listing(row(OLD)) }, { EXPECTED_DIGEST: NEW });
      expect(run.code).toBe(8);
      expect(run.stderr).toContain(`error: staging: PIN MISMATCH: codex in global is pinned to ${OLD}`);
    });

    test.each([undefined, ""])("a token that is %j: <SECRET> secret not configured", async (token) => {
      for (const words of [verify, promote]) {
        const run = await script(words, {}, { IMAGE_DIGEST: NEW, CP_ADMIN_API_TOKEN: token });
        expect(run.code).toBe(4);
        expect(run.stderr).toContain("CP_STAGING_ADMIN_API_TOKEN secret not configured");
        expect(run.server.connections()).toBe(0);
      }
    });

    test("a refused token is called by the name of the secret", async () => {
      const run = await script(verify, { [LIST]: { status: 401 } }, { EXPECTED_DIGEST: NEW });
      expect(run.code).toBe(4);
      expect(run.stderr).toContain("with the token from $CP_STAGING_ADMIN_API_TOKEN");
      expect(run.stderr).not.toContain(TOKEN);
    });

    test.each([undefined, "", "no variable name", "::stop-commands::x"])(
      "TOKEN_SECRET_NAME %j: the variable's own name",
      async (name) => {
        const run = await script(
          verify,
          {},
          { EXPECTED_DIGEST: NEW, CP_ADMIN_API_TOKEN: "", TOKEN_SECRET_NAME: name },
        );
        expect(run.stderr).toStartWith("error: $CP_ADMIN_API_TOKEN secret not configured");
      },
    );

    test("a promotion leaves nothing behind and shows no answer that was as it should be", async () => {
      const board = new Board(OLD);
      const plan = {
        [LIST]: board.list,
        [PROMOTE]: board.applied({ body: '{"note":"words-of-the-server"}' }),
      };
      mkdirSync(folder.at("tmp"));
      const flags = [
        "--cacert",
        folder.at("cert.pem"),
        "--notes",
        'a "quoted" \\ note, {"a":1}',
        "--verbose",
      ];
      const run = await script(promote, plan, { IMAGE_DIGEST: NEW, TMPDIR: folder.at("tmp") }, flags);
      expect(run.code).toBe(0);
      expect(run.stdout + run.stderr).not.toContain("words-of-the-server");
      expect(readdirSync(folder.at("tmp"))).toEqual([]);
      // The script writes its JSON with printf, and a quote breaks it.
      const post = run.server.requests.find(({ method }) => method === "POST");
      expect(JSON.parse(post?.body ?? "").notes).toBe('a "quoted" \\ note, {"a":1}');
    });

    test("promote", async () => {
      const board = new Board(OLD);
      const plan = { [LIST]: board.list, [PROMOTE]: board.promote };
      const run = await script([...promote, "--json"], plan, { IMAGE_DIGEST: NEW, GIT_SHA: "0123abc" });
      expect(run.code).toBe(0);
      expect(jsonOf(run)).toMatchObject({ legs: [{ env: "staging", outcome: "landed", region: "global" }] });
      const post = run.server.requests.find(({ method }) => method === "POST");
      expect(JSON.parse(post?.body ?? "")).toEqual({
        template_name: "codex",
        image_digest: NEW,
        git_sha: "0123abc",
      });
    });

    test("each step takes its own digest first, and flags before both", async () => {
      const both = { EXPECTED_DIGEST: NEW, IMAGE_DIGEST: FOREIGN };
      const board = new Board(OLD);
      const promoted = await script(promote, { [LIST]: board.list, [PROMOTE]: board.promote }, both);
      expect([promoted.code, board.digest]).toEqual([0, FOREIGN]);
      expect((await script(verify, { [LIST]: listing(row(NEW)) }, both)).code).toBe(0);
      const flags = ["--cacert", folder.at("cert.pem"), "--digest", OLD, "--template", "hermes"];
      const other = listing(row(OLD, { template_name: "hermes" }));
      expect((await script(verify, { [LIST]: other }, both, flags)).code).toBe(0);
    });

    test("REGION, and an empty one is the global one", async () => {
      const eu = await script(
        verify,
        { [LIST]: listing(row(OLD), row(NEW, { region: "eu" })) },
        { EXPECTED_DIGEST: NEW, REGION: "eu" },
      );
      expect(eu.stdout).toContain("codex (eu) matches");
      const none = await script(verify, { [LIST]: listing(row(NEW)) }, { EXPECTED_DIGEST: NEW, REGION: "" });
      expect(none.stdout).toContain("codex (global) matches");
    });

    test.each([
      [undefined, "default"],
      ["", "default"],
      ["Staging (EU)", "Staging (EU)"],
      ["a\n::stop-commands::b", "a : :stop-commands::b"],
    ])("ENV_NAME %j is shown as %j", async (name, shown) => {
      const run = await script(
        verify,
        { [LIST]: listing(row(OLD)) },
        { EXPECTED_DIGEST: NEW, ENV_NAME: name },
      );
      expect(run.stdout).toStartWith(`FAILED  ${shown}: codex (global)`);
      expect(run.stderr).toStartWith(`error: ${shown}: PIN MISMATCH`);
    });

    test.each([
      ["Staging (EU)", "Staging__EU__outcome"],
      ["prod.eu", "prod_eu_outcome"],
      ["1. Größe", "_1__Gr__e_outcome"],
      ['a"\nok=true\n', "a__ok_true_outcome"],
    ])("ENV_NAME %j keeps no step output from being written", async (name, output) => {
      writeFileSync(folder.at("outputs"), "");
      const env = { EXPECTED_DIGEST: NEW, ENV_NAME: name, GITHUB_OUTPUT: folder.at("outputs") };
      const run = await script(verify, { [LIST]: listing(row(NEW)) }, env);
      expect(run).toMatchObject({ code: 0, stderr: "" });
      const outputs = parsedOutputs(readFileSync(folder.at("outputs"), "utf8"));
      expect(outputs).toMatchObject({ ok: "true", outcome: "matches", [output]: "matches" });
      expect(Object.keys(outputs)).toHaveLength(8);
      expect(JSON.parse(outputs["legs_json"] ?? "")).toMatchObject([{ outcome: "matches", digest: NEW }]);
    });

    test.each([
      ["with a scheme", (host: string) => `https://${host}`],
      ["with a slash", (host: string) => `https://${host}/`],
      ["with white space around", (host: string) => ` ${host}\n`],
    ])("CP_HOST %s", async (_what, spell) => {
      await using server = await scriptedServer({ [LIST]: listing(row(NEW)) }, certificate);
      const run = await runWaybill(["verify", "--cacert", folder.at("cert.pem")], {
        env: {
          CP_HOST: spell(`127.0.0.1:${server.port}`),
          ...{ CP_ADMIN_API_TOKEN: TOKEN, TEMPLATE_NAME: "codex", EXPECTED_DIGEST: NEW },
        },
      });
      expect(run.code).toBe(0);
      expect(run.stderr === "").toBe(!spell("x").includes("https"));
    });

    test.each([
      ["http", (host: string) => `http://${host}`],
      ["a path", (host: string) => `${host}/cp`],
      ["a user", (host: string) => `a@${host}`],
      ["another host after a line break", (host: string) => `${host}\n.example.com`],
      ["a fragment", (host: string) => `${host}/#`],
    ])("CP_HOST with %s is refused", async (_what, spell) => {
      await using server = await scriptedServer({}, certificate);
      const run = await runWaybill(["verify", "--json", "--cacert", folder.at("cert.pem")], {
        env: {
          CP_HOST: spell(`127.0.0.1:${server.port}`),
          ...{ CP_ADMIN_API_TOKEN: TOKEN, TEMPLATE_NAME: "codex", EXPECTED_DIGEST: NEW },
        },
      });
      expect(run.code).toBe(2);
      expect(jsonOf(run)).toMatchObject({ error: { code: "url_invalid" }, legs: [] });
      expect(server.connections()).toBe(0);
    });

    describe("the certificate", () => {
      const plan = { [LIST]: listing(row(NEW)) };

      test("is not trusted without --cacert, at once and whatever the environment says", async () => {
        const env = { EXPECTED_DIGEST: NEW, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
        const run = await script([...verify, "--for", "1h"], plan, env, []);
        expect(run.code).toBe(12);
        expect(run.stderr).toContain("is not trusted");
        expect(run.stderr).toContain("--cacert");
        expect(run.server.requests).toHaveLength(0);
      });

      test("of another host is not trusted", async () => {
        await using server = await scriptedServer(plan, certificate);
        const run = await runWaybill(["verify", "--cacert", folder.at("cert.pem")], {
          env: {
            CP_HOST: `localhost:${server.port}`,
            ...{ CP_ADMIN_API_TOKEN: TOKEN, TEMPLATE_NAME: "codex", EXPECTED_DIGEST: NEW },
          },
        });
        expect(run.code).toBe(12);
        expect(server.requests).toHaveLength(0);
      });
    });

    test("flags name another environment, and the variables are left alone", async () => {
      await using other = await scriptedServer({ [LIST]: listing(row(NEW)) });
      const run = await script(verify, {}, { EXPECTED_DIGEST: NEW, WAYBILL_TOKEN_PROD: "prod-token-5678" }, [
        ...["--target", `prod=${other.url}`, "--allow-insecure-http"],
      ]);
      expect(run.code).toBe(0);
      expect(run.server.connections()).toBe(0);
      // The script's token belongs to the script's host and goes nowhere else.
      expect(other.requests.map(({ headers }) => headers["authorization"])).toEqual([
        "Bearer prod-token-5678",
      ]);
    });
  },
);
