import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { isGroup } from "../../../src/cli/command.ts";
import { describeTree } from "../../../src/cli/command-tree.ts";
import { root } from "../../../src/commands/root.ts";
import { schemaNames, schemaOf } from "../../../src/cli/schemas/names.ts";
import { CLEAN_ENVIRONMENT, jsonOf, PROGRAM, runWaybill } from "../../support/binary.ts";
import { checkDocument, schemaProblem } from "../../support/schemas.ts";
import { temporaryFolder } from "../../support/temporary.ts";

setDefaultTimeout(120_000);

const described = await describeTree(root);
const commands = described.flatMap(({ path, command }) => (isGroup(command) ? [] : [path.join("-")]));

function propertiesOf(name: string): object {
  const properties = schemaOf(name)?.["properties"];
  return typeof properties === "object" && properties !== null ? properties : {};
}

describe("the schemas", () => {
  test.each(schemaNames())("%s is one of draft 2020-12", (name) => {
    const schema = schemaOf(name);
    expect(schema).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema" });
    expect(
      new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(schema ?? {}),
    ).toBeFunction();
  });

  test("every document that is described belongs to a command", () => {
    const results = schemaNames().filter((name) => "exit_code" in propertiesOf(name));
    expect(results.filter((name) => !commands.includes(name) && name !== "error" && name !== "help")).toEqual(
      [],
    );
  });

  test("every command has one", () => {
    expect(commands.filter((name) => schemaOf(name)?.["title"] !== `waybill.${name}/v1`)).toEqual([]);
  });

  test.each(["verify-pin", "waybill.verify-pin/v1"])("is printed for %s", async (name) => {
    const finished = await runWaybill(["schema", name]);
    expect([finished.code, JSON.parse(finished.stdout)]).toEqual([0, schemaOf("verify-pin")]);
  });
});

describe("a document that departs from its schema is seen", () => {
  const frame = { schema: "waybill.version/v1", ok: true, exit_code: 0 };
  const version = {
    ...frame,
    version: "1",
    commit: null,
    built_at: null,
    runtime: "bun",
    platform: "linux/x64",
  };
  const wrong: [string, object][] = [
    ["another schema", { ...version, schema: "waybill.other/v1" }],
    ["no verdict", { ...version, ok: undefined }],
    ["an exit code that nobody knows", { ...version, exit_code: 99 }],
    ["a missing member of a success", { ...version, runtime: undefined }],
    ["a member of another kind", { ...version, version: 1 }],
    ["a pattern", { ...version, built_at: "yesterday" }],
    ["an error without a code", { ...version, error: { message: "x" } }],
    ["an error with a code that nobody knows", { ...version, error: { code: "x", message: "x" } }],
  ];
  test.each(wrong)("%s", (_what, document) => {
    expect(schemaProblem("version", JSON.parse(JSON.stringify(document)))).not.toBeNull();
  });

  test("and one that has more is not", () => {
    expect(schemaProblem("version", { ...version, new_member: 1 })).toBeNull();
    expect(schemaProblem("version", { ...frame, ok: false, exit_code: 1 })).toBeNull();
  });

  test("but a test that meets one asks for it to be told", () => {
    const more = JSON.stringify({ ...version, new_member: 1 });
    expect(() => checkDocument(more)).toThrow('{"additionalProperty":"new_member"}');
    expect(() => checkDocument(JSON.stringify(version))).not.toThrow();
  });

  test("wherever a test looks at one", () => {
    expect(() => checkDocument(`${JSON.stringify({ ...version, version: 1 })}\n`)).toThrow(
      "waybill schema version",
    );
    checkDocument(`${JSON.stringify(version)}\n`);
    checkDocument('{"schema":"waybill.version/v1","cut');
  });
});

