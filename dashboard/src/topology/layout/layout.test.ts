import { expect, test } from 'vitest';
import { edge, workload } from '../made';
import { type Graph, graphOf } from '../model';
import { flowOrder, ranks } from './columns';
import { layoutOf } from './layout';
import { type Placement, type Plan, planOf } from './plan';
import { remembered } from './useLayout';

function overlaps({ boxes }: Plan, { nodes }: Placement): number {
  let many = 0;
  for (const a of boxes) {
    for (const b of boxes) {
      const [one, other] = [nodes.get(a.id), nodes.get(b.id)];
      if (a.id >= b.id || !one || !other) continue;
      const [x, y] = [Math.abs(one.x - other.x), Math.abs(one.y - other.y)];
      if (x < (a.width + b.width) / 2 && y < (a.height + b.height) / 2) many++;
    }
  }
  return many;
}

function made(namespaces: number, each: number): Graph {
  const edges = [];
  for (let group = 0; group < namespaces; group++) {
    for (let at = 1; at < each; at++) {
      edges.push(edge(`n${group}/w${Math.floor(at / 2)}`, `n${group}/w${at}`));
      edges.push(edge(`n${group}/w${at}`, `n${(group + at) % namespaces}/w${(at * 3) % each}`));
    }
  }
  return graphOf(edges, []);
}

test.each([
  [1, 8],
  [3, 6],
  [12, 30],
])('of %i namespaces with %i workloads each has a place of its own', (namespaces, each) => {
  const plan = planOf(made(namespaces, each));
  const placement = layoutOf(plan);
  expect(placement.nodes.size).toBe(plan.boxes.length);
  expect(overlaps(plan, placement)).toBe(0);
  expect(placement.groups.size).toBe(namespaces);
});

test('clients are left of their servers, also around a circle', () => {
  const chain = planOf(graphOf([edge('/', 'a/x'), edge('a/x', 'a/y'), edge('a/y', 'a/z'), edge('a/z', 'a/x')], []));
  const { nodes, routes } = layoutOf(chain);
  const at = (id: string) => nodes.get(id)?.x ?? 0;
  expect(at('/')).toBeLessThan(at('a/x'));
  expect(at('a/x')).toBeLessThan(at('a/y'));
  expect(routes.get('/>a/x')?.points.length).toBeGreaterThan(1);
});

test('ranks leave out the links that go back', () => {
  const links: [number, number][] = [
    [0, 1],
    [1, 2],
    [2, 1],
    [2, 3],
  ];
  expect(flowOrder(4, links)).toEqual([0, 1, 2, 3]);
  expect(ranks(4, links)).toEqual([0, 1, 2, 3]);
  expect(ranks(0, [])).toEqual([]);
});

test('nothing has no places', () => {
  expect(layoutOf(planOf(graphOf([], []))).nodes.size).toBe(0);
});

test('a layout is made anew for what is new, and not for what goes', () => {
  const both = graphOf([edge('a/x', 'a/y'), edge('a/x', 'a/z')], []);
  const less = graphOf([edge('a/x', 'a/y')], []);
  const first = remembered(undefined, 's', both);
  expect(first?.nodes.size).toBe(3);
  expect(remembered(first, 's', less)).toBeUndefined();
  expect(remembered(first, 'other', less)?.nodes.size).toBe(2);
  const more = graphOf([edge('a/y', 'a/x')], [workload('a/new')]);
  expect([...(remembered(first, 's', more)?.nodes.keys() ?? [])]).toEqual(['a/x', 'a/y', 'a/z', 'a/new']);
});
