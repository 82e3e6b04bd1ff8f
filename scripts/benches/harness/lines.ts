/** The costs of what grows, one line for each, while it grows. */
import type { Line, Role } from "./result.ts";
import { measure, type Way } from "./rounds.ts";

/** Collects the costs of each line while what they are over grows; the best of some, which nobody disturbed. */
export class Lines {
  readonly #lines = new Map<string, Line & { points: { at: number; cost: number }[] }>();

  add(name: string, wanted: number | null, at: number, costs: readonly number[], role: Role = "ours"): void {
    const line = this.#lines.get(name) ?? { name, role, wanted, points: [] };
    line.points.push({ at, cost: Number(Math.min(...costs).toPrecision(5)) });
    this.#lines.set(name, line);
  }

  /** Wall time, which may grow as fast as what it is over; and the memory of ours, where somebody collects it. */
  async addWays(
    ways: readonly Way[],
    rounds: number,
    at: number,
    memory?: Lines,
    wanted: number | null = null,
  ): Promise<void> {
    for (const { name, role, runs } of await measure(ways, rounds)) {
      const ours = role === "ours";
      const walls = runs.map(({ wall }) => wall);
      this.add(name, ours ? 1 : null, at, walls, role);
      if (ours) memory?.add(name, wanted, at, [Math.max(...runs.map((run) => run.memory))]);
    }
  }

  get all(): Line[] {
    return [...this.#lines.values()];
  }
}
