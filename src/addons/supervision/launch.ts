import { dirname } from "node:path";
import type { Launch } from "../../host/hand-over.ts";
import type { Spec } from "../on-host/spec.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables that a program gets from whoever started us. Few, because what is in an environment by chance (a token
 * of the agent, a preload) is not the add-on's to see; the descriptors of socket activation are closed by now, so
 * neither are the variables that tell of them.
 */
const PASSED =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR|NOTIFY_SOCKET|WATCHDOG_USEC|WATCHDOG_PID|INVOCATION_ID|JOURNAL_STREAM|(?:STATE|RUNTIME|CACHE|LOGS|CONFIGURATION|CREDENTIALS)_DIRECTORY|MEMORY_PRESSURE_(?:WATCH|WRITE)|SSL_CERT_(?:FILE|DIR)|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY)$/u;

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where the parts of one start lie. */
export type Places = {
  /** The program, by its version folder and never through `current`. */
  readonly program: string;
  readonly state: string;
  /** The configuration as a file; null when there is none. */
  readonly config: string | null;
  /** Whether the original's variable is set as well. */
  readonly serviceradar: boolean;
};

/** How an add-on starts: the arguments of its spec, then those of the caller; `passed` names further variables. */
export function launchOf(
  spec: Pick<Spec, "addon_id" | "version" | "args">,
  places: Places,
  args: readonly string[],
  environment: Environment,
  passed: readonly string[],
): Launch {
  return {
    path: places.program,
    args: [...spec.args, ...args],
    env: {
      PATH: DEFAULT_PATH,
      ...chosen(environment, passed),
      WAYBILL_ADDON_ID: spec.addon_id,
      WAYBILL_ADDON_VERSION: spec.version,
      WAYBILL_ADDON_DIR: dirname(places.program),
      WAYBILL_ADDON_STATE_DIR: places.state,
      ...(places.config === null ? {} : { WAYBILL_ADDON_CONFIG: places.config }),
      ...(places.serviceradar ? { SERVICERADAR_ADDON_STATE_DIR: places.state } : {}),
    },
    cwd: places.state,
  };
}

function chosen(environment: Environment, passed: readonly string[]): Record<string, string> {
  const names = new Set(passed);
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && (PASSED.test(name) || names.has(name)) ? [[name, value]] : [],
    ),
  );
}

/** The first folder of a variable in which systemd names those that it made for us; null without one. */
export function systemdDirectory(environment: Environment, name: "STATE" | "CREDENTIALS"): string | null {
  const [first = ""] = (environment[`${name}_DIRECTORY`] ?? "").split(":");
  return first.startsWith("/") ? first : null;
}
