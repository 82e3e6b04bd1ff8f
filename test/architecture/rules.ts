import { DECIDING } from "./deciding-files.ts";
import { codeOf, folderOf, importsOf, type SourceTree } from "./source-tree.ts";

/** Who may import what. A folder knows itself; what is not named here is an arrow that points up or sideways. */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  host: ["base"],
  source: ["base", "host"],
  // A capture says of a context which commit it came from.
  context: ["base", "host", "source"],
  trust: ["base", "host"],
  stores: ["base", "host"],
  pins: ["base", "host", "trust"],
  addons: ["base", "host", "stores", "trust"],
  // It enforces the policies that promotions are held against, and keeps bytes in a store of ours.
  "control-plane": ["base", "host", "trust", "stores"],
  cli: ["base", "host"],
  commands: [
    "base",
    "host",
    "source",
    "context",
    "trust",
    "stores",
    "pins",
    "addons",
    "control-plane",
    "cli",
  ],
  "main.ts": ["base", "host", "cli", "commands"],
};

/** Modules that are not ours, and the files that may use them. Node's harmless ones are not listed. */
export const OWNERS: Readonly<Record<string, RegExp>> = {
  "@nats-io/": /^stores\/nats\.ts$/u,
  "@noble/": /^(?:trust\/|base\/reference-hashing\.ts$)/u,
  citty: /^cli\//u,
  consola: /^cli\/speaker\.ts$/u,
  "bun:jsc": /^host\/compiler\.ts$/u,
  "bun:ffi": /^host\//u,
  "bun:sqlite": /^control-plane\//u,
  bun: /^control-plane\//u,
  "node:buffer": /./u,
  "node:fs": /^(?!base\/)/u,
  "node:net": /^control-plane\//u,
  "node:crypto": /^(?!base\/)/u,
  "node:os": /^(?:commands|host)\//u,
  "node:path": /./u,
  "node:stream/promises": /^addons\/bundle\//u,
  "node:tty": /^(?:cli|host)\/|^commands\/key-flags\.ts$/u,
  "node:url": /./u,
  "node:zlib": /./u,
};

