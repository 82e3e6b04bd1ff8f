import { join } from "node:path";
import { writeAtomic } from "../../host/files.ts";
import type { Layout } from "../on-host/layout.ts";
import type { HostStatus } from "./status-report.ts";

const MODE = 0o644;

/** `agent.json`: how everything is, for people and programs of this host. Nothing of a configuration is in it. */
export class StatusFile {
  readonly #path: string;
  #written = "";

  constructor(layout: Layout) {
    this.#path = join(layout.root, "agent.json");
  }

  /** Replaces it when it says something else than before. */
  write(status: HostStatus): void {
    const text = `${JSON.stringify(status)}\n`;
    if (text === this.#written) return;
    try {
      writeAtomic(this.#path, text, MODE);
      this.#written = text;
    } catch {
      // A full disk is told by what needs it; this is a copy, and made once there is room.
    }
  }
}
