import { defineGroup, type Group } from "../cli/command.ts";

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
    audit: {
      description: "read every pin of every environment and report where they differ",
      load: async () => (await import("./verify-audit.ts")).verifyAudit,
    },
    artifact: {
      description: "prove that a file is the one with this digest, or the one that a key signed",
      load: async () => (await import("./verify-artifact.ts")).verifyArtifact,
    },
    attestation: {
      description: "prove that somebody you trust signed a statement about this artifact",
      load: async () => (await import("./verify-attestation.ts")).verifyAttestation,
    },
    source: {
      description: "prove that a clone, a folder or an archive is what was captured",
      load: async () => (await import("./verify-source.ts")).verifySource,
    },
    addon: {
      description: "prove that what a host runs is what was verified",
      load: async () => (await import("./verify-addon.ts")).verifyAddon,
    },
  },
});

const policy: Group = defineGroup({
  name: "policy",
  description: "what must be proven before an image is pinned",
  members: {
    sign: {
      description: "sign a policy, or add a signature to a signed one",
      load: async () => (await import("./policy-sign.ts")).policySign,
    },
    check: {
      description: "prove that a policy is signed and valid now, and show which rules apply",
      load: async () => (await import("./policy-check.ts")).policyCheck,
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
    attest: {
      description: "sign a statement about an artifact, an image or a capture",
      load: async () => (await import("./attest.ts")).attest,
    },
    policy: {
      description: "what must be proven before an image is pinned",
      load: async () => policy,
    },
    key: {
      description: "make, show and convert Ed25519 keys, and say which are trusted",
      load: async () => (await import("./key-group.ts")).key,
    },
    "addon-stage": {
      description: "bring this host to its assigned add-ons",
      load: async () => (await import("./addon-stage.ts")).addonStage,
    },
    addon: {
      description: "publish add-ons, and look after those of a host",
      load: async () => (await import("./addon-group.ts")).addon,
    },
    serve: {
      description: "run the control plane: builds, pins, packages and assignments",
      load: async () => (await import("./serve.ts")).serve,
    },
    token: {
      description: "who may use the control plane, and for what",
      load: async () => token,
    },
    doctor: {
      description: "what this machine, environment and binary can and cannot do",
      load: async () => (await import("./doctor.ts")).doctor,
    },
    completions: {
      description: "print what bash, zsh or fish load to complete commands",
      load: async () => (await import("./completions.ts")).completions,
    },
    man: {
      description: "print the manual page of a command, or write all of them",
      load: async () => (await import("./man.ts")).man,
    },
    schema: {
      description: "the JSON Schemas of documents and file formats",
      load: async () => (await import("./schema.ts")).schema,
    },
    version: { description: "which build this is", load: async () => (await import("./version.ts")).version },
  },
});
