import { expect, test } from 'vitest';
import { find, misfit } from './search';

const workloads = [
  { workload: 'books', namespace: 'shop' },
  { workload: 'webapp', namespace: 'shop' },
];

test('names that begin with what is typed come first', () => {
  expect(find('o', workloads)[0]?.name).toBe('Overview');
  expect(find('boo', workloads)[0]).toEqual({ name: 'books', kind: 'workload in shop', path: '/workloads/shop/books' });
});

test('letters may be left out', () => {
  expect(misfit('webapp', 'wap')).toBeDefined();
  expect(misfit('webapp', 'paw')).toBeUndefined();
});

test('the id of a trace, or its first digits, leads to it', () => {
  expect(find('76741AEA', workloads)[0]).toEqual({ name: '76741AEA', kind: 'trace', path: '/traces/76741aea' });
  expect(find('abc', workloads).map((found) => found.kind)).not.toContain('trace');
});
