import { expect, test } from 'vitest';
import { atOf, PLACES, steppedFrom, untilOf } from './moments';

const now = Date.parse('2026-01-01T06:00:00Z');
const from = Date.parse('2026-01-01T00:00:00Z');

test('the slider goes from the first moment to now', () => {
  expect(untilOf(0, from, now)).toBe('2026-01-01T00:00:00Z');
  expect(untilOf(PLACES / 2, from, now)).toBe('2026-01-01T03:00:00Z');
  expect(untilOf(PLACES, from, now)).toBeUndefined();
});

test('a moment has its place, and those that the slider does not reach are at its ends', () => {
  expect(atOf('2026-01-01T03:00:00Z', from, now)).toBe(PLACES / 2);
  expect(atOf('2025-01-01T00:00:00Z', from, now)).toBe(0);
  expect(atOf('2027-01-01T00:00:00Z', from, now)).toBe(PLACES - 1);
  expect([atOf(undefined, from, now), atOf('nonsense', from, now)]).toEqual([PLACES, PLACES]);
});

test('a replay steps on until it is now', () => {
  expect(steppedFrom('2026-01-01T05:58:00Z', 60_000, now)).toBe('2026-01-01T05:59:00Z');
  expect(steppedFrom('2026-01-01T05:59:30Z', 60_000, now)).toBeUndefined();
  expect(steppedFrom(undefined, 60_000, now)).toBeUndefined();
});
