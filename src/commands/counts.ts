import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/** A number of things of which there are few, from 1 to 999. Throws Failure `invalid_value`. */
export function readCount(text: string, flag: string): number {
  if (/^[1-9]\d{0,2}$/u.test(text)) return Number(text);
  throw new Failure("invalid_value", `${flag} is ${quoted(text)}; wanted a whole number from 1 to 999`);
}
