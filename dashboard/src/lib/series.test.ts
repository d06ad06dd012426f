import { expect, test } from 'vitest';
import { lone, measured } from './series';

const ends = [10_000, 20_000, 30_000, 40_000];

test('steps that ended before anything was measured are a gap, and not zero', () => {
  const measured_from = new Date(20_000).toISOString();
  expect(measured([0, 0, 0, 4], { ends, measured_from })).toEqual([null, null, 0, 4]);
});

test('a step in which measuring began counts', () => {
  const measured_from = new Date(25_000).toISOString();
  expect(measured([0, 0, 2, 4], { ends, measured_from })).toEqual([null, null, 2, 4]);
});

test('what was always measured stays as it is', () => {
  expect(measured([0, null, 2, 4], { ends, measured_from: new Date(0).toISOString() })).toEqual([0, null, 2, 4]);
});

test('a value between gaps stands alone', () => {
  expect(lone([1, null, 2, 3, null, 4])).toEqual([0, 5]);
  expect(lone([1, 2, null])).toEqual([]);
});
