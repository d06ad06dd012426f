// A heatmap's rows: buckets of latency, the fastest at the bottom.

import type { Schema } from '../api/answer';

export interface Heat {
  /** Milliseconds where each row ends, ascending; the last one may have no end. */
  bounds: (number | null)[];
  lower: number[];
  /** By step, then by row. */
  counts: number[][];
  /** The largest count of a cell. */
  max: number;
}

/** Rows that a picture has at most: more would be thinner than a line. */
const MAX_ROWS = 40;

/** The buckets, neighbours put together where there are too many. */
export function heatOf(map: Schema<'Heatmap'>): Heat {
  const together = Math.max(1, Math.ceil(map.bounds_ms.length / MAX_ROWS));
  const bounds: (number | null)[] = [];
  const lower: number[] = [];
  for (let at = 0; at < map.bounds_ms.length; at += together) {
    const last = Math.min(at + together, map.bounds_ms.length) - 1;
    bounds.push(map.bounds_ms[last] ?? null);
    lower.push(map.lower_bounds_ms[at] ?? 0);
  }
  const counts = map.counts.map((step) =>
    bounds.map((_, row) => step.slice(row * together, (row + 1) * together).reduce((sum, count) => sum + count, 0)),
  );
  return { bounds, lower, counts, max: Math.max(0, ...counts.flat()) };
}

/** Where a latency lies: a row and the share of its height, counted from the bottom; `undefined`: above or below all. */
export function rowOf(heat: Heat, ms: number): number | undefined {
  for (let row = 0; row < heat.bounds.length; row += 1) {
    const upper = heat.bounds[row];
    const low = heat.lower[row] ?? 0;
    if (upper === null || upper === undefined) return ms > low ? row + 0.5 : undefined;
    if (ms <= upper) {
      if (ms <= low) return row === 0 && ms < low ? undefined : row;
      return row + (ms - low) / (upper - low);
    }
  }
  return undefined;
}

/** A request that can be looked at. */
export interface Dot {
  traceId: string;
  spanId: string;
  /** When it ended, Unix milliseconds. */
  at: number;
  ms: number;
  isFailed: boolean;
}

/** The requests that the answer names, where they ended: there the numbers count them. */
export function dotsOf(map: Pick<Schema<'Heatmap'>, 'exemplars'>): Dot[] {
  return map.exemplars.flat().map((one) => ({
    traceId: one.trace_id,
    spanId: one.span_id,
    at: Date.parse(one.start) + one.duration_ms,
    ms: one.duration_ms,
    isFailed: one.failed,
  }));
}

/** How strong a cell is drawn, 0 to 1: few requests are seen beside many. */
export function strength(count: number, max: number): number {
  if (count === 0 || max === 0) return 0;
  return 0.12 + 0.88 * (Math.log1p(count) / Math.log1p(max));
}
