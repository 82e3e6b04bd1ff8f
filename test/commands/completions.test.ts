import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { BINARY, jsonOf, runProgram, runWaybill } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";

// Each starts shells; a busy machine takes its time.
setDefaultTimeout(120_000);

async function answer(line: readonly string[], cwd = "/"): Promise<string[]> {
  const finished = await runWaybill(["completions", "words"], { cwd, stdin: `${line.join("\0")}\0` });
  expect(finished).toMatchObject({ code: 0, stderr: "" });
  return finished.stdout
    .trimEnd()
    .split("\n")
    .map((one) => one.split("\t")[0] ?? "");
}

describe("completions words", () => {
  test("knows the environments of the configuration that the line names", async () => {
    using folder = temporaryFolder();
    const environments = { prod: { url: "https://a.example" }, "prod-eu": { url: "https://b.example" } };
    writeFileSync(folder.at("targets.json"), JSON.stringify({ environments }));
    const line = ["promote", "--config", "targets.json", "--env"];
    expect(await answer([...line, ""], folder.path)).toEqual(["values", "prod", "prod-eu"]);
    expect(await answer([...line, "prod-"], folder.path)).toEqual(["values", "prod-eu"]);
    expect(await answer(["promote", "--config", "missing.json", "--env", ""], folder.path)).toEqual([
      "values",
    ]);
  });

  test("knows the add-ons of the root that the line names", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.at("addons/sensor/versions"), { recursive: true, mode: 0o755 });
    expect(await answer(["addon", "rollback", "--root", folder.path, ""])).toEqual(["values", "sensor"]);
  });

  test("knows schemas, pages and shells", async () => {
    expect(await answer(["schema", "verify-p"])).toEqual(["values", "verify-pin"]);
    expect(await answer(["man", "waybill-key-t"])).toContain("waybill-key-trust-add");
    expect(await answer(["completions", ""])).toEqual(["values", "bash", "zsh", "fish"]);
  });

  test("takes no word for a flag of its own", async () => {
    expect(await answer(["verify", "pin", "--help", "--json", "--template"])).toEqual([
      "values",
      "--template",
    ]);
  });

  test("refuses another shell", async () => {
    const finished = await runWaybill(["completions", "tcsh", "--json"]);
    expect(finished.code).toBe(2);
    expect(jsonOf(finished)["error"]).toMatchObject({ code: "invalid_value" });
  });
});

/** Runs a line of a shell with `waybill` on its path and the script beside it. */
async function inShell(shell: string, words: readonly string[], folder: string): Promise<string[]> {
  const script = await runWaybill(["completions", shell]);
  writeFileSync(`${folder}/script`, script.stdout);
  const finished = await runProgram(words, {
    cwd: folder,
    env: { PATH: `${dirname(BINARY ?? "/nowhere/waybill")}:${process.env["PATH"] ?? ""}`, HOME: folder },
  });
  expect(finished).toMatchObject({ code: 0, stderr: "" });
  return finished.stdout
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

describe.skipIf(BINARY === null)("in a real shell (needs the compiled binary)", () => {
  const bash = (words: readonly string[]): string[] => [
    "bash",
    "--norc",
    "-c",
    'compopt() { :; }; source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _waybill; printf "%s\\n" "${COMPREPLY[@]}"',
    "bash",
    "waybill",
    ...words,
  ];
  const bashCases: [string[], string[]][] = [
    [["verify", "pi"], ["pin"]],
    [
      ["sign", "--format", ""],
      ["dsse", "minisign", "raw", "ssh"],
    ],
    // Bash splits here, and puts back only the last piece.
    [["sign", "--format", "=", "r"], ["raw"]],
    [["sign", "--key", "rel"], ["release.key"]],
    [["sign", "--key", "=", "rel"], ["release.key"]],
    [["capture", ""], ["folder"]],
  ];
  test.each(bashCases)("bash completes %j", async (line, wanted) => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("release.key"), "");
    mkdirSync(folder.at("folder"));
    expect(await inShell("bash", bash(line), folder.path)).toEqual(wanted);
  });

  const fishCases: [string, string[]][] = [
    ["waybill verify pi", ["pin\tread pins back and compare them with what they should be"]],
    ["waybill sign --format ", ["dsse", "minisign", "raw", "ssh"]],
    ["waybill sign --format=r", ["--format=raw"]],
    ["waybill sign --key=rel", ["--key=release.key"]],
  ];
  test.skipIf(Bun.which("fish") === null).each(fishCases)("fish completes %j", async (line, wanted) => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("release.key"), "");
    const command = `source ./script; complete -C ${JSON.stringify(line)}`;
    expect(await inShell("fish", ["fish", "--no-config", "-c", command], folder.path)).toEqual(wanted);
  });

  const zshCases: [string[], string[]][] = [
    [["verify", "pi"], ["values pin"]],
    [
      ["sign", "--format", ""],
      ["values dsse", "values minisign", "values raw", "values ssh"],
    ],
    [["sign", "--key=rel"], ["files"]],
    [["capture", ""], ["files -/"]],
  ];
  test.skipIf(Bun.which("zsh") === null).each(zshCases)("zsh completes %j", async (line, wanted) => {
    using folder = temporaryFolder();
    // What the completion system would be told.
    const command = [
      "compdef() { :; }; compset() { :; }; _files() { print -r -- files $@; }",
      "compadd() { for value in $values; do print -r -- values $value; done; }",
      'source ./script; words=(waybill "$@"); CURRENT=$#words; PREFIX=$words[-1]; _waybill',
    ].join("\n");
    expect(await inShell("zsh", ["zsh", "-f", "-c", command, "zsh", ...line], folder.path)).toEqual(wanted);
  });
});

