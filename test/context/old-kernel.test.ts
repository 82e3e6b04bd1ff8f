import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { plantTree, type Planted } from "./support/disk-tree.ts";
import { captureJson } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();
const trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat2"];
const CAN_TRACE = Bun.spawnSync(["sh", "-c", `${trace.join(" ")} true`], { stderr: "ignore" }).exitCode === 0;

/** So many that a second thread helps, with every kind of name and of length that is read in another way. */
function tree(): Planted[] {
  const files = Array.from({ length: 700 }, (_, index) => ({ path: `many/${index}`, text: `${index}` }));
  return [
    ...files,
    { path: "Größe/run", text: "#!/bin/sh\n", mode: 0o755 },
    { path: "large", text: Buffer.alloc(300_000, "large") },
    { path: "larger", text: Buffer.alloc(4_200_000, "larger") },
    { path: "link", target: "many/1" },
  ];
}

test.skipIf(!CAN_TRACE).each(["ENOSYS", "EPERM"])(
  "a kernel or a sandbox that answers openat2 with %s makes no difference to what is found",
  async (code) => {
    const root = plantTree(newFolder(), tree());
    const wanted = await captureJson(root);
    const under = [...trace, "-e", `inject=openat2:error=${code}`];
    const found = await captureJson(root, [], { under });
    expect([found.exit, found.document.digests]).toEqual([0, wanted.document.digests]);
    expect(found.document.context).toEqual(wanted.document.context);
    const [plain, packed] = [join(newFolder(), "context.tar"), join(newFolder(), "context.tar")];
    const usual = await captureJson(root, ["--archive", plain]);
    const archived = await captureJson(root, ["--archive", packed], { under });
    expect(archived.document.digests).toEqual(usual.document.digests);
    expect(readFileSync(packed).equals(readFileSync(plain))).toBe(true);
  },
);
