import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/** A file or link to be made. Text names are UTF-8; a latin1 byte string names one that is not. */
export type Planted =
  | { readonly path: string | Buffer; readonly text: string | Buffer; readonly mode?: number }
  | { readonly path: string | Buffer; readonly target: string | Buffer };

/** Makes the tree below `root`, in the given order, with the directories that it needs. */
export function plantTree(root: string, tree: readonly Planted[]): string {
  mkdirSync(root, { recursive: true });
  for (const planted of tree) {
    const place = placeIn(root, planted.path);
    mkdirSync(typeof planted.path === "string" ? dirname(place.toString()) : root, { recursive: true });
    if ("target" in planted) {
      symlinkSync(planted.target, place);
      continue;
    }
    writeFileSync(place, planted.text);
    if (planted.mode !== undefined) chmodSync(place, planted.mode);
  }
  return root;
}

export function placeIn(root: string, path: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path)]);
}

/** Files by name and text, the shortest form of a tree. */
export function plantFiles(root: string, files: Readonly<Record<string, string>>): string {
  return plantTree(
    root,
    Object.entries(files).map(([path, text]) => ({ path, text })),
  );
}

/** Everything below a folder as "name kind content" in latin1, sorted, for comparing two trees. */
export function snapshot(root: string, below: Buffer = Buffer.alloc(0)): string[] {
  const lines = readdirSync(placeIn(root, below), { encoding: "buffer" }).flatMap((name) => {
    const path = below.length === 0 ? name : Buffer.concat([below, Buffer.from("/"), name]);
    const place = placeIn(root, path);
    const status = lstatSync(place);
    const shown = path.toString("latin1");
    if (status.isDirectory()) return [`${shown} dir`, ...snapshot(root, path)];
    if (status.isSymbolicLink()) return [`${shown} link ${readlinkSync(place, { encoding: "latin1" })}`];
    return [`${shown} ${(status.mode & 0o100) === 0 ? 644 : 755} ${readFileSync(place).toString("latin1")}`];
  });
  return lines.sort();
}
