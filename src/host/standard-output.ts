/**
 * Writes all of a result to standard output, a full pipe included, without loading the file system (see
 * file-system.ts). A reader that went away is none of our business; any other error (ENOSPC on a full device) is
 * thrown. `console.log` hides both.
 */
export async function writeResult(text: string): Promise<void> {
  try {
    await Bun.write(Bun.stdout, text);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}
