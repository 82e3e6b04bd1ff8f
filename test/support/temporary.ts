import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type TemporaryFolder = Disposable & {
  readonly path: string;
  /** The path of a name inside. */
  readonly at: (...names: readonly string[]) => string;
};

/** An empty folder that is removed at the end of the scope: `using folder = temporaryFolder()`. */
export function temporaryFolder(): TemporaryFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "waybill-test-")));
  return {
    path,
    at: (...names) => join(path, ...names),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
