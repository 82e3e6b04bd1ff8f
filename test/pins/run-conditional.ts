import type { PinNote } from "../../src/pins/pin.ts";
import type { PromotionRules } from "../../src/pins/promotion-rules.ts";
import { scriptedServer, type Plan } from "../support/scripted-server.ts";
import { FakeClock } from "./fake-clock.ts";
import { promoteLegs, summary, target } from "./run-legs.ts";

export type Ran = {
  readonly told: string;
  readonly race: string | null;
  readonly message: string;
  readonly put: { readonly headers: Readonly<Record<string, string>>; readonly body: unknown } | null;
};

/** One promotion, and what it came to with the last conditional write that it sent. */
export async function runConditional(
  plan: Plan,
  rules: Partial<PromotionRules> = {},
  note: Partial<PinNote> = {},
): Promise<Ran> {
  await using server = await scriptedServer(plan);
  const given = { targets: [target(server.url)], clock: new FakeClock() };
  const [leg] = await promoteLegs(given, rules, { gitSha: undefined, notes: undefined, ...note });
  if (leg === undefined) throw new Error("no leg");
  const put = server.requests.findLast(({ method }) => method === "PUT");
  return {
    told: summary(leg),
    race: leg.raceWindow,
    message: leg.failure?.message ?? "",
    put: put === undefined ? null : { headers: put.headers, body: JSON.parse(put.body) },
  };
}
