const MEASURE = `
const { exitCode, resourceUsage } = Bun.spawnSync(process.argv.slice(1), { stdout: "ignore", stderr: "inherit" });
console.log(JSON.stringify({ exit: exitCode, maxRss: resourceUsage.maxRSS }));`;

/**
 * The exit code of a program and the peak of its resident memory in bytes. Linux counts the memory that the parent had
 * at the moment of starting its child, so a small process stands between this one and the measured one.
 */
export async function peakMemory(
  command: readonly string[],
  cwd: string,
): Promise<{ readonly exit: number; readonly maxRss: number }> {
  const between = Bun.spawn([process.execPath, "-e", MEASURE, ...command], { cwd, stdout: "pipe" });
  return JSON.parse(await between.stdout.text()) as { exit: number; maxRss: number };
}
