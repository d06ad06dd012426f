import { expect, test } from 'vitest';
import { breaksOf, endsOf } from './breaks';
import { compare } from './compare';
import { build, ms } from './model';
import { ALL_OPEN, keyOf, revealing, rowsOf, ticks } from './rows';
import { library, span, trace } from './testing';

const spans = [
  span('1', null, 'server', 'webapp', 0, 100),
  span('2', '1', 'client', 'webapp', 10, 90),
  span('3', '2', 'server', 'books', 20, 80),
  span('4', 'lost', 'server', 'authors', 30, 40),
  span('5', 'lost', 'server', 'authors', 50, 60),
];

test('a parent that nobody exported has a row above its children', () => {
  const rows = rowsOf(build(trace(spans)), ALL_OPEN);
  expect(rows.map((row) => [row.key, row.depth, row.missing])).toEqual([
    ['s0', 0, undefined],
    ['s1', 1, undefined],
    ['s2', 2, undefined],
    ['mlost', 0, 'lost'],
    ['s3', 1, undefined],
    ['s4', 1, undefined],
  ]);
});

test('rows are closed from a depth on, but for those that someone opened', () => {
  const model = build(trace(spans));
  const keys = (depth: number, byHand: [string, boolean][] = []) =>
    rowsOf(model, { depth, byHand: new Map(byHand) }).map((row) => row.key);
  expect(keys(1)).toEqual(['s0', 's1', 'mlost', 's3', 's4']);
  expect(keys(0, [['s0', true]])).toEqual(['s0', 's1', 'mlost']);
  const revealed = revealing(model, { depth: 0, byHand: new Map() }, 2);
  expect(rowsOf(model, revealed).map((row) => row.key)).toContain(keyOf(model.nodes[2] as never));
});

test('the axis has round times', () => {
  expect(ticks(0, 55.7e6, 6).map(ms)).toEqual([0, 10, 20, 30, 40, 50]);
  expect(ticks(1.2e6, 1.9e6, 4).map(ms)).toEqual([1.2, 1.4, 1.6, 1.8]);
});

test('who broke a trace is said as far as it can be told', () => {
  const library1 = library(span('7', 'gone', 'internal', 'books', 0, 5));
  const asked = { ...span('8', 'late', 'server', 'books', 0, 5), attributes: { 'clew.peer.workload': 'webapp' } };
  const breaks = breaksOf(build(trace([span('6', null, 'client', 'books', 0, 9), library1, asked])));
  expect(breaks.map(({ key, workload }) => [key, workload?.name])).toEqual([
    ['gone', 'books'],
    ['late', undefined],
    ['6', 'books'],
  ]);
  expect(breaksOf(build(trace(spans.slice(0, 3))))).toEqual([]);
});

test('a trace that ends at a workload which breaks traces says so', () => {
  const audited = (name: string, score: number) => ({ name, namespace: 'default', score, routes: [] });
  const served = build(trace(spans.slice(0, 3)));
  expect(
    endsOf(served, [audited('books', 0), audited('webapp', 0.2)]).map(({ at, workload }) => [at, workload]),
  ).toEqual([[[2], { namespace: 'default', name: 'books' }]]);
  expect(endsOf(served, [audited('books', 1), { ...audited('books', 0), namespace: 'other' }])).toEqual([]);
  const goesOn = build(trace([...spans.slice(0, 3), span('9', '3', 'client', 'books', 30, 50)]));
  expect(endsOf(goesOn, [audited('books', 0)])).toEqual([]);
});

test('two traces are matched by where their spans are, and own differences add up', () => {
  const ours = build(trace([...spans.slice(0, 3), span('9', '3', 'client', 'books', 30, 50)]));
  const theirs = build(
    trace([
      span('a', null, 'server', 'webapp', 0, 60),
      span('b', 'a', 'client', 'webapp', 10, 50),
      span('c', 'b', 'server', 'books', 20, 40),
      span('d', 'a', 'client', 'webapp', 50, 55),
    ]),
  );
  const pairs = compare(ours, theirs);
  expect(pairs.map((pair) => [pair.ours?.span.span_id, pair.theirs?.span.span_id, ms(pair.difference)])).toEqual([
    ['1', 'a', 40],
    ['2', 'b', 40],
    ['3', 'c', 40],
    ['9', undefined, 20],
    [undefined, 'd', -5],
  ]);
  expect(pairs.reduce((sum, pair) => sum + ms(pair.ownDifference), 0)).toBe(40);
});
