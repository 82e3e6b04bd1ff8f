import { Failure } from "../../src/base/failure.ts";

/** The failure that the work ends with. */
export function refused(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
