import { resolve } from "node:path";
import { parsePlatform, platformOf, shownPlatform } from "../addons/platform.ts";
import { Layout, type LayoutName } from "../addons/layout.ts";
import { parseAssignmentsSource } from "../addons/assignments-source.ts";
import { exitOf } from "../addons/outcome.ts";
import { addonDocument, describeResults } from "../addons/stage-document.ts";
import { stageHost } from "../addons/stage-host.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { parseDuration } from "../cli/durations.ts";
import type { Values } from "../cli/flags.ts";
import { readSecret } from "../host/secrets.ts";
import { chooseStore, openReference } from "../stores/choose.ts";
import { publicKeyArgument } from "../trust/file-or-text.ts";
import { parsePublicKey, type PublicKey } from "../trust/public-key.ts";

const LAYOUTS: LayoutName[] = ["waybill", "serviceradar"];

const FLAGS = {
  assignments: {
    type: "string",
    required: true,
    valueHint: "FILE|-|URL",
    description: "what is assigned to this host",
  },
  "token-env": {
    type: "string",
    valueHint: "VAR",
    description: "variable that holds the bearer token of that URL",
  },
  root: { type: "string", required: true, valueHint: "DIR", description: "where add-ons are staged" },
  override: { type: "string", valueHint: "FILE", description: "this host's own addons.local.json" },
  store: { type: "string", valueHint: "URL", description: "where artifacts lie: file:DIR or https://…" },
  "store-token-env": {
    type: "string",
    valueHint: "VAR",
    description: "variable that holds the store's bearer token",
  },
  key: {
    type: "string",
    repeat: true,
    valueHint: "FILE|TEXT",
    description: "an Ed25519 public key; any of several may have signed",
  },
  "allow-unsigned": {
    type: "string",
    repeat: true,
    valueHint: "ID",
    description: "let this add-on be unsigned",
  },
  platform: {
    type: "string",
    valueHint: "OS/ARCH",
    description: "stage for another platform than this machine",
  },
  layout: {
    type: "enum",
    options: LAYOUTS,
    default: "waybill",
    description: "whose file names, and whose variable for the key",
  },
  replace: { type: "boolean", description: "stage other bytes of a staged version beside the old ones" },
  strict: { type: "boolean", description: "fail when no assignment list was ever fetched and none can be" },
  "lock-timeout": {
    type: "string",
    valueHint: "30s",
    default: "30s",
    description: "how long to wait for another run",
  },
  "allow-insecure-http": { type: "boolean", description: "take http for loopback addresses" },
} as const;

export const addonStage: Command = defineCommand({
  name: "addon-stage",
  description: "bring this host to its assigned add-ons: fetch, verify, stage, switch",
  args: FLAGS,
  examples: [
    "waybill addon-stage --assignments https://cp.example.com/v1/addons/assignments --token-env CP_TOKEN --store https://cp.example.com/v1/artifacts --store-token-env CP_TOKEN --key release.pub --root /var/lib/waybill",
    "waybill addon-stage --assignments list.json --store file:/mnt/artifacts --key release.pub --root /var/lib/waybill",
  ],
  exits: [
    ...(["partial", "auth", "policy", "untrusted", "missing", "protocol"] as const),
    ...(["rejected", "conflict", "transport", "server", "interrupted", "terminated"] as const),
  ],
  emptyDocument: { checked: 0, addons: [], warnings: [] },
  act: addonStageAct,
});

async function addonStageAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  const here = platformOf(process.platform, process.arch);
  const platform = flags.platform === undefined ? here : parsePlatform(flags.platform, "--platform");
  const layout = new Layout(resolve(world.cwd, flags.root), layoutName(flags.layout));
  const allowInsecureHttp = flags["allow-insecure-http"];
  const source = parseAssignmentsSource(flags.assignments, {
    token: token(flags["token-env"], world),
    allowInsecureHttp,
    cwd: world.cwd,
  });
  if (flags.store === undefined && flags["store-token-env"] !== undefined) {
    throw new Failure("flags_contradict", "--store-token-env was given without --store");
  }
  const choice = { token: token(flags["store-token-env"], world), allowInsecureHttp, cwd: world.cwd };
  const store = flags.store === undefined ? null : chooseStore(flags.store, choice);
  const report = await stageHost({
    source,
    overrideFile: flags.override === undefined ? null : resolve(world.cwd, flags.override),
    strict: flags.strict,
    lockBudgetMs: parseDuration(flags["lock-timeout"], "--lock-timeout", { least: 0 }),
    run: {
      layout,
      platform,
      isHost: shownPlatform(platform) === shownPlatform(here),
      keys: readKeys(flags.key, layout.name, world),
      allowUnsigned: new Set(flags["allow-unsigned"]),
      replace: flags.replace,
      open: (read) => openReference(store, choice, read),
      stop: world.stop,
    },
  });
  for (const warning of report.warnings) world.say.warn(warning.message);
  return {
    exit: exitOf(report.results),
    document: {
      checked: report.results.length,
      addons: report.results.map(addonDocument),
      warnings: report.warnings,
      assignments: report.assignments,
      root: layout.root,
      layout: layout.name,
      platform: shownPlatform(platform),
    },
    text: describeResults(report.results),
    failures: report.results.flatMap(({ addonId, failure }) =>
      failure === null
        ? []
        : [new Failure(failure.code, `add-on ${quoted(addonId)}: ${failure.message}`, failure)],
    ),
  };
}

function layoutName(text: string): LayoutName {
  return text === "serviceradar" ? "serviceradar" : "waybill";
}

function token(variable: string | undefined, world: World): string | undefined {
  if (variable === undefined) return undefined;
  const value = readSecret({ variable }, world.env, "bearer token");
  world.secrets.register(value);
  return value;
}

/** The keys that may sign; in the original's layout its own variable counts when no flag is there. */
function readKeys(values: readonly string[], layout: LayoutName, world: World): PublicKey[] {
  const variable = "SERVICERADAR_AGENT_RELEASE_PUBLIC_KEY";
  const text = world.env[variable] ?? "";
  if (values.length === 0 && layout === "serviceradar" && text.trim() !== "") {
    return [parsePublicKey(text, `$${variable}`)];
  }
  return values.map((value) => publicKeyArgument(value, "--key"));
}
