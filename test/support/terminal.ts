import { CLEAN_ENVIRONMENT, PROGRAM } from "./binary.ts";

/** What a terminal of so many columns shows of a run of waybill, with plain line breaks. */
export async function onTerminal(
  words: readonly string[],
  { columns, env = {} }: { readonly columns: number; readonly env?: Readonly<Record<string, string>> },
): Promise<{ code: number; shown: string }> {
  const decoder = new TextDecoder();
  const ended = Promise.withResolvers<void>();
  let shown = "";
  const child = Bun.spawn([...PROGRAM, ...words], {
    cwd: "/",
    env: { ...CLEAN_ENVIRONMENT, TERM: "xterm", ...env },
    terminal: {
      cols: columns,
      rows: 40,
      data: (_terminal, bytes) => void (shown += decoder.decode(bytes, { stream: true })),
      exit: () => ended.resolve(),
    },
  });
  const code = await child.exited;
  child.terminal?.close();
  await ended.promise;
  return { code, shown: shown.replaceAll("\r\n", "\n") };
}
