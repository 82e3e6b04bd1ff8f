import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { World } from "../cli/command.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import type { AccessLog } from "../control-plane/http/access-log.ts";
import type { TrustPolicy } from "../control-plane/pins/trust-policy.ts";
import { readServeSettings, type ServeValues } from "./serve-settings.ts";

/**
 * SIGHUP, heard from the moment that this is made until the process ends, since it ends at once what does not hear it.
 * One that comes before there is anything to renew is kept for then: it may be about files that were read before it.
 */
export class Hangups {
  #renew: (() => void) | null = null;
  #kept = false;

  constructor() {
    process.on("SIGHUP", () => {
      if (this.#renew === null) this.#kept = true;
      else this.#renew();
    });
  }

  obey(renew: () => void): void {
    this.#renew = renew;
    if (this.#kept) renew();
  }
}

/**
 * What SIGHUP is for: the next certificate, the next policy, the next file of the log. What is wrong leaves the server
 * as it was. The policy to enforce from here on.
 */
export function renewed(
  values: ServeValues,
  world: World,
  plane: ControlPlane,
  accessLog: AccessLog | null,
  enforced: TrustPolicy | null,
): TrustPolicy | null {
  try {
    accessLog?.reopen();
    const { tls, trustPolicy } = readServeSettings(values, world);
    if (enforced !== null && trustPolicy === null) throw unnamed(enforced);
    if (tls !== null) plane.renew(tls);
    world.say.info("reloaded");
    return trustPolicy;
  } catch (error) {
    world.say.warn(`not reloaded: ${asFailure(error).message}`);
    return enforced;
  }
}

/** Whoever means it starts the server anew, which nobody does by mistake. */
function unnamed({ policy }: TrustPolicy): Failure {
  const text = `policy ${quoted(policy.name)}, version ${policy.version}, is enforced until a new start, and none is named now`;
  return new Failure("policy_rollback", text);
}
