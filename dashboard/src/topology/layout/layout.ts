// Where nodes go: carefully when they are few, else each namespace by itself and then the namespaces.

import { columns } from './columns';
import { around, isTidy, layered } from './layered';
import { type Box, PAD, PAD_TOP, type Placement, type Plan, type Point } from './plan';

/** More than this takes the careful layout too long. */
const FEW_BOXES = 60;
const FEW_LINKS = 110;

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

function placed({ boxes, links }: Plan): { middles: Point[]; width: number; height: number } {
  const plain = boxes.map((box) => ({ ...box, group: undefined }));
  if (!isFew({ boxes, links })) return columns({ boxes, links });
  const { nodes } = layered({ boxes: plain, links });
  const found = boxes.map((box) => nodes.get(box.id) ?? { x: 0, y: 0 });
  const left = Math.min(...found.map(({ x }, place) => x - (boxes[place]?.width ?? 0) / 2));
  const top = Math.min(...found.map(({ y }, place) => y - (boxes[place]?.height ?? 0) / 2));
  const middles = found.map(({ x, y }) => ({ x: x - left, y: y - top }));
  const width = Math.max(...middles.map(({ x }, place) => x + (boxes[place]?.width ?? 0) / 2));
  const height = Math.max(...middles.map(({ y }, place) => y + (boxes[place]?.height ?? 0) / 2));
  return { middles, width, height };
}

function nested({ boxes, links }: Plan): Placement {
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
  // Of many groups none is laid out carefully: it would take too long together.
  const isCareful = links.length <= 2 * FEW_LINKS;
  const within = wholes.map(({ members, group }, index) => {
    const plan = { boxes: members.flatMap((place) => boxes[place] ?? []), links: inside[index] ?? [] };
    if (group === undefined) return undefined;
    return isCareful ? placed(plan) : columns(plan);
  });
  const outer = wholes.map(({ members, group }, index): Box => {
    const [own, box] = [within[index], boxes[members[0] ?? 0]];
    const id = group === undefined ? `b ${box?.id}` : `g ${group}`;
    if (!own) return { id, width: box?.width ?? 0, height: box?.height ?? 0 };
    return { id, width: own.width + 2 * PAD, height: own.height + PAD + PAD_TOP };
  });
  const { middles } = placed({ boxes: outer, links: between(links, wholeOf) });
  const nodes = new Map<string, Point>();
  wholes.forEach(({ members }, index) => {
    const [own, middle, whole] = [within[index], middles[index], outer[index]];
    if (!middle || !whole) return;
    members.forEach((place, at) => {
      const box = boxes[place];
      const inner = own?.middles[at];
      if (!box) return;
      const x = inner ? middle.x - whole.width / 2 + PAD + inner.x : middle.x;
      const y = inner ? middle.y - whole.height / 2 + PAD_TOP + inner.y : middle.y;
      nodes.set(box.id, { x, y });
    });
  });
  return { nodes, groups: around({ boxes, links }, nodes), routes: new Map() };
}

export function layoutOf(plan: Plan): Placement {
  if (plan.boxes.length === 0) return { nodes: new Map(), groups: new Map(), routes: new Map() };
  if (isFew(plan)) {
    try {
      const placement = layered(plan);
      if (isTidy(plan, placement)) return placement;
    } catch {
      // Graphs that it cannot place are placed below.
    }
  }
  return nested(plan);
}
