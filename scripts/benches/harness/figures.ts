/** Figures as people read them: three digits that say something. */

export function milliseconds(value: number): string {
  const size = Math.abs(value);
  return `${value.toFixed(size < 1 ? 2 : size < 100 ? 1 : 0)} ms`;
}

export function megabytes(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} MB`;
}

export function times(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)}×`;
}

/** With a comma between thousands. */
export function perSecond(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
}

/** 1k, 80k, 1M: what an axis has room for. */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

/** Without a minus before a zero. */
export function exponent(value: number): string {
  return (Math.round(value * 100) / 100 + 0).toFixed(2);
}
