/**
 * What @sigstore/verify needs around it to prove that a key signed a statement about a file.
 * usage: node verify-bundle.mjs BUNDLE KEY.pem FILE
 */
import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, Verifier } from "@sigstore/verify";

const [, , bundle, key, file] = process.argv;
const publicKey = createPublicKey(readFileSync(key));
const trust = {
  certificateAuthorities: [],
  timestampAuthorities: [],
  tlogs: [],
  ctlogs: [],
  publicKey: () => ({ publicKey, validFor: () => true }),
};
const read = bundleFromJSON(JSON.parse(readFileSync(bundle, "utf8")));
new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(
  toSignedEntity(read),
);
const statement = JSON.parse(read.content.dsseEnvelope.payload.toString("utf8"));
const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
if (!statement.subject.some((subject) => subject.digest.sha256 === digest)) process.exit(1);
