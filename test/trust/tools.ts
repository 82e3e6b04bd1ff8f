import { runProgram, type Finished } from "../support/binary.ts";

type Judge = "minisign" | "signify" | "sshKeygen" | "openssl" | "python" | "strace";

/** Programs that others wrote, as judges. A test that needs one skips, visibly, where it is missing. */
export const HAS: Readonly<Record<Judge, boolean>> = {
  minisign: Bun.which("minisign") !== null,
  signify: Bun.which("signify-openbsd") !== null,
  sshKeygen: Bun.which("ssh-keygen") !== null,
  openssl: Bun.which("openssl") !== null,
  python: Bun.which("python3") !== null,
  strace: Bun.which("strace") !== null,
};

export async function tool(
  words: readonly string[],
  cwd: string,
  stdin?: string | Uint8Array,
): Promise<Finished> {
  return runProgram(words, { cwd, ...(stdin === undefined ? {} : { stdin }) });
}

/** The folder with signatures that their own tools made, or null. */
export const VECTORS: string | null =
  process.env["WAYBILL_CONFORMANCE"] === undefined
    ? null
    : `${process.env["WAYBILL_CONFORMANCE"]}/signatures`;
