/** Which mutant is awake, in this process and in those that it starts. */
import { writeFileSync } from "node:fs";

export type State = {
  awake: number;
  /** `load` while modules are read for the first time. */
  phase: "load" | "run";
};

const everywhere = globalThis as { waybillMutants?: State };
everywhere.waybillMutants ??= { awake: 0, phase: "run" };
export const state: State = everywhere.waybillMutants;

/** `asked`: the path of the module that mutated files import; 0 is none of them. */
export function wake(asked: string, mutant: number): void {
  state.awake = mutant;
  writeFileSync(asked, moduleOf(mutant, null));
}

/** The module itself. With `notes`, the path of a file, it writes down which mutants are asked for, and when. */
export function moduleOf(awake: number, notes: string | null): string {
  // Some are asked for millions of times: nothing is put together for those that are noted already.
  const note = `
  const noted = seen[state.phase];
  if (!noted.has(id)) appendFileSync(${JSON.stringify(notes)}, \`\${state.phase} \${id}\\n\`);
  noted.add(id);`;
  return `import { appendFileSync } from "node:fs";
const state = (globalThis.waybillMutants ??= { awake: ${awake}, phase: "run" });
const seen = { load: new Set(), run: new Set() };
export function isMutant(id) {${notes === null ? "" : note}
  return state.awake === id;
}
`;
}
