import { expect, test } from 'vitest';
import { edge, golden } from './made';
import { type Graph, graphOf } from './model';
import { found, grouped, type Narrowing, namespacesOf, narrowed } from './narrow';

const whole = graphOf(
  [
    edge('/', 'shop/web'),
    edge('shop/web', 'shop/books', { golden: golden(2, 1, 10) }),
    edge('shop/web', 'data/authors', { golden: golden(4, 0.5, 90), tls: 'mtls' }),
    edge('shop/books', 'data/authors', { golden: golden(4, 1, 20) }),
    edge('data/authors', 'data/store'),
  ],
  [],
);
const nothing: Narrowing = { hidden: [], focus: undefined, steps: 1, onlyUnwell: false };
const idsOf = ({ nodes, edges }: Graph) => [[...nodes.keys()].sort(), edges.map((one) => one.id).sort()];

test('what is hidden goes with its edges; a namespace goes whole', () => {
  expect(idsOf(narrowed(whole, { ...nothing, hidden: ['data/', '/'] }))).toEqual([
    ['shop/books', 'shop/web'],
    ['shop/web>shop/books'],
  ]);
});

test('in focus is what is so many steps away, with the edges of the steps', () => {
  expect(idsOf(narrowed(whole, { ...nothing, focus: 'shop/books' }))).toEqual([
    ['data/authors', 'shop/books', 'shop/web'],
    ['shop/books>data/authors', 'shop/web>shop/books'],
  ]);
  expect(narrowed(whole, { ...nothing, focus: 'shop/books', steps: 2 }).nodes.size).toBe(5);
  expect(narrowed(whole, { ...nothing, focus: 'data/' }).nodes.has('/')).toBe(false);
});

test('only what is not well stays when that is asked for', () => {
  expect(idsOf(narrowed(whole, { ...nothing, onlyUnwell: true }))).toEqual([
    ['data/authors', 'shop/web'],
    ['shop/web>data/authors'],
  ]);
});

test('a closed namespace is one node, and edges to it are one', () => {
  const graph = grouped(whole, (namespace) => namespace === 'data');
  expect(idsOf(graph)).toEqual([
    ['/', 'data/authors', 'data/store', 'shop/'],
    ['/>shop/', 'data/authors>data/store', 'shop/>data/authors'],
  ]);
  expect(graph.nodes.get('shop/')?.members.map((node) => node.name)).toEqual(['web', 'books']);
  const both = graph.edges.find((one) => one.id === 'shop/>data/authors');
  expect(both?.numbers).toMatchObject({ rps: 8, success: 0.75, p99: 90 });
  expect([both?.tls, both?.health, both?.members.length]).toEqual(['some', 'bad', 2]);
});

test('a workload that calls itself does so only where it is seen', () => {
  const self = graphOf([edge('a/x', 'a/x')], []);
  expect(grouped(self, () => true).edges).toHaveLength(1);
  expect(idsOf(grouped(self, () => false))[0]).toEqual(['a/']);
});

test('what is looked for may be a part of a name, or of a namespace with it', () => {
  expect(found(whole, 'OO')).toEqual(['shop/books']);
  expect(found(whole, 'data/')).toEqual(['data/authors', 'data/store']);
  expect(found(whole, ' ')).toEqual([]);
  expect(namespacesOf(whole)).toEqual(['data', 'shop']);
});
