import { isMap } from "../../base/decode.ts";
import type { JsonValue } from "../../base/json.ts";
import { WireRefusal } from "../http/wire.ts";

/** What operators say of a host: `{"role": "edge", "zone": "a"}`. */
export type Labels = Readonly<Record<string, string>>;

const NAME = /^[a-z0-9][a-z0-9._/-]{0,62}$/u;
const VALUE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/u;
const MOST = 64;

/** An object of names and values. Throws WireRefusal `invalid_field`. */
export function readLabels(value: JsonValue | undefined, what: string): Labels {
  if (!isMap(value) || Object.keys(value).length > MOST) {
    throw refused(`${what} must be an object of at most ${MOST} labels`);
  }
  const labels: Record<string, string> = Object.create(null);
  for (const [name, text] of Object.entries(value)) {
    if (!NAME.test(name) || typeof text !== "string" || !VALUE.test(text)) {
      throw refused(`${what}: names match ${NAME.source}, values ${VALUE.source}`);
    }
    labels[name] = text;
  }
  return labels;
}

/** At least one label, since no label would be every host. Throws WireRefusal `invalid_field`. */
export function readSelector(value: JsonValue | undefined): Labels {
  const selector = readLabels(value, "selector");
  if (Object.keys(selector).length > 0) return selector;
  throw refused("selector must name a label; leave it out for every host");
}

/** The one spelling of a selector: `role=edge,zone=a`. No host name has an equals sign. */
export function selectorText(selector: Labels): string {
  return Object.entries(selector)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(",");
}

export function isSelectorText(text: string): boolean {
  return text.includes("=");
}

/** A selector in any order of its labels. Throws WireRefusal `invalid_field`. */
export function parseSelector(text: string): Labels {
  const pairs = text.split(",").map((pair) => {
    const [name = "", value = "", ...more] = pair.split("=");
    if (more.length > 0) throw refused("selector must be name=value[,name=value…]");
    return [name, value] as const;
  });
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) {
    throw refused("selector must not name a label twice");
  }
  return readSelector(Object.fromEntries(pairs));
}

/** Whether a host has every label of the selector, with its value. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  );
}

function refused(message: string): WireRefusal {
  return new WireRefusal("invalid_field", message);
}