const PROMPT = "ready> ";

/** What stands on the line of an interactive shell after the keys, the last of which is tab. */
async function typed(shell: readonly string[], rc: string, keys: string): Promise<string> {
  using folder = temporaryFolder();
  const name = shell[0] ?? "";
  const script = await runWaybill(["completions", name]);
  writeFileSync(folder.at("script"), script.stdout);
  writeFileSync(folder.at(".zshrc"), rc);
  writeFileSync(folder.at("bashrc"), rc);
  writeFileSync(folder.at("release.key"), "");
  const decoder = new TextDecoder();
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let shown = "";
  const child = Bun.spawn([...shell], {
    cwd: folder.path,
    env: {
      PATH: `${dirname(BINARY ?? "/nowhere/waybill")}:${process.env["PATH"] ?? ""}`,
      HOME: folder.path,
      ZDOTDIR: folder.path,
      TERM: "xterm",
      LANG: "C.UTF-8",
    },
    terminal: {
      cols: 200,
      rows: 40,
      data: (_terminal, bytes) => {
        shown += decoder.decode(bytes, { stream: true });
        if (shown.includes(PROMPT)) ready.resolve();
      },
      exit: () => ended.resolve(),
    },
  });
  const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await Promise.race([ready.promise, child.exited]);
  // Ctrl-A goes to the begin of the line: what was completed is printed, each word for itself.
  child.terminal?.write(`${keys}\x01printf '[%s]' \rexit\r`);
  await child.exited;
  clearTimeout(late);
  child.terminal?.close();
  await ended.promise;
  return /\[waybill\](?:\[[^\]]*\])*/u.exec(shown.replaceAll("[%s]", ""))?.[0] ?? shown;
}

describe.skipIf(BINARY === null)("at the keyboard (needs the compiled binary)", () => {
  const lines: [string, string][] = [
    ["waybill veri\tpi\t", "[waybill][verify][pin]"],
    ["waybill sign --form\tmini\t", "[waybill][sign][--format][minisign]"],
    ["waybill sign --key rel\t", "[waybill][sign][--key][release.key]"],
    ["waybill sign --key=rel\t", "[waybill][sign][--key=release.key]"],
  ];
  test.each(lines)("bash makes %j", async (keys, wanted) => {
    const rc = `PS1='${PROMPT}'\nbind 'set enable-bracketed-paste off'\nsource ./script\n`;
    expect(await typed(["bash", "--noprofile", "--rcfile", "bashrc", "-i"], rc, keys)).toBe(wanted);
  });

  test.skipIf(Bun.which("zsh") === null).each(lines)("zsh makes %j", async (keys, wanted) => {
    const rc = `PS1='${PROMPT}'\nautoload -U compinit && compinit -D\nsource ./script\n`;
    expect(await typed(["zsh", "-d", "-i"], rc, keys)).toBe(wanted);
  });
});
