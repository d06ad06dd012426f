import { expect, test } from 'vitest';
import { sparkPath } from './Sparkline';

test('the line goes from the left to the right, and the greatest value is at the top', () => {
  expect(sparkPath([0, 5, 10], 100, 22)).toBe('M0.0 21.0L50.0 11.0L100.0 1.0');
});

test('where there is no value there is no line, and between two such places a dot', () => {
  expect(sparkPath([1, null, 1], 10, 12)).toBe('M0.0 1.0h0M10.0 1.0h0');
  expect(sparkPath([], 10, 12)).toBe('');
  expect(sparkPath([0, 0], 10, 12)).toBe('M0.0 11.0L10.0 11.0');
});
