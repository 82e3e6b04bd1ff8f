/** Signs a Mach-O executable ad hoc, in place. usage: sign-ad-hoc.ts FILE */
import { readFileSync, writeFileSync } from "node:fs";
import { signAdHoc } from "./mach-o.ts";

const [file = ""] = process.argv.slice(2);
writeFileSync(file, signAdHoc(readFileSync(file), "waybill"));
