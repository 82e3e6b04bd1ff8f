/** RFC 3339 in UTC with microseconds, the form that pin rows have always had: `2026-08-11T03:50:52.425000Z`. */
export function rfc3339Micros(at: Date): string {
  return at.toISOString().replace("Z", "000Z");
}
