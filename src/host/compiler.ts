import { noFTL } from "bun:jsc";

/**
 * Has code compiled as soon as the runtime would by itself. Our binary waits, because a short run does little twice
 * (see scripts/compile): to be called where it is known that much is done often.
 */
export function compileSooner(): void {
  Bun.unsafe.setJITPolicy(1);
}

/**
 * Keeps functions from the last of the runtime's compilers. For those that do little beside calling the kernel or a
 * digest it takes a twentieth of the time of a large context, on processors that others want, and gives nothing back.
 */
export function keepFromLastCompiler(...functions: readonly ((...args: never[]) => unknown)[]): void {
  for (const one of functions) noFTL(one);
}

/** The same for methods of a class. */
export function keepMethodsFromLastCompiler<T>(
  of: { readonly prototype: T },
  ...names: readonly (keyof T)[]
): void {
  for (const name of names) {
    const method = of.prototype[name];
    if (typeof method === "function") noFTL(method as unknown as () => unknown); // oxlint-disable-line typescript/no-unsafe-type-assertion
  }
}
