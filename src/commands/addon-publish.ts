import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { isSafeName, safeName } from "../addons/names.ts";
import { parsePlatform, platformOf, shownPlatform } from "../addons/assigned/platform.ts";
import { publishAddon } from "../addons/operations/publish.ts";
import { compareVersions } from "../addons/version-order.ts";
import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import { parseEndpoint } from "../host/endpoint.ts";
import { coSignOutcome, refuseWithAddSignature } from "./addon-co-sign.ts";
import { readSigningKeys, SIGNING_KEY_FLAGS } from "./key-flags.ts";
import { readStoreList, STORE_FLAGS } from "./store-flags.ts";
import { readSecret } from "../host/secrets.ts";

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
    ...SIGNING_KEY_FLAGS,
    key: {
      ...SIGNING_KEY_FLAGS.key,
      repeat: true,
      description: `${SIGNING_KEY_FLAGS.key.description}; all of several sign`,
    },
    "add-signature": {
      type: "boolean",
      description:
        "sign what is published already, with what its statement says, beside whoever signed before",
    },
    store: {
      ...STORE_FLAGS.store,
      description:
        "put it there as well: file:, https: (by PUT), s3:, oci: or nats: (hosts name the same stores)",
    },
    "store-token-env": STORE_FLAGS["store-token-env"],
    "store-cert": STORE_FLAGS["store-cert"],
    "store-key": STORE_FLAGS["store-key"],
    "docker-config": STORE_FLAGS["docker-config"],
    "nats-creds": STORE_FLAGS["nats-creds"],
    "store-timeout": { ...STORE_FLAGS["store-timeout"], description: "ceiling for one store" },
    cacert: STORE_FLAGS.cacert,
    binary: { type: "string", valueHint: "NAME", description: "its file name on hosts (that of FILE)" },
    expires: {
      type: "string",
      valueHint: "90d",
      description: "how long hosts may still take it; what runs by then goes on (for ever)",
    },
    "minimum-version": {
      type: "string",
      valueHint: "V",
      description: "no host that saw this one takes an older version than V again",
    },
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
    const keys = await readSigningKeys(flags, world);
    if (flags["add-signature"]) {
      refuseWithAddSignature(flags, keys.length);
      const reach = readStoreList(flags, flags["allow-insecure-http"], shownPlatform(platform), world).choice
        .reach;
      const file = resolve(world.cwd, flags.file);
      return coSignOutcome({
        file,
        id,
        version,
        platform,
        reach,
        controlPlane,
        token,
        keys,
        stop: world.stop,
      });
    }
    if (keys.length === 0) {
      world.say.warn("published without a signature: hosts refuse it unless they run with --allow-unsigned");
    }
    const insecure = flags["allow-insecure-http"];
    const { stores, choice } = readStoreList(flags, insecure, shownPlatform(platform), world);
    const claims = readClaims(flags, version, keys.length > 0, world.now());
    const packed = await packDirectory(resolve(world.cwd, flags.file), world);
    const published = await publishAddon({
      file: packed.file,
      id,
      version,
      platform,
      binaryName,
      stores,
      storeMs: parseDuration(flags["store-timeout"], "--store-timeout"),
      reach: choice.reach,
      controlPlane,
      token,
      keys,
      assign: flags.assign,
      ...claims,
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
        keyid: published.keyids[0] ?? null,
        keyids: published.keyids,
        expires: claims.expires?.toISOString() ?? null,
        stored: published.stored,
        stores: published.storedIn,
        assigned: flags.assign,
      },
      text: `${id} ${version} ${shownPlatform(platform)}: ${flags.assign ? "assigned" : "published"} sha256:${published.sha256}\n`,
    };
  },
});

/** What only the signed statement can say. */
function readClaims(
  flags: { readonly expires: string | undefined; readonly "minimum-version": string | undefined },
  version: string,
  isSigned: boolean,
  now: Date,
): { now: Date; expires: Date | null; minimumVersion: string } {
  const { expires, "minimum-version": minimumVersion = "" } = flags;
  if (!isSigned && (expires !== undefined || minimumVersion !== "")) {
    throw new Failure(
      "flags_contradict",
      "--expires and --minimum-version are said in the signed statement",
      {
        hint: "give --key or --key-env",
      },
    );
  }
  if (minimumVersion !== "" && !["newer", "same"].includes(compareVersions(version, minimumVersion))) {
    throw new Failure(
      "invalid_value",
      `--minimum-version is ${quoted(minimumVersion)}; wanted a version that is not newer than ${quoted(version)}`,
    );
  }
  const until = expires === undefined ? null : now.getTime() + parseDuration(expires, "--expires");
  return { now, expires: until === null ? null : new Date(until), minimumVersion };
}

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
