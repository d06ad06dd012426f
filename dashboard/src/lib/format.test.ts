import { expect, test } from 'vitest';
import { ago, bytes, count, percent, rate, time } from './format';

test.each([
  [undefined, '–'],
  [null, '–'],
  [Number.NaN, '–'],
  [0, '0 ms'],
  [0.0042, '4.20 µs'],
  [0.9994, '999 µs'],
  [0.9999, '1.00 ms'],
  [20.66, '20.7 ms'],
  [999.4, '999 ms'],
  [999.6, '1.00 s'],
  [59_960, '1 min 0 s'],
  [61_000, '1 min 1 s'],
  [119_700, '2 min 0 s'],
  [3_599_700, '1.00 h'],
  [-5, '−5.00 ms'],
  [7_200_000, '2.00 h'],
])('time of %s ms is %s', (ms, shown) => expect(time(ms)).toBe(shown));

test.each([
  [1, '100.00%'],
  [0.99999, '99.99%'],
  [0.98769, '98.76%'],
  [0.29, '29.00%'],
  [0.5, '50.00%'],
  [0, '0.00%'],
  [undefined, '–'],
])('a share of %s is %s: all is only said of all', (share, shown) => expect(percent(share)).toBe(shown));

test('counts and rates keep three digits', () => {
  expect([0, 1.5, 9999, 12_345, 1_234_567, 2.5e9].map(count)).toEqual(['0', '1.5', '9,999', '12.3k', '1.23M', '2.50G']);
  expect([0, 0.001, 0.25, 9.999, 12.34, 999, 12_345].map(rate)).toEqual([
    '0',
    '<0.01',
    '0.25',
    '10.0',
    '12.3',
    '999',
    '12.3k',
  ]);
});

test('bytes', () => {
  expect([0, 1023, 1024, 1_048_000, 5 * 2 ** 30].map(bytes)).toEqual([
    '0 B',
    '1023 B',
    '1.00 KiB',
    '1023 KiB',
    '5.00 GiB',
  ]);
});

test('how long ago', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(ago('2026-01-01T00:00:01Z', now)).toBe('now');
  expect(ago('2025-12-31T23:59:30Z', now)).toBe('30 s ago');
  expect(ago('2025-12-31T20:00:00Z', now)).toBe('4 h ago');
  expect(ago('nonsense', now)).toBe('–');
});
