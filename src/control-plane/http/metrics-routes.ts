import type { Route } from "../router.ts";

/** Counters of this one server; behind a balancer each is asked for its own. */
export const METRICS_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/metrics",
    access: "metrics:read",
    action: "metrics.read",
    answer: async (_, { metrics }) => {
      const gauges = {
        process_resident_memory_bytes: process.memoryUsage.rss(),
        process_uptime_seconds: process.uptime(),
      };
      return new Response(metrics.text(gauges), {
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      });
    },
  },
];