/** What one file alone, or one folder alone, may do. */
export const DOORS: readonly { readonly what: RegExp; readonly may: RegExp }[] = [
  { what: /\bfetch\(/u, may: /^host\/http\.ts$/u },
  { what: /\bprocess\.exit\(/u, may: /^main\.ts$/u },
  { what: /\bprocess\.(?:env|argv)\b/u, may: /^main\.ts$/u },
  { what: /\bBun\.spawn/u, may: /^host\/(?:processes|children)\.ts$/u },
  { what: /\bnew Worker\(/u, may: /^host\/threads\.ts$/u },
  { what: /\bBun\.serve\(/u, may: /^control-plane\/http\/server\.ts$/u },
  {
    what: /\bBun\.(?:connect|listen|udpSocket|s3|S3Client|SQL|sql|redis|dns)\b/u,
    may: /^host\/reachable\.ts$/u,
  },
  { what: /\bnew (?:WebSocket|XMLHttpRequest|EventSource|Function)\b|\beval\(/u, may: /^$/u },
  { what: /\bBun\.\$|\bBun\.(?:Archive|gunzipSync)\b/u, may: /^$/u },
  { what: /\bconsole\./u, may: /^$/u },
];

/** Whatever reads the world, the clock or a die. Hashing and comparing are computing, wherever they come from. */
const WORLD =
  /\bBun\.(?!CryptoHasher\b|deepEquals\b|stripANSI\b)\w+|\bfetch\(|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.|\bperformance\.|\bset(?:Timeout|Interval|Immediate)\(|\brandom(?:Bytes|UUID|Int)\b|\bgetRandomValues\b|\bgenerateKeyPair|\bgetRandom/u;
const PURE_MODULES = new Set([
  "node:buffer",
  "node:path",
  "node:crypto",
  "@noble/ed25519",
  "@noble/hashes/sha2.js",
]);

export const MOST_LINES = 260;

export function isDeciding(path: string): boolean {
  const names = DECIDING[folderOf(path)] ?? [];
  const name = path.slice(folderOf(path).length + 1).replace(/\.ts$/u, "");
  return names.some(
    (known) => known === name || (known.endsWith("*") && name.startsWith(known.slice(0, -1))),
  );
}

/** Names of DECIDING that no file has. */
export function missingDeciders(tree: SourceTree): string[] {
  return Object.entries(DECIDING).flatMap(([folder, names]) =>
    names
      .filter(
        (name) => ![...tree.keys()].some((path) => folderOf(path) === folder && matchesName(path, name)),
      )
      .map((name) => `${folder}/${name}`),
  );
}

function matchesName(path: string, name: string): boolean {
  const own = path.slice(folderOf(path).length + 1).replace(/\.ts$/u, "");
  return name.endsWith("*") ? own.startsWith(name.slice(0, -1)) : own === name;
}

/** Every permission that nothing in the tree makes use of: it would let in what nobody looked at. */
export function idlePermissions(tree: SourceTree): string[] {
  const imports = [...tree].flatMap(([path, text]) =>
    importsOf(path, text).map(({ target, isOwn }) => ({ from: folderOf(path), path, target, isOwn })),
  );
  const arrows = Object.entries(ARROWS).flatMap(([from, to]) =>
    to
      .filter(
        (folder) => !imports.some((one) => one.from === from && one.isOwn && folderOf(one.target) === folder),
      )
      .map((folder) => `${from} need not know ${folder}`),
  );
  const owners = Object.entries(OWNERS)
    .filter(([name, may]) => !imports.some((one) => may.test(one.path) && isModule(one.target, name)))
    .map(([name]) => `nobody imports ${name}`);
  const doors = DOORS.filter(
    ({ what, may }) =>
      may.source !== "^$" && ![...tree].some(([path, text]) => may.test(path) && what.test(codeOf(text))),
  ).map(({ what }) => `nobody uses ${what.source}`);
  return [...arrows, ...owners, ...doors];
}

/** Every rule that the tree breaks, one line each: `cli/run.ts imports commands/root.ts: cli may not know commands`. */
export function violations(tree: SourceTree): string[] {
  return [...tree].flatMap(([path, text]) => [
    ...arrowViolations(path, text, tree),
    ...doorViolations(path, text),
    ...(isDeciding(path) ? decidingViolations(path, text) : []),
    ...(text.split("\n").length - 1 > MOST_LINES ? [`${path} has more than ${MOST_LINES} lines`] : []),
  ]);
}

function arrowViolations(path: string, text: string, tree: SourceTree): string[] {
  const folder = folderOf(path);
  const allowed = ARROWS[folder];
  if (allowed === undefined) return [`${path} is in a folder that has no place in the order: ${folder}`];
  return importsOf(path, text).flatMap((found) => {
    if (!found.isOwn) return moduleViolations(path, found.target);
    if (!tree.has(found.target)) return [`${path} imports ${found.target}, which is not in src`];
    const target = folderOf(found.target);
    return target === folder || allowed.includes(target)
      ? []
      : [`${path} imports ${found.target}: ${folder} may not know ${target}`];
  });
}

function moduleViolations(path: string, name: string): string[] {
  const owner = Object.entries(OWNERS).find(([known]) => isModule(name, known));
  if (owner === undefined) return [`${path} imports ${name}, which nobody may`];
  return owner[1].test(path) ? [] : [`${path} imports ${name}, which is not its to use`];
}

/** `known` is a module, or with a slash at its end the scope of several. */
function isModule(name: string, known: string): boolean {
  return name === known || name.startsWith(known.endsWith("/") ? known : `${known}/`);
}

function doorViolations(path: string, text: string): string[] {
  const code = codeOf(text);
  return DOORS.flatMap(({ what, may }) => {
    const found = what.exec(code);
    return found === null || may.test(path) ? [] : [`${path} uses ${found[0]}, which is not its to use`];
  });
}

function decidingViolations(path: string, text: string): string[] {
  const world = WORLD.exec(codeOf(text));
  const touched = world === null ? [] : [`${path} decides and uses ${world[0]}`];
  const imported = importsOf(path, text)
    .filter((found) => !found.isType)
    .filter((found) => (found.isOwn ? !isDeciding(found.target) : !PURE_MODULES.has(found.target)))
    .map((found) => `${path} decides and imports ${found.target}, which does not`);
  return [...touched, ...imported];
}
