import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { MARK, rootMark, type UnitFile } from "./unit-text.ts";

/** What stands under the name of a unit. */
export type Found =
  | { readonly kind: "nothing" }
  | { readonly kind: "masked" }
  | { readonly kind: "file"; readonly text: string }
  /** A link, a folder, a device. */
  | { readonly kind: "other" };

export type UnitChange = {
  readonly name: string;
  /** null removes it. */
  readonly text: string | null;
  /** What it was, for the way back; null for nothing. */
  readonly before: string | null;
};

/** Whether it is of an add-on of this root. */
export function isOurs(found: Found, root: string): boolean {
  return found.kind === "file" && found.text.startsWith(`${MARK}\n${rootMark(root)}\n`);
}

/**
 * What has to be written so that these units are there and no other one of ours (a timer that is a service now).
 * Throws Failure before anything is: an operator who masked a unit means it, and a file without our mark is somebody's.
 */
export function planInstall(
  wanted: readonly UnitFile[],
  known: readonly string[],
  found: Readonly<Record<string, Found>>,
  root: string,
): UnitChange[] {
  const changes: UnitChange[] = [];
  for (const name of known) {
    const there = found[name] ?? { kind: "nothing" };
    const text = wanted.find((file) => file.name === name)?.text ?? null;
    if (text === null && !isOurs(there, root)) continue;
    if (there.kind === "masked") throw masked(name);
    if (there.kind !== "nothing" && !isOurs(there, root)) throw foreign(name, there);
    const before = there.kind === "file" ? there.text : null;
    if (before !== text) changes.push({ name, text, before });
  }
  return changes;
}

/** Only what carries our mark is removed; the rest is named. */
export function planUninstall(
  known: readonly string[],
  found: Readonly<Record<string, Found>>,
  root: string,
): { readonly changes: readonly UnitChange[]; readonly kept: readonly string[] } {
  const changes: UnitChange[] = [];
  const kept: string[] = [];
  for (const name of known) {
    const there = found[name] ?? { kind: "nothing" };
    if (there.kind === "file" && isOurs(there, root)) changes.push({ name, text: null, before: there.text });
    else if (there.kind !== "nothing") kept.push(name);
  }
  return { changes, kept };
}

function masked(name: string): Failure {
  return new Failure("unit_masked", `unit ${quoted(name)} is masked on this host`, {
    hint: `an operator did that; take it back with: systemctl unmask ${name}`,
  });
}

function foreign(name: string, there: Found): Failure {
  const root = there.kind === "file" ? /^# Root: "(.+)"$/mu.exec(there.text)?.[1] : undefined;
  const isMarked = there.kind === "file" && there.text.startsWith(MARK) && root !== undefined;
  const what = isMarked ? `is of an add-on below ${quoted(root, 200)}` : "was not written by waybill";
  return new Failure("unit_foreign", `unit ${quoted(name)} ${what}`, {
    hint: isMarked ? "uninstall it there first" : "move it away, or change the unit by a drop-in",
  });
}

/** How a unit stands some time after its start. */
export type Standing = {
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  readonly restarts: number;
};

/** Whether a started unit holds; null while that is open. */
export function holds({ active, sub, result, restarts }: Standing): boolean | null {
  if (sub === "auto-restart" || restarts > 0) return false;
  if (active === "activating" || active === "reloading") return null;
  if (active === "active") return true;
  // A job that has ended well is inactive.
  return active === "inactive" && result === "success";
}
