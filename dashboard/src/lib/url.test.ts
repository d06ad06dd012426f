import { expect, test } from 'vitest';
import { changed, link, workloadPath } from './url';

test('links keep the time and nothing else', () => {
  const query = new URLSearchParams('window=5m&until=2026-01-01T00:00:00Z&route=GET+/a');
  expect(link('/traces', query, { service: 'books', errors: true, min: '' })).toBe(
    '/traces?window=5m&until=2026-01-01T00%3A00%3A00Z&service=books&errors=true',
  );
  expect(link('/mesh', new URLSearchParams('q=x'))).toBe('/mesh');
});

test('what is empty is taken out of the address', () => {
  const query = new URLSearchParams('a=1&b=2');
  expect(changed(query, { a: null, b: 3, c: false, d: 0 }).toString()).toBe('b=3&d=0');
});

test('names of workloads may hold anything', () => {
  expect(workloadPath('shop', 'a/b c')).toBe('/workloads/shop/a%2Fb%20c');
});
