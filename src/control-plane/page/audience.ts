import { isSelectorText } from "../hosts/labels.ts";

/** For whom an assignment is, in words: `every host`, `hosts with role=edge, zone=a`, `web-1`. */
export function audienceText(audience: string): string {
  if (audience === "") return "every host";
  return isSelectorText(audience) ? `hosts with ${audience.replaceAll(",", ", ")}` : audience;
}
