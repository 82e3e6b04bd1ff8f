import { asFailure, Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, reason } from "../../host/files.ts";

/** What the system refused below `directory`, as a Failure; anything else as it is. */
export function storageFailure(error: unknown, directory: string): Failure {
  if (error instanceof Failure || errorCode(error) === "") return asFailure(error);
  const code = ["ENOSPC", "EDQUOT"].includes(errorCode(error)) ? "no_space" : "storage_failed";
  // A disk that fails does so for who reads as for who writes.
  const what = errorCode(error) === "EIO" ? "read or written" : "written";
  return new Failure(code, `${quoted(directory)} cannot be ${what}: ${reason(error)}`, {
    cause: error,
    hint:
      errorCode(error) === "EXDEV"
        ? "tmp and addons of one root have to lie on one file system: what is staged is renamed from one to the other"
        : "what was staged before stays in place",
  });
}
