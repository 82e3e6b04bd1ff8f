import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { nearest } from "../base/nearest.ts";
import { quoted } from "../base/printable.ts";
import { BUILD } from "../base/version.ts";
import { defineCommand, type Command, type Group } from "../cli/command.ts";
import { describeTree } from "../cli/command-tree.ts";
import { manPage, pageName } from "../cli/man-page.ts";
import { whyUnwritten, writeAtomic } from "../host/files.ts";

export const man: Command = defineCommand({
  name: "man",
  description: "print the manual page of a command, or write all of them",
  args: {
    page: {
      type: "positional",
      required: false,
      description: "waybill-verify-pin; without it, the overview",
    },
    out: { type: "string", valueHint: "DIR", description: "write every page into this folder, as NAME.1" },
  },
  examples: ["waybill man waybill-verify-pin | man -l -", "waybill man --out /usr/local/share/man/man1"],
  exits: [],
  act: async ({ page, out }, world) => {
    if (page !== undefined && out !== undefined)
      throw new Failure("flags_contradict", "PAGE and --out contradict each other", { hint: "give one" });
    const pages = await pagesOf(world.root);
    if (out === undefined) {
      const text = pages.get(page ?? "waybill");
      if (text === undefined) throw noPage(page ?? "", [...pages.keys()]);
      return { exit: EXIT.ok, document: { page: page ?? "waybill", text }, text };
    }
    const folder = resolve(world.cwd, out);
    const files = [...pages.keys()].map((name) => join(folder, `${name}.1`));
    try {
      mkdirSync(folder, { recursive: true });
      for (const [name, text] of pages) writeAtomic(join(folder, `${name}.1`), text, 0o644);
    } catch (cause) {
      throw new Failure(
        "output_not_written",
        `--out ${quoted(out)} cannot be written: ${whyUnwritten(cause)}`,
        {
          cause,
        },
      );
    }
    return { exit: EXIT.ok, document: { files }, text: `${files.join("\n")}\n` };
  },
});

export async function pageNames(root: Group): Promise<string[]> {
  return (await describeTree(root)).map(({ path }) => pageName(path));
}

async function pagesOf(root: Group): Promise<Map<string, string>> {
  const described = await describeTree(root);
  return new Map(
    described.map((one) => [
      pageName(one.path),
      manPage(one, BUILD.version, (BUILD.builtAt ?? "").slice(0, 10)),
    ]),
  );
}

function noPage(page: string, names: readonly string[]): Failure {
  const close = nearest(page, names);
  return new Failure("invalid_value", `there is no page ${quoted(page)}`, {
    hint: close === null ? "see the names with: waybill man" : `did you mean ${close}?`,
  });
}
