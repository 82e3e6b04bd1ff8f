import type { ResultShape } from "./frame.ts";
import {
  anything,
  count,
  digest,
  exitCode,
  failure,
  flag,
  keyid,
  list,
  map,
  nullable,
  object,
  sha256,
  text,
  warning,
  word,
  type Members,
  type Schema,
} from "./shape.ts";

const warnings: Schema = list(warning);

/** What became of each assigned add-on. */
const staged: Schema = list(
  object({
    addon_id: text,
    version: text,
    ok: flag,
    outcome: word(
      "staged",
      "unchanged",
      "kept_last_known_good",
      "skipped",
      "disabled",
      "acknowledged",
      "unsupported",
    ),
    exit_code: exitCode,
    binary_path: nullable(text),
    digest: nullable(text),
    signature: object({ verified: flag, keyid: nullable(keyid), keyids: list(keyid) }),
    action: text,
    error: nullable(failure),
    wanted_version: text,
  }),
);

const STAGED: ResultShape = {
  what: "what became of each assigned add-on",
  always: { checked: count, addons: staged, warnings },
  success: {
    assignments: word("source", "cache", "none"),
    root: text,
    layout: word("waybill", "serviceradar"),
    platform: text,
    config_version: nullable(text),
  },
};

const PLANNED: Members = {
  addon_id: text,
  version: text,
  wanted_version: text,
  ok: flag,
  changes: flag,
  action: text,
  from: nullable(text),
  error: nullable(failure),
};

const reportedVersion: Schema = object({ version: text, digest: nullable(text) });

const VERSION: Members = { version: text, digest };

export const ADDON_RESULTS: { readonly [name: string]: ResultShape } = {
  "addon-stage": STAGED,
  "addon-import": { ...STAGED, what: "what became of each add-on of an export" },
  "addon-plan": {
    what: "what addon-stage would change",
    always: { checked: count, addons: list(object(PLANNED)), warnings },
    sometimes: { changes: count, root: text, layout: text, platform: text },
  },
  "addon-explain": {
    what: "why an add-on gets what it gets",
    always: { checked: count },
    success: {
      addon_id: text,
      fields: map(object({ value: anything, from: word("assigned", "override", "default") })),
      host: nullable({ type: "object" }),
      reasons: list(text),
    },
    sometimes: { ask: text, decision: text, plan: anything },
  },
  "addon-status": {
    what: "what each add-on has and what it is offered",
    always: {
      checked: count,
      addons: list(
        object({
          addon_id: text,
          state: text,
          has: nullable(
            object({
              version: text,
              digest: nullable(text),
              folder: text,
              keyid: nullable(text),
              keyids: list(text),
            }),
          ),
          offered: nullable(object({ version: text, digest: nullable(text), enabled: flag })),
          keys_wanted: count,
          statement: nullable(object({ expires: nullable(text), expired: flag })),
          last_known_good: nullable(text),
          highest_version: nullable(text),
          pinned: anything,
          blocked: list(text),
          versions: list(text),
        }),
      ),
      warnings,
    },
    sometimes: { assignments: text },
  },
  "addon-export": {
    what: "the add-ons that an export holds",
    always: { checked: count, addons: list(object({ addon_id: text, ...VERSION, bytes: count })) },
    success: { out: text },
  },
  "addon-fsck": {
    what: "every staged byte, read again",
    always: {
      checked: count,
      findings: list(
        object({
          addon_id: text,
          folder: nullable(text),
          ok: flag,
          repaired: flag,
          digest: nullable(text),
          keyid: nullable(keyid),
          keyids: list(keyid),
          error: nullable(failure),
        }),
      ),
    },
    success: { repaired: count },
  },
  "addon-gc": {
    what: "the versions that were removed, and why others stay",
    always: {
      checked: count,
      addons: list(
        object({ addon_id: text, removed: list(text), kept: list(object({ folder: text, why: text })) }),
      ),
    },
    success: { dry_run: flag, removed: count },
    sometimes: { warnings },
  },
  "addon-pin": {
    what: "the version that stays",
    always: { checked: count },
    success: { addon_id: text, version: text, digest: text, pinned: flag },
    sometimes: { warnings },
  },
  "addon-unpin": {
    what: "that an add-on takes what is assigned again",
    always: { checked: count },
    success: { addon_id: text, pinned: flag, changed: flag },
    sometimes: { warnings },
  },
  "addon-rollback": {
    what: "from which version to which one",
    always: { checked: count },
    success: { addon_id: text, from: nullable(reportedVersion), to: nullable(reportedVersion) },
    sometimes: { binary_path: text, blocked: list(text), failures: count, of: count, warnings },
  },
  "addon-exec": {
    what: "why the program of an add-on was not become; a run that succeeds is the program's own",
  },
  "addon-run": {
    what: "that the agent of a host supervises its root; written when it begins",
    always: { running: flag },
    success: { root: text, pid: count },
  },
  "addon-unit": {
    what: "the systemd units of an add-on, as they are or were made, installed or removed",
    always: { checked: count },
    success: { addon_id: text },
    sometimes: {
      version: text,
      exposure: nullable(text),
      units: list(object({ name: text, text })),
      changed: list(text),
      started: flag,
      drop_ins: list(text),
      removed: list(text),
      kept: list(text),
    },
  },
  "addon-publish": {
    what: "what was signed, uploaded and read back",
    always: { checked: count },
    success: {
      outcome: text,
      addon_id: text,
      version: text,
      platform: text,
      digest,
      bytes: count,
      signature: nullable(text),
      keyid: nullable(keyid),
      keyids: list(keyid),
      expires: nullable(text),
    },
    // With --add-signature what is published stays as it is, but for the signatures of its statement.
    sometimes: {
      binary: text,
      object_key: text,
      stored: word("new", "already"),
      stores: list(object({ store: text, outcome: word("new", "already") })),
      assigned: flag,
      signatures: count,
      minimum_version: nullable(text),
    },
  },
  "verify-addon": {
    what: "whether what a host runs is what was verified",
    always: {
      checked: count,
      accepted: list(
        object({
          addon_id: text,
          version: text,
          folder: text,
          sha256,
          keyid: nullable(keyid),
          keyids: list(keyid),
          threshold: nullable(count),
          statement: nullable(object({ keyid, keyids: list(keyid), expires: nullable(text), expired: flag })),
        }),
      ),
      refusals: list(failure),
    },
    // Null where nothing was noted yet: by hand, or by a first run that was killed before it could.
    sometimes: { audit: nullable(object({ lines: count, head: sha256, ok: flag })) },
  },
};
