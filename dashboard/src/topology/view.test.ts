import { expect, test } from 'vitest';
import { FEW, givenFor, listed, openOf, unlisted } from './view';

const all = ['a', 'b', 'c'];
const open = (given: string | undefined, nodes: number) => [...openOf(given, all, nodes)].join('');

test('few nodes are shown with all namespaces open, many with none', () => {
  expect([open(undefined, FEW), open(undefined, FEW + 1)]).toEqual(['abc', '']);
  expect([open('*', 1000), open('-', 3), open('a,c,gone', 1000)]).toEqual(['abc', '', 'ac']);
});

test('the address holds what is open and says nothing where it would be so anyhow', () => {
  for (const nodes of [FEW, FEW + 1]) {
    for (const names of [[], ['b'], ['a', 'c'], all]) {
      const given = givenFor(new Set(names), all, nodes);
      expect([...openOf(given ?? undefined, all, nodes)].sort()).toEqual(names);
    }
  }
  expect([givenFor(new Set(all), all, FEW), givenFor(new Set(), all, FEW + 1)]).toEqual([null, null]);
});

test('names may hold what parts them', () => {
  const names = ['a/b', 'c,d', '50%', '%2C'];
  expect(unlisted(listed(names))).toEqual(names);
  expect(unlisted('')).toEqual([]);
});
