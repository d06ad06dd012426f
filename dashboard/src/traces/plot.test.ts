import { expect, test } from 'vitest';
import { durationDomain, durationTicks, markRadius, nearest, Plot, timeTicks } from './plot';

const plot = new Plot(
  { left: 50, top: 10, width: 600, height: 200 },
  { time: { from: 1000, to: 7000 }, duration: { from: 1, to: 10_000 } },
);

test('what is ten times longer is as far up again', () => {
  expect([1, 10, 100, 1000, 10_000].map((ms) => Math.round(plot.y(ms)))).toEqual([210, 160, 110, 60, 10]);
  expect([1000, 4000, 7000].map((at) => plot.x(at))).toEqual([50, 350, 650]);
});

test('a place is the time and the duration that lie there, and outside of the plot those of its edge', () => {
  expect(plot.timeAt(350)).toBe(4000);
  expect(plot.durationAt(110)).toBeCloseTo(100);
  expect([plot.timeAt(0), plot.timeAt(9999)]).toEqual([1000, 7000]);
  expect([plot.durationAt(-5), plot.durationAt(999)].map(Math.round)).toEqual([10_000, 1]);
});

test('there is room around all durations, and the same for those that hardly differ', () => {
  const { from, to } = durationDomain([2, 50, 800]);
  expect([from < 2, to > 800]).toEqual([true, true]);
  const narrow = durationDomain([10, 10.1]);
  expect(narrow.to / narrow.from).toBeCloseTo(5);
  expect(durationDomain([])).toEqual({ from: 1, to: 1000 });
  expect(durationDomain([0]).from).toBeGreaterThan(0);
});

test('lines are at round numbers', () => {
  expect(durationTicks({ from: 3, to: 700 })).toEqual([5, 10, 20, 50, 100, 200, 500]);
  expect(durationTicks({ from: 0.5, to: 5000 })).toEqual([1, 10, 100, 1000]);
  expect(timeTicks({ from: 60_500, to: 120_000 })).toEqual([70_000, 80_000, 90_000, 100_000, 110_000, 120_000]);
  expect(timeTicks({ from: 0, to: 3_600_000 }).length).toBeLessThanOrEqual(9);
});

test('the nearest mark is found where there is one', () => {
  const points = [
    { x: 10, y: 10 },
    { x: 14, y: 10 },
  ];
  expect([nearest(points, 13, 10), nearest(points, 9, 9), nearest(points, 40, 40)]).toEqual([1, 0, undefined]);
});

test('marks grow with the spans, and no further than they may', () => {
  expect(markRadius(1)).toBeLessThan(markRadius(10));
  expect(markRadius(100_000)).toBe(9);
});
