import { passes } from "./checks.ts";
import { readSource } from "./source.ts";

process.exitCode = passes(readSource(), false) ? 0 : 1;
