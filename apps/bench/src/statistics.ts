/** Of several measurements of one thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The value below which a part of all values lies, between the two nearest when none lies there exactly.
 * @param part 0 to 1; 0.5 is the median
 */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new Error("expected at least one value");
  const sorted = values.toSorted((one, other) => one - other);
  const place = part * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? 0;
  return below + (above - below) * (place - Math.floor(place));
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** Each of `values` by the one of the same repeat, which is its key: what disturbs a whole repeat disturbs no ratio. */
export function ratios(values: ReadonlyMap<number, number>, by: ReadonlyMap<number, number>): readonly number[] {
  return [...values].flatMap(([repeat, value]) => {
    const divisor = by.get(repeat);
    return divisor === undefined || divisor === 0 ? [] : [value / divisor];
  });
}
