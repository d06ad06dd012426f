import { expect, test } from 'vitest';
import { windowMillis, windowOf } from './time';

test('windows are a whole number and a unit', () => {
  expect(['90s', '5m', '1h', '2d', '250ms'].map(windowMillis)).toEqual([90_000, 300_000, 3_600_000, 172_800_000, 250]);
  expect(['', '5', 'm', '1.5h', '5 m'].map(windowMillis)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('a window is named by its largest unit', () => {
  expect([1, 90_000, 300_000, 7_200_000, 86_400_000].map(windowOf)).toEqual(['1s', '90s', '5m', '2h', '1d']);
});
