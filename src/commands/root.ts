import { defineGroup, type Group } from "../cli/command.ts";

const key: Group = defineGroup({
  name: "key",
  description: "make and show Ed25519 keys",
  members: {
    new: {
      description: "make an Ed25519 key: FILE (private, mode 0600) and FILE.pub",
      load: async () => (await import("./key-new.ts")).keyNew,
    },
    show: {
      description: "show the public half of a key file in every form that other tools take",
      load: async () => (await import("./key-show.ts")).keyShow,
    },
  },
});

const token: Group = defineGroup({
  name: "token",
  description: "who may use the control plane, and for what",
  members: {
    new: {
      description: "make a token for the control plane and print it, this once",
      load: async () => (await import("./token-new.ts")).tokenNew,
    },
    list: {
      description: "the tokens of a control plane, without their secrets",
      load: async () => (await import("./token-list.ts")).tokenList,
    },
    revoke: {
      description: "make a token useless from now on; a running server obeys at once",
      load: async () => (await import("./token-revoke.ts")).tokenRevoke,
    },
  },
});

const verify: Group = defineGroup({
  name: "verify",
  description: "prove what is there; `verify` alone is `verify pin`",
  default: "pin",
  members: {
    pin: {
      description: "read pins back and compare them with what they should be",
      load: async () => (await import("./verify-pin.ts")).verifyPin,
    },
    artifact: {
      description: "prove that a file is the one with this digest, or the one that a key signed",
      load: async () => (await import("./verify-artifact.ts")).verifyArtifact,
    },
  },
});

const addon: Group = defineGroup({
  name: "addon",
  description: "publish add-ons",
  members: {
    publish: {
      description: "sign a program, upload it, and prove that hosts will get it",
      load: async () => (await import("./addon-publish.ts")).addonPublish,
    },
  },
});

/** The command tree. Each command is loaded when it is called, so that none pays for another's imports. */
export const root: Group = defineGroup({
  name: "waybill",
  description: "carries software from a source tree to a running host, with proof at every hand-over",
  members: {
    capture: {
      description: "what exactly is being built",
      load: async () => (await import("./capture.ts")).captureCommand,
    },
    explain: {
      description: "why a path is in or out of the context",
      load: async () => (await import("./explain.ts")).explainCommand,
    },
    diff: {
      description: "which files make two captures differ",
      load: async () => (await import("./diff.ts")).diffCommand,
    },
    promote: {
      description: "pin an image digest, and prove that it landed",
      load: async () => (await import("./promote.ts")).promote,
    },
    verify: {
      description: "prove what is there",
      load: async () => verify,
    },
    sign: {
      description: "write a detached signature of a file",
      load: async () => (await import("./sign.ts")).sign,
    },
    key: {
      description: "make and show Ed25519 keys",
      load: async () => key,
    },
    "addon-stage": {
      description: "bring this host to its assigned add-ons",
      load: async () => (await import("./addon-stage.ts")).addonStage,
    },
    addon: {
      description: "publish add-ons",
      load: async () => addon,
    },
    serve: {
      description: "run the control plane: builds, pins, packages and assignments",
      load: async () => (await import("./serve.ts")).serve,
    },
    token: {
      description: "who may use the control plane, and for what",
      load: async () => token,
    },
    version: { description: "which build this is", load: async () => (await import("./version.ts")).version },
  },
});
