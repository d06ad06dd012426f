import { expect, test } from 'vitest';
import { meaning, PLACES, placeOf } from './keys';

const press = (key: string, before?: string) => meaning({ key, ctrlKey: false, metaKey: false, altKey: false }, before);

test('g and a letter goes to a page, each to another', () => {
  expect(press('g')).toBe('begin');
  expect(press('t', 'g')).toEqual({ go: '/topology' });
  expect(press('z', 'g')).toBeUndefined();
  expect(new Set(PLACES.map((place) => place.key)).size).toBe(PLACES.length);
});

test('keys of the browser stay those of the browser', () => {
  expect(meaning({ key: '/', ctrlKey: true, metaKey: false, altKey: false }, undefined)).toBeUndefined();
  expect([press('/'), press('?'), press('x')]).toEqual(['search', 'help', undefined]);
});

test('each page belongs to a place', () => {
  const names = ['/', '/workloads/default/books', '/traces/4bf9', '/traces', '/tracesof', '/nothing'].map(
    (path) => placeOf(path)?.name,
  );
  expect(names).toEqual(['Overview', 'Overview', 'Traces', 'Traces', undefined, undefined]);
});
