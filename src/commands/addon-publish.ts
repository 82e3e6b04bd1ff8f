import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { isSafeName, safeName } from "../addons/names.ts";
import { parsePlatform, platformOf, shownPlatform } from "../addons/assigned/platform.ts";
import { publishAddon } from "../addons/operations/publish.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type World } from "../cli/command.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import { readSecret } from "../host/secrets.ts";
import { loadSigningKey } from "../trust/key-file.ts";
import type { SigningKey } from "../trust/signing-key.ts";

export const addonPublish: Command = defineCommand({
  name: "publish",
  description: "sign a program, upload it, publish it as an add-on, and prove that hosts will get it",
  args: {
    file: {
      type: "positional",
      required: true,
      description: "the program, a .tar.gz or .tar.zst bundle, or a directory to be packed",
    },
    id: { type: "string", required: true, valueHint: "ID", description: "the add-on" },
    version: { type: "string", required: true, valueHint: "V", description: "its version" },
    platform: { type: "string", valueHint: "OS/ARCH", description: "what it was built for (this machine)" },
    url: { type: "string", required: true, valueHint: "URL", description: "the control plane" },
    "token-env": {
      type: "string",
      required: true,
      valueHint: "VAR",
      description: "variable that holds a token with addons:write and addons:read",
    },
    key: { type: "string", valueHint: "FILE", description: "the private key that signs the bytes" },
    "key-env": { type: "string", valueHint: "VAR", description: "variable that holds the private key" },
    binary: { type: "string", valueHint: "NAME", description: "its file name on hosts (that of FILE)" },
    assign: { type: "boolean", description: "assign it to every host of the token's environment" },
    "allow-insecure-http": { type: "boolean", description: "take http for loopback addresses" },
  },
  examples: [
    "waybill addon publish dist/sensor --id sensor --version 1.2.0 --platform linux/arm64 --url https://cp.example.com --token-env CP_TOKEN --key release.key --assign",
  ],
  exits: [
    ...(["auth", "policy", "untrusted", "missing", "mismatch", "rejected", "protocol"] as const),
    ...(["conflict", "transport", "server", "unknown", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0 },
  act: async (flags, world) => {
    const here = platformOf(process.platform, process.arch);
    const platform = flags.platform === undefined ? here : parsePlatform(flags.platform, "--platform");
    const id = safeName(flags.id, "--id");
    const version = safeName(flags.version, "--version");
    const binaryName = flags.binary ?? basename(flags.file);
    if (!isSafeName(binaryName)) {
      throw new Failure("unsafe_path", `the program would be called ${quoted(binaryName)} on hosts`, {
        hint: "name it with --binary NAME",
      });
    }
    const controlPlane = parseEndpoint(flags.url, {
      from: "--url",
      allowInsecureHttp: flags["allow-insecure-http"],
      path: "allowed",
    });
    const token = readSecret({ variable: flags["token-env"] }, world.env, "bearer token");
    world.secrets.register(token);
    const key = signingKey(flags.key, flags["key-env"], world);
    if (key === null) {
      world.say.warn("published without a signature: hosts refuse it unless they run with --allow-unsigned");
    }
    const packed = await packDirectory(resolve(world.cwd, flags.file), world);
    const published = await publishAddon({
      file: packed.file,
      id,
      version,
      platform,
      binaryName,
      controlPlane,
      token,
      key,
      assign: flags.assign,
      stop: world.stop,
    }).finally(packed.remove);
    return {
      exit: EXIT.ok,
      document: {
        checked: 1,
        outcome: published.outcome,
        addon_id: id,
        version,
        platform: shownPlatform(platform),
        binary: binaryName,
        object_key: published.objectKey,
        digest: `sha256:${published.sha256}`,
        bytes: published.size,
        signature: published.signature === "" ? null : published.signature,
        keyid: published.keyid,
        stored: published.stored,
        assigned: flags.assign,
      },
      text: `${id} ${version} ${shownPlatform(platform)}: ${flags.assign ? "assigned" : "published"} sha256:${published.sha256}\n`,
    };
  },
});

/** A directory as a bundle of its files, in a file that is to be removed; a file as it is. */
async function packDirectory(path: string, world: World): Promise<{ file: string; remove: () => void }> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    return { file: path, remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), "waybill-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const { makeBundle } = await import("../addons/bundle/make-bundle.ts");
    const file = join(folder, "bundle.tar.gz");
    await makeBundle(path, file, world.stop);
    return { file, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function signingKey(file: string | undefined, variable: string | undefined, world: World): SigningKey | null {
  if (file !== undefined && variable !== undefined) {
    throw new Failure("flags_contradict", "--key and --key-env both name the private key", {
      hint: "give one",
    });
  }
  if (file !== undefined) return loadSigningKey({ file: resolve(world.cwd, file) });
  if (variable === undefined) return null;
  const text = world.env[variable] ?? "";
  if (text.trim() === "") {
    throw new Failure(
      "credential_missing",
      `the variable ${quoted(variable)} of --key-env is not set or is empty`,
    );
  }
  world.secrets.register(text);
  return loadSigningKey({ text, from: `the key in ${quoted(variable)}` });
}
