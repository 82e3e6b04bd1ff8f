/** How the messages begin that signatures of other formats are over. */
export const DSSE_BEGINS = "DSSEv1";
export const SSHSIG_BEGINS = "SSHSIG";

const LENGTH = 6;

/**
 * Sees the bytes of a file go by. A raw signature is over the file itself: of one that begins like the message of an
 * envelope or of an OpenSSH signature it would be the signature of a statement, a policy or a trust root as well.
 */
export class MessageBeginning {
  #text = "";

  update(chunk: Uint8Array): void {
    this.#text += Buffer.from(chunk.subarray(0, LENGTH - this.#text.length)).toString("latin1");
  }

  /** What a signature over these bytes would be too, or null. */
  otherPurpose(): string | null {
    if (this.#text === DSSE_BEGINS) return "a DSSE envelope";
    return this.#text === SSHSIG_BEGINS ? "an OpenSSH signature" : null;
  }
}
