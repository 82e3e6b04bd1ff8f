/** What the catalogue is made of. The page is written from it and from the counts. */
export type Injection = {
  /** As the test counts it; for whole test files, any. */
  readonly name: string;
  readonly into: string;
  readonly file: string;
  /** Who counts: the test itself with `pointsOf`, or the report, in which each test is a point. */
  readonly per: "point" | "test";
};

export type Group = {
  /** As in `scripts/torture NAME`. */
  readonly name: string;
  readonly title: string;
  /** Paragraphs of the page. */
  readonly how: string;
  readonly survived: string;
  /** With the wider sweeps that an ordinary run of the tests leaves out. */
  readonly isWide: boolean;
  /** What it takes alone on two cores. */
  readonly minutes: number;
  readonly injections: readonly Injection[];
};

export function filesOf({ injections }: Group): string[] {
  return [...new Set(injections.map(({ file }) => file))];
}

export const point = (name: string, into: string, file: string): Injection => ({
  name,
  into,
  file,
  per: "point",
});
export const tests = (name: string, into: string, file: string): Injection => ({
  name,
  into,
  file,
  per: "test",
});
