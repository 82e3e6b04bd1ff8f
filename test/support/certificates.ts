import { readFileSync, writeFileSync } from "node:fs";
import type { TemporaryFolder } from "./temporary.ts";

/** A throwaway certificate authority and what it signed: PEM texts. */
export type Certificates = {
  readonly ca: string;
  /** For 127.0.0.1 and localhost. */
  readonly server: KeyPair;
  /** For another name. */
  readonly foreign: KeyPair;
  /** For 127.0.0.1, and over since yesterday. */
  readonly expired: KeyPair;
};
export type KeyPair = { readonly cert: string; readonly key: string };

export const CAN_MAKE_CERTIFICATES: boolean = Bun.which("openssl") !== null;

/** Made anew by openssl, so that no private key lies in the repository. */
export function makeCertificates(folder: TemporaryFolder): Certificates {
  const openssl = (...args: string[]): void => {
    const made = Bun.spawnSync(["openssl", ...args], { cwd: folder.path, stdout: "pipe", stderr: "pipe" });
    if (!made.success) throw new Error(`openssl ${args[0]}: ${made.stderr.toString()}`);
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-subj",
    "/CN=test authority",
    "-days",
    "2",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
  );
  const issue = (name: string, names: string, days: readonly string[]): KeyPair => {
    writeFileSync(folder.at(`${name}.ext`), `subjectAltName=${names}\n`);
    openssl("req", ...newKey, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const request = ["-in", `${name}.csr`, "-extfile", `${name}.ext`, "-out", `${name}.pem`];
    openssl("x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", ...request, ...days);
    return {
      cert: readFileSync(folder.at(`${name}.pem`), "utf8"),
      key: readFileSync(folder.at(`${name}.key`), "utf8"),
    };
  };
  return {
    ca: readFileSync(folder.at("ca.pem"), "utf8"),
    server: issue("server", "IP:127.0.0.1,DNS:localhost", ["-days", "1"]),
    foreign: issue("foreign", "DNS:other.example", ["-days", "1"]),
    expired: issue("expired", "IP:127.0.0.1", ["-days", "-1"]),
  };
}
