// Where nodes go: carefully when they are few, else each namespace by itself and then the namespaces.

import { columns, type Gaps } from './columns';
import { around, isTidy, layered } from './layered';
import { type Box, LABELLED, PAD, PAD_TOP, type Placement, type Plan, type Point, type Rect, type Route } from './plan';

/** More than this takes the careful layout too long. */
const FEW_BOXES = 60;
const FEW_LINKS = 110;
/** Between nodes; and between namespaces, whose names stand above them where all is small. */
const INNER: Gaps = { x: 64, y: 22 };
const OUTER: Gaps = { x: 100, y: 76 };
const SCREEN = { width: 860, height: 560 };
/** The scale from which on the names of nodes are drawn. */
const NAMED = 0.36;

const isFew = ({ boxes, links }: Plan) => boxes.length <= FEW_BOXES && links.length <= FEW_LINKS;

/** The links of a plan, between wholes instead of boxes; each once. */
function between(links: readonly [number, number][], wholeOf: readonly number[]): [number, number][] {
  const seen = new Map<string, [number, number]>();
  for (const [from, to] of links) {
    const [client, server] = [wholeOf[from] ?? 0, wholeOf[to] ?? 0];
    if (client !== server) seen.set(`${client} ${server}`, [client, server]);
  }
  return [...seen.values()];
}

interface Placed {
  /** From 0 on. */
  middles: Point[];
  width: number;
  height: number;
  routes: Placement['routes'];
}

const shifted = ({ points, label }: Route, x: number, y: number): Route => ({
  points: points.map((point) => ({ x: point.x + x, y: point.y + y })),
  label: label && { x: label.x + x, y: label.y + y },
});

function placed({ boxes, links }: Plan, isCareful: boolean, gaps: Gaps): Placed {
  if (!isCareful || !isFew({ boxes, links })) return { ...columns({ boxes, links }, gaps), routes: new Map() };
  const { nodes, routes } = layered({ boxes: boxes.map((box) => ({ ...box, group: undefined })), links }, false);
  const { x, y, width, height } = boundsOf(boxes, nodes);
  const middles = boxes.map((box) => {
    const middle = nodes.get(box.id);
    return { x: (middle?.x ?? 0) - x, y: (middle?.y ?? 0) - y };
  });
  return { middles, width, height, routes: new Map([...routes].map(([id, route]) => [id, shifted(route, -x, -y)])) };
}

function boundsOf(boxes: readonly Box[], nodes: ReadonlyMap<string, Point>): Rect {
  let [left, top] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [right, bottom] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { id, width, height } of boxes) {
    const { x, y } = nodes.get(id) ?? { x: 0, y: 0 };
    left = Math.min(left, x - width / 2);
    top = Math.min(top, y - height / 2);
    right = Math.max(right, x + width / 2);
    bottom = Math.max(bottom, y + height / 2);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function nested({ boxes, links }: Plan, isCareful: boolean): Placement {
  // A whole is a box without a group, or all that are in one.
  const wholes: { members: number[]; group: string | undefined }[] = [];
  const byGroup = new Map<string, number>();
  const wholeOf = boxes.map(({ group }, place) => {
    const known = group === undefined ? undefined : byGroup.get(group);
    if (known !== undefined) {
      wholes[known]?.members.push(place);
      return known;
    }
    if (group !== undefined) byGroup.set(group, wholes.length);
    return wholes.push({ members: [place], group }) - 1;
  });
  const placeIn = new Array<number>(boxes.length).fill(0);
  for (const { members } of wholes) {
    members.forEach((place, index) => {
      placeIn[place] = index;
    });
  }
  const inside: [number, number][][] = wholes.map(() => []);
  for (const [from, to] of links) {
    const whole = wholeOf[from] ?? 0;
    if (whole === wholeOf[to]) inside[whole]?.push([placeIn[from] ?? 0, placeIn[to] ?? 0]);
  }
  const within = wholes.map(({ members, group }, index) => {
    const plan = { boxes: members.flatMap((place) => boxes[place] ?? []), links: inside[index] ?? [] };
    if (group === undefined) return undefined;
    return placed(plan, isCareful, INNER);
  });
  const outer = wholes.map(({ members, group }, index): Box => {
    const [own, box] = [within[index], boxes[members[0] ?? 0]];
    const id = group === undefined ? `b ${box?.id}` : `g ${group}`;
    if (!own) return { id, width: box?.width ?? 0, height: box?.height ?? 0, side: box?.side };
    return { id, width: own.width + 2 * PAD, height: own.height + PAD + PAD_TOP };
  });
  const isOuterCareful = isCareful && byGroup.size === 0;
  const { middles } = placed(
    { boxes: outer, links: between(links, wholeOf) },
    isOuterCareful,
    byGroup.size > 0 ? OUTER : INNER,
  );
  const nodes = new Map<string, Point>();
  const routes: Placement['routes'] = new Map();
  wholes.forEach(({ members }, index) => {
    const [own, middle, whole] = [within[index], middles[index], outer[index]];
    if (!middle || !whole) return;
    const [left, top] = [middle.x - whole.width / 2 + PAD, middle.y - whole.height / 2 + PAD_TOP];
    members.forEach((place, at) => {
      const box = boxes[place];
      const inner = own?.middles[at];
      if (box) nodes.set(box.id, inner ? { x: left + inner.x, y: top + inner.y } : { x: middle.x, y: middle.y });
    });
    for (const [id, route] of own?.routes ?? []) routes.set(id, shifted(route, left, top));
  });
  return { nodes, groups: around({ boxes, links }, nodes), routes };
}

/** The scale at which all of it is seen on a screen of the usual size. */
function scaleOf({ boxes }: Plan, { nodes }: Placement): number {
  const { width, height } = boundsOf(boxes, nodes);
  return Math.min(SCREEN.width / Math.max(width, 1), SCREEN.height / Math.max(height, 1));
}

/** From the most careful to the most compact. */
function* candidates(plan: Plan): Generator<Placement> {
  for (const hasLabels of [true, false]) {
    const careful = layered(plan, hasLabels);
    if (isTidy(plan, careful)) yield careful;
  }
  yield nested(plan, true);
  yield nested(plan, false);
}

export function layoutOf(plan: Plan): Placement {
  if (plan.boxes.length === 0) return { nodes: new Map(), groups: new Map(), routes: new Map() };
  if (!isFew(plan)) return nested(plan, plan.links.length <= 2 * FEW_LINKS);
  let best: { placement: Placement; scale: number } | undefined;
  try {
    for (const placement of candidates(plan)) {
      const scale = scaleOf(plan, placement);
      if (scale >= (best ? NAMED : LABELLED)) return placement;
      if (!best || scale > best.scale) best = { placement, scale };
    }
  } catch {
    // There are graphs that the careful layout cannot place.
  }
  return best?.placement ?? nested(plan, false);
}
