import { expect, test } from 'vitest';
import { missing, wholeness } from './whole';

test('of a whole trace nothing is missing', () => {
  expect(missing({ state: 'whole', roots: 1, missing_parents: 0 })).toBe('whole');
});

test('what is missing is told', () => {
  const broken = { state: 'broken', roots: 0, missing_parents: 1 } as const;
  expect(missing(broken)).toBe('its first span is not there; 1 span names a parent not kept');
  expect(missing({ ...broken, roots: 3, missing_parents: 0 })).toBe('3 spans have no parent');
});

test('of a trace that is arriving nothing is said to be missing', () => {
  const arriving = { state: 'arriving', roots: 0, missing_parents: 1 } as const;
  expect(missing(arriving)).toBe('spans of it came less than 2 s ago, and more may come');
});

test('broken ones come last', () => {
  const states = (['broken', 'whole', 'arriving'] as const).map((state) => wholeness({ state }));
  expect(states).toEqual([2, 0, 1]);
});
