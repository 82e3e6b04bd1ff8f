/**
 * Stands in for `bun:test` in the copy that is mutated: tests are collected, so that one process can run them for
 * many mutants. What is not here is the real one's.
 */
export { expect, mock, spyOn } from "bun:test";

type Body = (...values: readonly never[]) => unknown;
type Scope = {
  readonly beforeAll: Body[];
  readonly afterAll: Body[];
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
  readonly members: (Body | Scope)[];
};

function scope(): Scope {
  return { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [], members: [] };
}

let root = scope();
let open = root;

/** Forgets what was collected: another file is going to be read. */
export function startFile(): void {
  root = scope();
  open = root;
}

type Register = (name: unknown, body?: Body, options?: unknown) => void;
type Each = (table: readonly unknown[]) => Register;
type Collector = Register & {
  readonly each: Each;
  readonly skip: Register;
  readonly todo: Register;
  readonly concurrent: Register;
  readonly skipIf: (condition: unknown) => Register & { readonly each: Each };
  readonly if: (condition: unknown) => Register & { readonly each: Each };
};

const nothing = Object.assign(() => {}, { each: () => () => {} });

function collector(register: (body: Body) => void): Collector {
  const add: Register = (_name, body) => {
    if (body !== undefined) register(body);
  };
  const each: Each = (table) => (name, body) => {
    for (const row of table) {
      const values = (Array.isArray(row) ? row : [row]) as never[];
      if (body !== undefined) add(name, () => body(...values));
    }
  };
  const some = Object.assign(add.bind(null), { each });
  return Object.assign(add, {
    each,
    skip: nothing,
    todo: nothing,
    concurrent: some,
    skipIf: (condition: unknown) => (condition ? nothing : some),
    if: (condition: unknown) => (condition ? some : nothing),
  });
}

export const test: Collector = collector((body) => {
  open.members.push(body);
});
export const describe: Collector = collector((body) => {
  const outer = open;
  open = scope();
  outer.members.push(open);
  body();
  open = outer;
});
export const beforeAll = (body: Body): void => void open.beforeAll.push(body);
export const afterAll = (body: Body): void => void open.afterAll.push(body);
export const beforeEach = (body: Body): void => void open.beforeEach.push(body);
export const afterEach = (body: Body): void => void open.afterEach.push(body);
export const setDefaultTimeout = (): void => {};

/** Milliseconds that one test may wait. */
const PATIENCE_MS = 20_000;

/** All that was collected, in order, until something fails: then it rejects. */
export async function runCollected(): Promise<void> {
  await runScope(root, [], []);
}

async function runScope(of: Scope, before: readonly Body[], after: readonly Body[]): Promise<void> {
  const [first, last] = [
    [...before, ...of.beforeEach],
    [...of.afterEach, ...after],
  ];
  for (const body of of.beforeAll) await within(body);
  try {
    for (const member of of.members) {
      if (typeof member !== "function") await runScope(member, first, last);
      else for (const body of [...first, member, ...last]) await within(body);
    }
  } finally {
    for (const body of of.afterAll) await within(body);
  }
}

async function within(body: Body): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("it waits for too long")), PATIENCE_MS);
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}
