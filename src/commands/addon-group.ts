import { defineGroup, type Group } from "../cli/command.ts";

/** `waybill addon …`. */
export const addon: Group = defineGroup({
  name: "addon",
  description: "publish add-ons, and look after those of a host",
  members: {
    publish: {
      description: "sign a program, upload it, and prove that hosts will get it",
      load: async () => (await import("./addon-publish.ts")).addonPublish,
    },
    plan: {
      description: "what addon-stage would change; writes nothing",
      load: async () => (await import("./addon-plan.ts")).addonPlan,
    },
    status: {
      description: "what each add-on has and what it is offered",
      load: async () => (await import("./addon-status.ts")).addonStatus,
    },
    explain: {
      description: "why an add-on gets what it gets",
      load: async () => (await import("./addon-explain.ts")).addonExplain,
    },
    rollback: {
      description: "put an earlier version back",
      load: async () => (await import("./addon-rollback.ts")).addonRollback,
    },
    run: {
      description: "the agent of a host: stage, run, watch over, go back",
      load: async () => (await import("./addon-run.ts")).addonRun,
    },
    unit: {
      description: "the systemd units of an add-on: print, install, remove",
      load: async () => (await import("./addon-unit.ts")).addonUnit,
    },
    exec: {
      description: "become the program of an add-on, after its bytes were read again",
      load: async () => (await import("./addon-exec.ts")).addonExec,
    },
    pin: {
      description: "keep the version that runs now",
      load: async () => (await import("./addon-pin.ts")).addonPin,
    },
    unpin: {
      description: "take what is assigned again",
      load: async () => (await import("./addon-pin.ts")).addonUnpin,
    },
    gc: {
      description: "remove versions that nothing needs",
      load: async () => (await import("./addon-gc.ts")).addonGc,
    },
    export: {
      description: "write what add-ons run into one file",
      load: async () => (await import("./addon-export.ts")).addonExport,
    },
    import: {
      description: "stage what an export holds",
      load: async () => (await import("./addon-import.ts")).addonImport,
    },
    fsck: {
      description: "read every staged byte again, and repair",
      load: async () => (await import("./addon-fsck.ts")).addonFsck,
    },
  },
});
