/** Unpacks one bundle by the same code as addon-stage: BUNDLE FOLDER PROGRAM. */
import { closeSync, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import { bundleFormat } from "../../src/addons/bundle/bundle-format.ts";
import { unpackBundle } from "../../src/addons/bundle/unpack.ts";

const [, , path = "", folder = "", binaryName = ""] = process.argv;
const descriptor = openSync(path, "r");
const head = new Uint8Array(4);
readSync(descriptor, head, 0, head.length, 0);
const format = bundleFormat(head);
if (format === null) throw new Error("usage: unpack-one.ts BUNDLE FOLDER PROGRAM");
mkdirSync(folder, { recursive: true });
const bundle = { descriptor, size: fstatSync(descriptor).size, format, binaryName };
await unpackBundle(bundle, folder, () => {}, new AbortController().signal);
closeSync(descriptor);
