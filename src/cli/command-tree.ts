import { isGroup, type Command, type Group } from "./command.ts";

/** A command or a group of them, and the words after `waybill` that call it. */
export type Described = { readonly path: readonly string[]; readonly command: Command | Group };

/** Every group and command below `group`, depth first, in the order of the overview. Loads all of them. */
export async function describeTree(group: Group, path: readonly string[] = []): Promise<Described[]> {
  const found: Described[] = [{ path, command: group }];
  for (const [name, member] of Object.entries(group.members)) {
    const command = await member.load();
    const below = [...path, name];
    if (isGroup(command)) found.push(...(await describeTree(command, below)));
    else found.push({ path: below, command });
  }
  return found;
}
