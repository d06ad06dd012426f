import { expect, test } from 'vitest';
import { dotsOf, heatOf, rowOf, strength } from './heat';

const map = (bounds: (number | null)[], counts: number[][]) =>
  heatOf({
    bounds_ms: bounds,
    lower_bounds_ms: bounds.map((_, at) => (at === 0 ? 0 : (bounds[at - 1] ?? 0))),
    counts,
  } as unknown as Parameters<typeof heatOf>[0]);

test('few buckets stay as they are', () => {
  const heat = map([1, 2, null], [[1, 0, 5]]);
  expect(heat).toEqual({ bounds: [1, 2, null], lower: [0, 1, 2], counts: [[1, 0, 5]], max: 5 });
});

test('of many, neighbours are put together, and no request is lost', () => {
  const bounds = Array.from({ length: 90 }, (_, at) => at + 1);
  const heat = map(bounds, [bounds.map(() => 1)]);
  expect(heat.bounds.length).toBe(30);
  expect(heat.bounds.at(-1)).toBe(90);
  expect(heat.counts[0]?.reduce((sum, count) => sum + count, 0)).toBe(90);
});

test('a latency lies in the row whose bounds are around it', () => {
  const heat = map([1, 2, null], [[0, 0, 0]]);
  expect([0.5, 1, 1.5, 2, 50].map((ms) => rowOf(heat, ms))).toEqual([0.5, 1, 1.5, 2, 2.5]);
  expect(rowOf(map([1, 2], [[0, 0]]), 3)).toBeUndefined();
});

test('one request is seen beside a thousand', () => {
  expect(strength(0, 1000)).toBe(0);
  expect(strength(1, 1000)).toBeGreaterThan(0.15);
  expect(strength(1000, 1000)).toBe(1);
});

test('a dot is a span, and lies where it ended', () => {
  const span = { trace_id: 'a1', span_id: 'b2', start: '2026-01-31T12:00:00.5Z', duration_ms: 250, failed: false };
  const failed = { ...span, span_id: 'c3', failed: true };
  const dots = dotsOf({ exemplars: [[], [span, failed]] });
  const at = Date.parse('2026-01-31T12:00:00.75Z');
  expect(dots[0]).toEqual({ traceId: 'a1', spanId: 'b2', at, ms: 250, isFailed: false });
  expect(dots.map((dot) => dot.isFailed)).toEqual([false, true]);
});
