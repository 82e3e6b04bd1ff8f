import type { LockTurn } from "../../host/lock-turn.ts";
import type { Download, Wanted as DownloadWanted } from "../../stores/download.ts";
import type { ArtifactReference } from "../../stores/sources.ts";
import type { Attempts } from "./attempts.ts";
import type { Assignment } from "../assigned/assignment.ts";
import type { AddonResult } from "./outcome.ts";
import type { AuditEvent } from "../audit/audit-chain.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import type { Layout } from "../on-host/layout.ts";
import type { Platform } from "../assigned/platform.ts";
import type { Warning } from "../warning.ts";
import type { ReleaseKeys } from "./release-signers.ts";

/** What a run knows besides the assignments. */
export type Run = {
  readonly layout: Layout;
  readonly platform: Platform;
  /** Whether `platform` is this machine. */
  readonly isHost: boolean;
  readonly keys: ReleaseKeys;
  readonly allowUnsigned: ReadonlySet<string>;
  readonly replace: boolean;
  /** The time, not before any that was ever seen here. */
  readonly now: Date;
  readonly maxArtifactBytes: number;
  /** Brings an artifact from the stores to the file `part`, which is gone on with when it is there. */
  readonly download: (
    wanted: ArtifactReference & DownloadWanted,
    part: string,
    stop: AbortSignal,
  ) => Promise<Download>;
  readonly stop: AbortSignal;
  readonly warn: (warning: Warning) => void;
  readonly audit: AuditLog;
  readonly attempts: Attempts;
  /** Whose turn it is to change the root: given up while a store is waited for. */
  readonly turn: LockTurn;
  /** The supervision models that somebody watches over, who says when a version is known good. */
  readonly gated?: ReadonlySet<string>;
  /** Asked before an add-on becomes something else; with a warning it stays what it is. */
  readonly steady?: (assignment: Assignment) => Warning | null;
  /** Told of each add-on when it is done: what is in place need not wait for another one's slow store. */
  readonly settled?: (result: AddonResult, assignment: Assignment | null) => void;
};

/** Notes what was done; that it could not be noted is a warning. */
export function note(run: Run, event: AuditEvent): void {
  for (const warning of run.audit.append(event)) run.warn(warning);
}
