/** What a private key file says: its seed, and every public half that it claims for it. */
export type ClaimedSeed = {
  /** 32 secret bytes. */
  readonly seed: Uint8Array;
  readonly claimed: readonly Uint8Array[];
  /** The 8 bytes by which minisign matches a signature to its key; null in other files. */
  readonly keyNumber: Uint8Array | null;
};
