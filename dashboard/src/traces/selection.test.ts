import { expect, test } from 'vitest';
import { changed } from '../lib/url';
import { Plot } from './plot';
import {
  fromBox,
  isSelected,
  NO_SELECTION,
  selectionOf,
  selectionParameters,
  selectionWithin,
  toBox,
} from './selection';

const selection = { from: 1000, until: 4000, min: 10, max: 100 };

test('a selection comes back from the address as it went there', () => {
  const query = changed(new URLSearchParams('service=books'), selectionParameters(selection));
  expect(query.get('selected_from')).toBe('1970-01-01T00:00:01.000Z');
  expect(query.get('selected_max_duration')).toBe('100ms');
  expect(selectionOf(query)).toEqual(selection);
  expect(selectionOf(changed(query, NO_SELECTION))).toBeUndefined();
  expect(selectionOf(new URLSearchParams('selected_from=yesterday'))).toBeUndefined();
});

test('a rectangle selects all that it covers, whichever corner comes first', () => {
  const plot = new Plot(
    { left: 0, top: 0, width: 100, height: 100 },
    { time: { from: 0, to: 10_000 }, duration: { from: 1, to: 10_000 } },
  );
  const expected = { from: 1000, until: 5000, min: 10, max: 1000 };
  expect(selectionWithin(plot, { x: 10, y: 75 }, { x: 50, y: 25 })).toEqual(expected);
  expect(selectionWithin(plot, { x: 50, y: 25 }, { x: 10, y: 75 })).toEqual(expected);
});

test('a bound that is absent lets everything through', () => {
  const trace = (at: number, duration_ms: number) => ({ start: new Date(at).toISOString(), duration_ms });
  expect(isSelected(selection, trace(1000, 10))).toBe(true);
  expect(isSelected(selection, trace(4001, 10))).toBe(false);
  expect(isSelected(selection, trace(2000, 100.5))).toBe(false);
  expect(isSelected({ min: 5 }, trace(9, 6))).toBe(true);
});

test('a box for a moment has the time of day, and means the last one that was', () => {
  const at = new Date(2026, 0, 31, 14, 5, 30, 250).getTime();
  expect(toBox(at)).toBe('14:05:30.250');
  expect(fromBox('14:05:30.250', at + 60_000)).toBe(at);
  expect(fromBox('14:05', at)).toBe(at - 30_250);
  expect(fromBox('23:00', at)).toBe(new Date(2026, 0, 30, 23).getTime());
  expect([toBox(undefined), fromBox('', at), fromBox('noon', at)]).toEqual(['', undefined, undefined]);
});
