/** Upper bounds of the buckets of a duration, seconds. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10] as const;

/** How many took so long and no less than the bucket before, the last ones longer than all. */
type Series = { readonly counts: number[]; sum: number };

/**
 * What a server counts of itself, in the text format of Prometheus.
 * Routes are named by their pattern, never by what was asked for.
 */
export class Metrics {
  readonly #durations = new Map<string, Map<number, Series>>();
  readonly #denials = new Map<string, number>();
  #inFlight = 0;

  get inFlight(): number {
    return this.#inFlight;
  }

  begin(): void {
    this.#inFlight++;
  }

  /** `route` is `METHOD /pattern`, or "none". */
  end(route: string, status: number, seconds: number): void {
    this.#inFlight--;
    let statuses = this.#durations.get(route);
    if (statuses === undefined) this.#durations.set(route, (statuses = new Map<number, Series>()));
    let series = statuses.get(status);
    if (series === undefined) {
      series = { counts: [...BUCKETS.map(() => 0), 0], sum: 0 };
      statuses.set(status, series);
    }
    series.sum += seconds;
    let at = 0;
    while (seconds > (BUCKETS[at] ?? Infinity)) at++;
    series.counts[at] = (series.counts[at] ?? 0) + 1;
  }

  deny(code: string): void {
    this.#denials.set(code, (this.#denials.get(code) ?? 0) + 1);
  }

  /** `gauges` are read by the caller: the memory of the process, the time of its start. */
  text(gauges: Readonly<Record<string, number>>): string {
    const lines = ["# TYPE waybill_http_request_duration_seconds histogram"];
    const name = "waybill_http_request_duration_seconds";
    for (const [route, statuses] of this.#durations) {
      for (const [status, { counts, sum }] of statuses) {
        const labels = `route="${route}",status="${status}"`;
        let total = 0;
        for (const [at, count] of counts.entries()) {
          total += count;
          lines.push(`${name}_bucket{${labels},le="${BUCKETS[at] ?? "+Inf"}"} ${total}`);
        }
        lines.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${total}`);
      }
    }
    lines.push("# TYPE waybill_denials_total counter");
    for (const [code, count] of this.#denials) lines.push(`waybill_denials_total{code="${code}"} ${count}`);
    for (const [gauge, value] of Object.entries({ waybill_requests_in_flight: this.#inFlight, ...gauges })) {
      lines.push(`# TYPE ${gauge} gauge`, `${gauge} ${value}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
