import { expect, test } from 'vitest';
import { isBroken, missing } from './whole';

test('a whole trace has one root, and every parent', () => {
  expect(isBroken({ roots: 1, missing_parents: 0 })).toBe(false);
  expect(missing({ roots: 1, missing_parents: 0 })).toBe('whole');
});

test('what is missing is told', () => {
  expect(missing({ roots: 0, missing_parents: 1 })).toBe('its first span is not there; 1 span names a parent not kept');
  expect(missing({ roots: 3, missing_parents: 0 })).toBe('3 spans have no parent');
  expect(isBroken({ roots: 2, missing_parents: 0 })).toBe(true);
});
