/** A pin as it is, from the row that `/v1/pins` shows. */
export type PinFact = {
  readonly env: string;
  readonly template: string;
  readonly region: string;
  readonly digest: string;
  readonly gitSha: string | null;
  readonly notes: string | null;
  readonly seq: number | null;
  readonly at: string;
  readonly by: string;
  readonly version: number;
};

/** A stop that keeps pins where they are; `template` and `scope` are "" where it is about all of them. */
export type StopFact = {
  readonly env: string;
  readonly kind: "held" | "vetoed" | "frozen";
  readonly template: string;
  /** A region when held, a digest when vetoed. */
  readonly scope: string;
  readonly reason: string;
  readonly at: string;
  readonly by: string;
};

export type BuildFact = {
  readonly env: string;
  readonly id: string;
  readonly image: string;
  readonly digest: string | null;
  readonly repo: string | null;
  readonly commit: string | null;
  readonly ref: string | null;
  readonly dirty: boolean | null;
  readonly treeHash: string | null;
  /** Of the archive that came with it. */
  readonly contextSha256: string;
  readonly at: string;
  readonly by: string;
};

/** Which build a pinned digest came from. By its digest that is a fact; by the commit alone it is a likeness. */
export type Origin = { readonly build: BuildFact; readonly known: "by digest" | "by commit" };

export type Cell = {
  readonly pin: PinFact;
  readonly origin: Origin | null;
  readonly stops: readonly StopFact[];
};

export type BoardRow = {
  readonly template: string;
  readonly region: string;
  /** One for each environment of the board, in its order; null where nothing is pinned. */
  readonly cells: readonly (Cell | null)[];
  /** How the environments stand to each other; null with only one of them to look at. */
  readonly drift: "same" | "differs" | "incomplete" | null;
};

export type Board = { readonly envs: readonly string[]; readonly rows: readonly BoardRow[] };

/** What runs where: a row for each template and region, a column for each environment. */
export function boardOf(
  envs: readonly string[],
  pins: readonly PinFact[],
  stops: readonly StopFact[],
  builds: readonly BuildFact[],
): Board {
  const places = new Map<string, PinFact[]>();
  for (const pin of pins) {
    const key = JSON.stringify([pin.template, pin.region]);
    places.set(key, [...(places.get(key) ?? []), pin]);
  }
  // Each pin against the builds that may be its own: thousands of pins have thousands of builds.
  const byDigest = Map.groupBy(builds, ({ digest }) => digest);
  const candidates = ({ digest }: PinFact): readonly BuildFact[] => [
    ...(byDigest.get(digest) ?? []),
    ...(byDigest.get(null) ?? []),
  ];
  const rows = [...places.values()].flatMap((here) => {
    const [first] = here;
    if (first === undefined) return [];
    const cells = envs.map((env) => {
      const pin = here.find((one) => one.env === env);
      return pin === undefined ? null : cellOf(pin, stops, candidates(pin));
    });
    return [{ template: first.template, region: first.region, cells, drift: driftOf(cells) }];
  });
  return { envs, rows: rows.toSorted((a, b) => order(a.template, b.template) || order(a.region, b.region)) };
}

export function cellOf(pin: PinFact, stops: readonly StopFact[], builds: readonly BuildFact[]): Cell {
  return { pin, origin: originOf(pin, builds), stops: stops.filter((stop) => concerns(stop, pin)) };
}

/** The newest build of this digest, else the newest of this commit; `builds` are newest first. */
export function originOf(pin: PinFact, builds: readonly BuildFact[]): Origin | null {
  const own = builds.find(({ digest }) => digest === pin.digest);
  if (own !== undefined) return { build: own, known: "by digest" };
  const { gitSha } = pin;
  // Seven letters are a whole commit to nobody, so a short one names only what begins with it.
  const like =
    gitSha === null
      ? undefined
      : builds.find(({ commit, digest }) => digest === null && commit?.startsWith(gitSha) === true);
  return like === undefined ? null : { build: like, known: "by commit" };
}

function concerns(stop: StopFact, pin: PinFact): boolean {
  if (stop.env !== pin.env) return false;
  if (stop.kind === "frozen") return true;
  return stop.template === pin.template && stop.scope === (stop.kind === "held" ? pin.region : pin.digest);
}

function driftOf(cells: readonly (Cell | null)[]): BoardRow["drift"] {
  if (cells.length < 2) return null;
  const digests = new Set(cells.flatMap((cell) => (cell === null ? [] : [cell.pin.digest])));
  if (digests.size > 1) return "differs";
  return cells.includes(null) ? "incomplete" : "same";
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
