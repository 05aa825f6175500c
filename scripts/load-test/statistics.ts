/** Statistics that stand in tables. */

/** The nearest-rank percentile, `share` in [0, 1]; undefined of nothing. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** `12.3`, with a dash for nothing. */
export function format(value: number | undefined, digits = 0): string {
  return value === undefined ? '–' : value.toFixed(digits);
}
