// A graph with its places: what there is to draw, and what lies where.

import { PAD, PAD_TOP, type Placement, type Point, type Rect, SIZES } from '../layout/plan';
import { covers, type Edge, type Graph, type Node, namespaceId } from '../model';
import { type Curve, direct, distance, loop, through } from './curve';

/** By its middle. */
export interface PlacedNode extends Rect {
  node: Node;
}

export interface PlacedEdge {
  edge: Edge;
  curve: Curve;
  width: number;
}

/** By its corner. */
export interface PlacedGroup extends Rect {
  id: string;
  name: string;
  count: number;
}

export interface Scene {
  nodes: Map<string, PlacedNode>;
  /** The worst last, to lie above the others. */
  edges: PlacedEdge[];
  byId: Map<string, PlacedEdge>;
  /** Edges of each node. */
  edgesOf: Map<string, PlacedEdge[]>;
  groups: PlacedGroup[];
  bounds: Rect;
}

const ORDER = { none: 0, good: 1, warn: 2, bad: 3 } as const;

/** By its rate: ten times the requests are as much wider, wherever one starts. */
export function widthOf(rps: number): number {
  return Math.min(6, 1.1 + Math.log10(1 + rps) * 1.25);
}

export function curveOf(
  edge: Edge,
  scene: Pick<Scene, 'nodes'>,
  placement: Placement,
  moved: ReadonlyMap<string, Point>,
) {
  const [client, server] = [scene.nodes.get(edge.client), scene.nodes.get(edge.server)];
  if (!client || !server) return undefined;
  if (client === server) return loop(client);
  const route = placement.routes.get(edge.id);
  if (route && !moved.has(edge.client) && !moved.has(edge.server)) return through(route.points, route.label);
  return direct(client, server);
}

export function sceneOf(graph: Graph, placement: Placement, moved: ReadonlyMap<string, Point>): Scene {
  const scene: Scene = {
    nodes: new Map(),
    edges: [],
    byId: new Map(),
    edgesOf: new Map(),
    groups: [],
    bounds: { x: 0, y: 0, width: 0, height: 0 },
  };
  const counts = new Map<string, number>();
  for (const node of graph.nodes.values()) {
    const place = moved.get(node.id) ?? placement.nodes.get(node.id);
    if (!place) continue;
    scene.nodes.set(node.id, { node, x: place.x, y: place.y, ...SIZES[node.kind] });
    if (node.namespace !== undefined) counts.set(node.namespace, (counts.get(node.namespace) ?? 0) + 1);
  }
  for (const edge of graph.edges) {
    const curve = curveOf(edge, scene, placement, moved);
    if (!curve) continue;
    const placed = { edge, curve, width: widthOf(edge.numbers.rps) };
    scene.edges.push(placed);
    scene.byId.set(edge.id, placed);
    for (const end of new Set([edge.client, edge.server])) {
      const known = scene.edgesOf.get(end);
      if (known) known.push(placed);
      else scene.edgesOf.set(end, [placed]);
    }
  }
  scene.edges.sort((a, b) => ORDER[a.edge.health] - ORDER[b.edge.health]);
  for (const [name, rect] of placement.groups) {
    const count = counts.get(name);
    if (count) scene.groups.push({ id: namespaceId(name), name, count, ...rect });
  }
  for (const id of moved.keys()) stretch(scene, id);
  scene.bounds = boundsOf(scene);
  return scene;
}

/** Someone dragged a node: its namespace goes with it. */
function stretch({ nodes, groups }: Scene, id: string): void {
  const placed = nodes.get(id);
  const group = groups.find((one) => one.name === placed?.node.namespace);
  if (!placed || !group) return;
  const left = Math.min(group.x, placed.x - placed.width / 2 - PAD);
  const top = Math.min(group.y, placed.y - placed.height / 2 - PAD_TOP);
  group.width = Math.max(group.x + group.width, placed.x + placed.width / 2 + PAD) - left;
  group.height = Math.max(group.y + group.height, placed.y + placed.height / 2 + PAD) - top;
  group.x = left;
  group.y = top;
}

function boundsOf({ nodes, groups, edges }: Scene): Rect {
  let [left, top] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [right, bottom] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const add = (x: number, y: number, width: number, height: number) => {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  };
  for (const { x, y, width, height } of nodes.values()) add(x - width / 2, y - height / 2, width, height);
  for (const { x, y, width, height } of groups) add(x, y, width, height);
  for (const { curve } of edges) add(curve.middle.x, curve.middle.y, 0, 0);
  return left > right
    ? { x: 0, y: 0, width: 0, height: 0 }
    : { x: left, y: top, width: right - left, height: bottom - top };
}

export interface Hit {
  kind: 'node' | 'edge' | 'group';
  id: string;
}

export function hit(scene: Scene, x: number, y: number, scale: number): Hit | undefined {
  for (const { node, x: middleX, y: middleY, width, height } of scene.nodes.values()) {
    if (Math.abs(x - middleX) <= width / 2 && Math.abs(y - middleY) <= height / 2) return { kind: 'node', id: node.id };
  }
  for (const group of scene.groups) {
    // The name of a group, in it or on it.
    const [wide, high] = [(group.name.length * 8 + 40) / Math.min(scale, 1), 24 / scale];
    const isIn = x >= group.x && x <= group.x + wide && y >= group.y - (high > PAD_TOP ? high : 0);
    if (isIn && y <= group.y + (high > PAD_TOP ? 0 : PAD_TOP)) return { kind: 'group', id: group.id };
  }
  const within = 7 / scale;
  let nearest = within;
  let found: Hit | undefined;
  for (const { edge, curve, width } of scene.edges) {
    const far = distance(curve, x, y, within) - width / 2;
    if (far <= nearest) {
      nearest = far;
      found = { kind: 'edge', id: edge.id };
    }
  }
  return found;
}

/** Where an arrow key leads from a node. */
export function neighbour(scene: Scene, id: string | undefined, key: string): string | undefined {
  const all = [...scene.nodes.values()].sort((a, b) => a.x - b.x || a.y - b.y);
  const here = id === undefined ? undefined : scene.nodes.get(id);
  // From an open namespace into it.
  if (!here) return (all.find(({ node }) => id !== undefined && covers(id, node)) ?? all[0])?.node.id;
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    const at = all.indexOf(here) + (key === 'ArrowDown' ? 1 : -1);
    return all[(at + all.length) % all.length]?.node.id;
  }
  const isForward = key === 'ArrowRight';
  const busiest = (scene.edgesOf.get(here.node.id) ?? [])
    .map(({ edge }) => edge)
    .filter((edge) => edge.client !== edge.server && (isForward ? edge.client : edge.server) === here.node.id)
    .sort((a, b) => b.numbers.rps - a.numbers.rps)[0];
  return busiest && (isForward ? busiest.server : busiest.client);
}
