import type { BytePath } from "./byte-path.ts";
import type { ContextFolder } from "./context-folder.ts";
import { ContentFailure } from "./opened-file.ts";

/** The first `max` bytes of a file that was read before, or null when it is no file any more or cannot be read. */
export function readStart(folder: ContextFolder, path: BytePath, max: number): Uint8Array | null {
  try {
    const file = folder.open(path);
    try {
      const bytes = new Uint8Array(Math.min(max, file.size));
      let length = 0;
      while (length < bytes.length) {
        const read = file.read(bytes, length, bytes.length - length);
        if (read === 0) break;
        length += read;
      }
      return bytes.subarray(0, length);
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof ContentFailure) return null;
    throw error;
  }
}
