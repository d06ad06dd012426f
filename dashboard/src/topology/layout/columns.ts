// A layout for many boxes, in a time that grows with them: clients left of servers, folded to the shape of a screen.

import type { Box, Plan, Point } from './plan';

export interface Gaps {
  x: number;
  y: number;
}

/** Of the room that there is. */
const ASPECT = 1.6;
const SWEEPS = 6;

/** An order in which few links go back: who only calls comes first, who is only called last. */
export function flowOrder(count: number, links: readonly [number, number][]): number[] {
  const out: number[][] = Array.from({ length: count }, () => []);
  const into: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of links) {
    out[from]?.push(to);
    into[to]?.push(from);
  }
  const outs = out.map((all) => all.length);
  const ins = into.map((all) => all.length);
  const left = new Set(Array.from({ length: count }, (_, place) => place));
  const first: number[] = [];
  const last: number[] = [];
  const take = (place: number, list: number[]) => {
    left.delete(place);
    list.push(place);
    for (const to of out[place] ?? []) ins[to] = (ins[to] ?? 0) - 1;
    for (const from of into[place] ?? []) outs[from] = (outs[from] ?? 0) - 1;
  };
  while (left.size > 0) {
    const before = left.size;
    for (const place of left) if ((outs[place] ?? 0) <= 0 && (ins[place] ?? 0) > 0) take(place, last);
    for (const place of left) if ((ins[place] ?? 0) <= 0) take(place, first);
    if (left.size !== before) continue;
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (const place of left) {
      const surplus = (outs[place] ?? 0) - (ins[place] ?? 0);
      if (surplus > most) [best, most] = [place, surplus];
    }
    take(best, first);
  }
  return [...first, ...last.reverse()];
}

/** How many steps each is from the left, at most; links that go back do not count. */
export function ranks(count: number, links: readonly [number, number][]): number[] {
  const order = flowOrder(count, links);
  const at = new Array<number>(count).fill(0);
  order.forEach((place, index) => {
    at[place] = index;
  });
  const out: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of links) if ((at[from] ?? 0) < (at[to] ?? 0)) out[from]?.push(to);
  const rank = new Array<number>(count).fill(0);
  for (const place of order) {
    for (const to of out[place] ?? []) rank[to] = Math.max(rank[to] ?? 0, (rank[place] ?? 0) + 1);
  }
  return rank;
}

function folded(boxes: readonly Box[], rank: readonly number[], gaps: Gaps): number[][] {
  const sides = { left: 0, middle: 1, right: 2 };
  const sideOf = (place: number) => sides[boxes[place]?.side ?? 'middle'];
  const places = boxes
    .map((_, place) => place)
    .sort((a, b) => sideOf(a) - sideOf(b) || (rank[a] ?? 0) - (rank[b] ?? 0));
  const area = boxes.reduce((all, box) => all + (box.width + gaps.x) * (box.height + gaps.y), 0);
  const tallest = Math.max(...boxes.map((box) => box.height + gaps.y), Math.sqrt(area / ASPECT));
  const columns: number[][] = [];
  let column: number[] = [];
  let height = 0;
  let side = 0;
  for (const place of places) {
    const own = (boxes[place]?.height ?? 0) + gaps.y;
    if (column.length > 0 && (sideOf(place) !== side || height + own > tallest * 1.05)) {
      columns.push(column);
      column = [];
      height = 0;
    }
    column.push(place);
    side = sideOf(place);
    height += own;
  }
  if (column.length > 0) columns.push(column);
  return columns;
}

/** Places of the boxes' middles, from 0, and the size of all of it. */
export function columns({ boxes, links }: Plan, gaps: Gaps): { middles: Point[]; width: number; height: number } {
  const all = folded(boxes, ranks(boxes.length, links), gaps);
  const near: number[][] = boxes.map(() => []);
  for (const [from, to] of links) {
    near[from]?.push(to);
    near[to]?.push(from);
  }
  const middles: Point[] = boxes.map(() => ({ x: 0, y: 0 }));
  const heights = all.map((column) =>
    column.reduce((sum, place) => sum + (boxes[place]?.height ?? 0) + gaps.y, -gaps.y),
  );
  const height = Math.max(0, ...heights);
  const stack = (column: number[], index: number) => {
    let y = (height - (heights[index] ?? 0)) / 2;
    for (const place of column) {
      const [middle, box] = [middles[place], boxes[place]];
      if (!middle || !box) continue;
      middle.y = y + box.height / 2;
      y += box.height + gaps.y;
    }
  };
  let x = 0;
  for (const column of all) {
    const width = Math.max(...column.map((place) => boxes[place]?.width ?? 0));
    for (const place of column) {
      const middle = middles[place];
      if (middle) middle.x = x + width / 2;
    }
    x += width + gaps.x;
  }
  all.forEach(stack);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const turn = sweep % 2 === 0 ? all.map((_, index) => index) : all.map((_, index) => all.length - 1 - index);
    for (const index of turn) {
      const column = all[index];
      if (!column) continue;
      const pull = new Map(
        column.map((place) => {
          const others = near[place] ?? [];
          const total = others.reduce((sum, other) => sum + (middles[other]?.y ?? 0), 0);
          return [place, others.length > 0 ? total / others.length : (middles[place]?.y ?? 0)];
        }),
      );
      column.sort((a, b) => (pull.get(a) ?? 0) - (pull.get(b) ?? 0));
      stack(column, index);
    }
  }
  return { middles, width: Math.max(0, x - gaps.x), height };
}
