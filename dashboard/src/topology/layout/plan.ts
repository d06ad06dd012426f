// What a layout is asked for, and what comes back.

import type { Graph, NodeKind } from '../model';

/** The scale from which on the numbers of edges are drawn: a layout that is seen whole at it is preferred. */
export const LABELLED = 0.45;

export interface Box {
  id: string;
  width: number;
  height: number;
  /** The open namespace that it is in. */
  group?: string | undefined;
  /** Clients outside the mesh are left of all, servers outside right. */
  side?: 'left' | 'right' | undefined;
}

export interface Plan {
  boxes: Box[];
  /** Pairs of places in `boxes`. */
  links: [number, number][];
}

export interface Point {
  x: number;
  y: number;
}

export interface Rect extends Point {
  width: number;
  height: number;
}

export interface Route {
  points: Point[];
  /** Where there is room for its numbers. */
  label?: Point | undefined;
}

/** Middles of nodes; corners of groups. */
export interface Placement {
  nodes: Map<string, Point>;
  groups: Map<string, Rect>;
  /** By `client>server`, where more than a straight way was found. */
  routes: Map<string, Route>;
}

export const SIZES: Record<NodeKind, { width: number; height: number }> = {
  workload: { width: 156, height: 58 },
  gateway: { width: 156, height: 58 },
  outside: { width: 156, height: 54 },
  namespace: { width: 204, height: 82 },
};

/** Around the nodes of an open namespace; more above, for its name. */
export const PAD = 20;
export const PAD_TOP = 42;
export const LABEL = { width: 84, height: 60 };

export function planOf(graph: Graph): Plan {
  const places = new Map<string, number>();
  const boxes = [...graph.nodes.values()].map((node, place): Box => {
    places.set(node.id, place);
    return { id: node.id, ...SIZES[node.kind], group: node.kind === 'namespace' ? undefined : node.namespace };
  });
  const links = graph.edges.flatMap(({ client, server }): [number, number][] => {
    const [from, to] = [places.get(client), places.get(server)];
    return from === undefined || to === undefined || from === to ? [] : [[from, to]];
  });
  const calls = new Set(links.map(([from]) => from));
  boxes.forEach((box, place) => {
    if (graph.nodes.get(box.id)?.kind === 'outside') box.side = calls.has(place) ? 'left' : 'right';
  });
  return { boxes, links };
}
