import { expect, test } from 'vitest';
import { layoutOf } from '../layout/layout';
import { planOf } from '../layout/plan';
import { edge, golden } from '../made';
import { graphOf } from '../model';
import { centred, fitted, isSeen, toWorld, zoomed } from './camera';
import { direct, distance, through } from './curve';
import { hit, neighbour, sceneOf, widthOf } from './scene';

const graph = graphOf(
  [
    edge('/', 'a/web'),
    edge('a/web', 'a/books', { golden: golden(9) }),
    edge('a/web', 'a/authors', { golden: golden(2, 0.5) }),
    edge('a/books', 'a/books'),
  ],
  [],
);
const placement = layoutOf(planOf(graph));
const scene = sceneOf(graph, placement, new Map());
const place = (id: string) => scene.nodes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 };

test('the worst edges are drawn last', () => {
  expect(scene.edges.at(-1)?.edge.id).toBe('a/web>a/authors');
  expect(widthOf(100)).toBeGreaterThan(widthOf(10));
});

test('what lies at a place is found: a node, an edge, the name of a namespace, or nothing', () => {
  const { x, y } = place('a/web');
  expect(hit(scene, x, y, 1)).toEqual({ kind: 'node', id: 'a/web' });
  const middle = scene.byId.get('/>a/web')?.curve.path ?? [];
  expect(hit(scene, (middle[0] ?? 0) + 8, middle[1] ?? 0, 1)).toEqual({ kind: 'edge', id: '/>a/web' });
  const [group] = scene.groups;
  expect(hit(scene, (group?.x ?? 0) + 10, (group?.y ?? 0) + 10, 1)).toEqual({ kind: 'group', id: 'a/' });
  expect(hit(scene, -500, -500, 1)).toBeUndefined();
});

test('arrow keys go to the busiest neighbour, and up and down through all', () => {
  expect(neighbour(scene, undefined, 'ArrowRight')).toBe('/');
  expect(neighbour(scene, 'a/', 'ArrowDown')).toBe('a/web');
  expect(neighbour(scene, '/', 'ArrowRight')).toBe('a/web');
  expect(neighbour(scene, 'a/web', 'ArrowRight')).toBe('a/books');
  expect(neighbour(scene, 'a/books', 'ArrowLeft')).toBe('a/web');
  expect(neighbour(scene, 'a/authors', 'ArrowRight')).toBeUndefined();
  const seen = new Set<string | undefined>();
  let at: string | undefined;
  for (let step = 0; step < 4; step++) {
    at = neighbour(scene, at, 'ArrowDown');
    seen.add(at);
  }
  expect(seen.size).toBe(4);
});

test('a node that was dragged takes its edges and its namespace with it', () => {
  const { x, y } = place('a/books');
  const moved = sceneOf(graph, placement, new Map([['a/books', { x, y: y + 400 }]]));
  const [before, after] = [scene.groups[0], moved.groups[0]];
  expect(after?.height).toBeGreaterThan((before?.height ?? 0) + 200);
  const path = moved.byId.get('a/web>a/books')?.curve.path ?? [];
  expect(path.at(-1)).toBeGreaterThan(y + 300);
});

test('edges end at the sides of nodes, and are found near their line alone', () => {
  const [client, server] = [
    { x: 0, y: 0, width: 100, height: 40 },
    { x: 300, y: 0, width: 100, height: 40 },
  ];
  const forth = direct(client, server);
  expect([forth.path[0], forth.path.at(-2)]).toEqual([50, 250]);
  const back = direct(server, client);
  expect([back.path[0], back.path.at(-2)]).toEqual([250, 50]);
  expect(distance(forth, 150, forth.middle.y, 5)).toBeLessThan(1);
  expect(distance(forth, 150, 60, 5)).toBe(Number.POSITIVE_INFINITY);
  const bent = through([
    { x: 0, y: 0 },
    { x: 50, y: 50 },
    { x: 100, y: 0 },
  ]);
  expect([bent.path.length, bent.path.at(-2)]).toEqual([8, 100]);
});

test('all of it fits on the screen, and zooming keeps the place under the pointer', () => {
  const size = { width: 800, height: 600 };
  const camera = fitted({ x: -100, y: 50, width: 4000, height: 1000 }, size);
  expect(camera.scale).toBeCloseTo(764 / 4000);
  const at = { x: 200, y: 100 };
  const closer = zoomed(camera, 2, at);
  expect(toWorld(closer, at).x).toBeCloseTo(toWorld(camera, at).x);
  expect(isSeen(centred(closer, { x: 9, y: 9 }, size), { x: 9, y: 9 }, size)).toBe(true);
  expect(isSeen(closer, { x: 99_999, y: 0 }, size)).toBe(false);
});