describe("real output", () => {
  test("of the commands that speak about the others", async () => {
    for (const args of [
      ["completions", "bash"],
      ["man"],
      ["schema"],
      ["schema", "policy"],
      ["version"],
      ["--help"],
    ]) {
      const document = jsonOf(await runWaybill([...args, "--json"]));
      const name = /^waybill\.([a-z-]+)\/v1$/u.exec(String(document["schema"]))?.[1] ?? "";
      expect([args, schemaProblem(name, document)]).toEqual([args, null]);
    }
  });

  test("of keys, tokens, a capture, a signature and a statement", async () => {
    using folder = temporaryFolder();
    await Bun.write(folder.at("app/main.ts"), "1\n");
    await Bun.write(folder.at("predicate.json"), "{}");
    const inside = { cwd: folder.path };
    const steps = [
      ["capture", "app", "--manifest", "app.jsonl", "--json"],
      ["key", "new", "--out", "release.key", "--json"],
      ["key", "convert", "release.key.pub", "--to", "ssh", "--json"],
      ["token", "new", "--data", "plane", "--scope", "pins:read", "--env", "prod", "--json"],
      ["token", "list", "--data", "plane", "--json"],
      ["key", "trust", "init", "root.json", "--key", "release.key", "--json"],
      ["sign", "app/main.ts", "--key", "release.key", "--format", "ssh", "--json"],
      [
        "attest",
        "app/main.ts",
        "--predicate",
        "predicate.json",
        "--predicate-type",
        "https://example.com/x",
        "--key",
        "release.key",
        "--format",
        "dsse",
        "--out",
        "main.dsse",
        "--json",
      ],
    ];
    for (const args of steps) {
      const document = jsonOf(await runWaybill(args, inside));
      expect([args, document["ok"]]).toEqual([args, true]);
    }
    // The files that they wrote are the formats that the schemas describe.
    for (const line of readFileSync(folder.at("app.jsonl"), "utf8").trimEnd().split("\n"))
      expect(schemaProblem("manifest-line", JSON.parse(line))).toBeNull();
    const statement = JSON.parse(readFileSync(folder.at("main.dsse"), "utf8"));
    expect(schemaProblem("envelope", statement)).toBeNull();
    expect(schemaProblem("statement", JSON.parse(atob(statement.payload)))).toBeNull();
    const trust = JSON.parse(readFileSync(folder.at("root.json"), "utf8"));
    expect(schemaProblem("envelope", trust)).toBeNull();
    expect(schemaProblem("trust-root", JSON.parse(atob(trust.payload)))).toBeNull();
  });

  test.skipIf(process.platform !== "linux")("of the agent of a host, and of a unit", async () => {
    using folder = temporaryFolder();
    const program = "#!/bin/sh\nexit 0\n";
    const sha256 = new Bun.CryptoHasher("sha256").update(program).digest("hex");
    const entry = { addon_id: "sensor", version: "1", enabled: true, supervision: "systemd_service" };
    const addons = [{ ...entry, artifact_object_key: "sensor", artifact_sha256: sha256 }];
    await Bun.write(folder.at("store/sensor"), program);
    await Bun.write(folder.at("list.json"), JSON.stringify({ addons }));
    const shared = ["--root", "root", "--assignments", "list.json", "--store", "file:store"];
    const staged = await runWaybill(["addon-stage", ...shared, "--allow-unsigned", "sensor", "--json"], {
      cwd: folder.path,
    });
    expect(staged.code).toBe(0);
    const unit = await runWaybill(["addon", "unit", "sensor", "--root", "root", "--json"], {
      cwd: folder.path,
    });
    expect(jsonOf(unit)).toMatchObject({ ok: true, addon_id: "sensor", units: [{}, {}] });

    const child = Bun.spawn([...PROGRAM, "addon", "run", ...shared, "--allow-unsigned", "sensor", "--json"], {
      cwd: folder.path,
      env: { ...CLEAN_ENVIRONMENT },
      stderr: "ignore",
    });
    // It prints its document when it begins, and goes on until it is told.
    const reader = child.stdout.getReader();
    const line = new TextDecoder().decode((await reader.read()).value);
    child.kill("SIGTERM");
    await child.exited;
    checkDocument(line);
    expect(JSON.parse(line)).toMatchObject({ schema: "waybill.addon-run/v1", ok: true, running: true });
  });
});
