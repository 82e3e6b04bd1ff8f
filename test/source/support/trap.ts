import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../../src/base/hashing.ts";

/** A program that leaves a marker when somebody runs it. */
export class Trap {
  readonly marker: string;
  /** Absolute path of the program; it passes its input on, so that it also works as a filter or pager. */
  readonly program: string;
  /** The same, but it says nothing and fails at once: for who would wait for an answer. */
  readonly failing: string;

  constructor(folder: string) {
    this.marker = join(folder, "marker");
    this.program = join(folder, "trap");
    this.failing = join(folder, "failing-trap");
    writeFileSync(this.program, `#!/bin/sh\necho "$0 $*" >> '${this.marker}'\nexec cat\n`);
    writeFileSync(this.failing, `#!/bin/sh\necho "$0 $*" >> '${this.marker}'\nexit 1\n`);
    for (const program of [this.program, this.failing]) chmodSync(program, 0o755);
  }

  /** Whether it was run since the last question. */
  sprung(): boolean {
    const sprung = existsSync(this.marker);
    rmSync(this.marker, { force: true });
    return sprung;
  }
}

/** Everything about the files below a folder that a writer would change, reading left out. */
export function stateOf(folder: string): Readonly<Record<string, string>> {
  const state: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    const place = join(folder, name);
    const status = lstatSync(place, { bigint: true });
    const content = status.isFile()
      ? sha256Of(readFileSync(place))
      : status.isSymbolicLink()
        ? readlinkSync(place)
        : "";
    state[name] = `${status.mode} ${status.ino} ${status.mtimeNs} ${status.ctimeNs} ${content}`;
  }
  return state;
}
