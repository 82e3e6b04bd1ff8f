import { defineGroup, type Group } from "../cli/command.ts";

const keyTrust: Group = defineGroup({
  name: "trust",
  description: "who is trusted with what: signed, versioned trust roots",
  members: {
    init: {
      description: "make version 1 of a trust root, which its first root key signs",
      load: async () => (await import("./key-trust-init.ts")).keyTrustInit,
    },
    add: {
      description: "trust one key more",
      load: async () => (await import("./key-trust-add.ts")).keyTrustAdd,
    },
    remove: {
      description: "forget a key",
      load: async () => (await import("./key-trust-remove.ts")).keyTrustRemove,
    },
    revoke: {
      description: "refuse a key that somebody else may have",
      load: async () => (await import("./key-trust-revoke.ts")).keyTrustRevoke,
    },
    rotate: {
      description: "put a new key in the place of an old one, with an overlap",
      load: async () => (await import("./key-trust-rotate.ts")).keyTrustRotate,
    },
    list: {
      description: "who is trusted with what",
      load: async () => (await import("./key-trust-list.ts")).keyTrustList,
    },
    sign: {
      description: "add a signature to the next version of a trust root",
      load: async () => (await import("./key-trust-sign.ts")).keyTrustSign,
    },
    update: {
      description: "put a newer trust root in the place of the one that is held",
      load: async () => (await import("./key-trust-update.ts")).keyTrustUpdate,
    },
    import: {
      description: "trust the keys of allowed_signers, or of a folder",
      load: async () => (await import("./key-trust-import.ts")).keyTrustImport,
    },
    export: {
      description: "the keys for ssh-keygen, openssl or minisign",
      load: async () => (await import("./key-trust-export.ts")).keyTrustExport,
    },
  },
});

/** `waybill key …`. */
export const key: Group = defineGroup({
  name: "key",
  description: "make, show and convert Ed25519 keys, and say which are trusted",
  members: {
    new: {
      description: "make an Ed25519 key: FILE (private, mode 0600) and FILE.pub",
      load: async () => (await import("./key-new.ts")).keyNew,
    },
    show: {
      description: "show the public half of a key file in every form that other tools take",
      load: async () => (await import("./key-show.ts")).keyShow,
    },
    convert: {
      description: "write a key in the form of another tool",
      load: async () => (await import("./key-convert.ts")).keyConvert,
    },
    trust: {
      description: "who is trusted with what: signed, versioned trust roots",
      load: async () => keyTrust,
    },
  },
});
