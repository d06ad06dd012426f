// A careful layout for few boxes: edges go around nodes and have room for their numbers.

import { Graph, layout } from '@dagrejs/dagre';
import { edgeId } from '../model';
import { LABEL, PAD, PAD_TOP, type Placement, type Plan, type Point } from './plan';

export function layered({ boxes, links }: Plan, hasLabels: boolean): Placement {
  const groups = new Set(boxes.flatMap((box) => (box.group === undefined ? [] : [box.group])));
  const graph = new Graph({ compound: true });
  graph.setGraph({
    rankdir: 'LR',
    nodesep: hasLabels ? 34 : 22,
    edgesep: 10,
    ranksep: hasLabels ? 22 : 54,
    marginx: 0,
    marginy: 0,
  });
  // Names of groups and of boxes are apart.
  for (const group of groups) graph.setNode(`g ${group}`, {});
  boxes.forEach((box, place) => {
    graph.setNode(`b ${place}`, { width: box.width, height: box.height });
    if (box.group !== undefined) graph.setParent(`b ${place}`, `g ${box.group}`);
  });
  for (const [from, to] of links) {
    graph.setEdge(`b ${from}`, `b ${to}`, hasLabels ? { ...LABEL, labelpos: 'c' } : {});
  }
  layout(graph);

  const placement: Placement = { nodes: new Map(), groups: new Map(), routes: new Map() };
  boxes.forEach((box, place) => {
    const { x, y } = graph.node(`b ${place}`) as Point;
    placement.nodes.set(box.id, { x, y });
  });
  for (const [from, to] of links) {
    const found = graph.edge(`b ${from}`, `b ${to}`) as { points: Point[]; x?: number; y?: number };
    const [client, server] = [boxes[from], boxes[to]];
    if (!client || !server) continue;
    const label = found.x === undefined || found.y === undefined ? undefined : { x: found.x, y: found.y };
    const points = found.points.map(({ x, y }) => ({ x, y }));
    placement.routes.set(edgeId(client.id, server.id), { points, label });
  }
  placement.groups = around({ boxes, links }, placement.nodes);
  return placement;
}

/** Boxes around the nodes of each group. */
export function around({ boxes }: Plan, nodes: ReadonlyMap<string, Point>): Placement['groups'] {
  const groups: Placement['groups'] = new Map();
  for (const { id, group, width, height } of boxes) {
    const middle = nodes.get(id);
    if (group === undefined || !middle) continue;
    const [x, y] = [middle.x - width / 2 - PAD, middle.y - height / 2 - PAD_TOP];
    const [right, bottom] = [middle.x + width / 2 + PAD, middle.y + height / 2 + PAD];
    const known = groups.get(group);
    const left = Math.min(x, known?.x ?? x);
    const top = Math.min(y, known?.y ?? y);
    groups.set(group, {
      x: left,
      y: top,
      width: Math.max(right, known ? known.x + known.width : right) - left,
      height: Math.max(bottom, known ? known.y + known.height : bottom) - top,
    });
  }
  return groups;
}

/** Whether no two groups, and no group and a node of another, lie on each other. */
export function isTidy({ boxes }: Plan, { nodes, groups }: Placement): boolean {
  const all = [...groups];
  const meets = (a: { x: number; y: number; width: number; height: number }, b: typeof a) =>
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  for (const [name, group] of all) {
    if (all.some(([other, rect]) => other !== name && meets(group, rect))) return false;
    for (const { id, group: own, width, height } of boxes) {
      const middle = nodes.get(id);
      if (own === name || !middle) continue;
      if (meets(group, { x: middle.x - width / 2, y: middle.y - height / 2, width, height })) return false;
    }
  }
  return true;
}
