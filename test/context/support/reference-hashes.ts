import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

export type Leaf = { readonly path: Buffer; readonly mode: string; readonly content: Buffer };

/** Every file and link below a folder, in no order; links are not followed. Written apart from the product. */
export function leavesOf(root: string, below: Buffer = Buffer.alloc(0)): Leaf[] {
  const at = (path: Buffer): Buffer => Buffer.concat([Buffer.from(`${root}/`), path]);
  return readdirSync(at(below), { encoding: "buffer" }).flatMap((name): Leaf[] => {
    const path = below.length === 0 ? name : Buffer.concat([below, Buffer.from("/"), name]);
    const status = lstatSync(at(path));
    if (status.isDirectory()) return leavesOf(root, path);
    if (status.isSymbolicLink())
      return [{ path, mode: "120000", content: readlinkSync(at(path), { encoding: "buffer" }) }];
    return [
      { path, mode: (status.mode & 0o100) === 0 ? "100644" : "100755", content: readFileSync(at(path)) },
    ];
  });
}

/** The tree hash by its definition: byte-sorted `path NUL mode NUL sha256hex` lines, joined by line feeds. */
export function referenceTreeHash(leaves: readonly Leaf[]): string {
  const lines = [...leaves]
    .sort((a, b) => Buffer.compare(a.path, b.path))
    .map(({ path, mode, content }) =>
      Buffer.concat([path, Buffer.from(`\0${mode}\0${createHash("sha256").update(content).digest("hex")}`)]),
    );
  const hash = createHash("sha256");
  for (const [index, line] of lines.entries()) hash.update(index === 0 ? "" : "\n").update(line);
  return hash.digest("hex");
}
