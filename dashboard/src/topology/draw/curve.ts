// The ways of edges: chains of cubic curves, as flat lists of numbers.

import type { Point, Rect } from '../layout/plan';

export interface Curve {
  /** Where it starts, then two control points and an end for each piece. */
  path: number[];
  /** Around all of its points. */
  bounds: Rect;
  middle: Point;
  /** Of the arrow at its end, in radians. */
  angle: number;
}

const at = (a: number, b: number, c: number, d: number, t: number) => {
  const s = 1 - t;
  return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d;
};

function curveOf(path: number[], middle?: Point): Curve {
  const number = (index: number) => path[index] ?? 0;
  let [left, top, right, bottom] = [number(0), number(1), number(0), number(1)];
  for (let index = 0; index < path.length; index += 2) {
    left = Math.min(left, number(index));
    right = Math.max(right, number(index));
    top = Math.min(top, number(index + 1));
    bottom = Math.max(bottom, number(index + 1));
  }
  const end = path.length - 2;
  let before = end - 2;
  while (before > 0 && Math.hypot(number(end) - number(before), number(end + 1) - number(before + 1)) < 0.5)
    before -= 2;
  const angle = Math.atan2(number(end + 1) - number(before + 1), number(end) - number(before));
  const bounds = { x: left, y: top, width: right - left, height: bottom - top };
  return { path, bounds, middle: middle ?? half(path), angle };
}

function half(path: readonly number[]): Point {
  const pieces = (path.length - 2) / 6;
  const from = Math.floor((pieces - 1) / 2) * 6;
  const t = pieces % 2 === 0 ? 1 : 0.5;
  const value = (offset: number) =>
    at(
      path[from + offset] ?? 0,
      path[from + 2 + offset] ?? 0,
      path[from + 4 + offset] ?? 0,
      path[from + 6 + offset] ?? 0,
      t,
    );
  return { x: value(0), y: value(1) };
}

/** Through the points, rounded where it turns. */
export function through(points: readonly Point[], label?: Point): Curve {
  const [first, second] = points;
  const last = points.at(-1);
  if (!first || !second || !last) return curveOf([first?.x ?? 0, first?.y ?? 0]);
  const path = [first.x, first.y];
  let from = first;
  const add = (control: Point, to: Point) => {
    path.push(from.x + ((control.x - from.x) * 2) / 3, from.y + ((control.y - from.y) * 2) / 3);
    path.push(to.x + ((control.x - to.x) * 2) / 3, to.y + ((control.y - to.y) * 2) / 3, to.x, to.y);
    from = to;
  };
  if (points.length === 2) add({ x: (first.x + last.x) / 2, y: (first.y + last.y) / 2 }, last);
  for (let index = 1; index < points.length - 1; index++) {
    const [control, next] = [points[index], points[index + 1]];
    if (!control || !next) continue;
    const isLast = index === points.length - 2;
    add(control, isLast ? next : { x: (control.x + next.x) / 2, y: (control.y + next.y) / 2 });
  }
  return curveOf(path, label);
}

/** Where the two ways between the same nodes are apart. */
const APART = 7;

/** From side to side of two boxes that are given by their middles and sizes. */
export function direct(client: Rect, server: Rect): Curve {
  const isBack = server.x + server.width / 2 < client.x - client.width / 2;
  const isBeside = !isBack && server.x - server.width / 2 < client.x + client.width / 2 + 16;
  const y1 = client.y + (isBack ? APART : -APART);
  const y2 = server.y + (isBack ? APART : -APART);
  if (isBeside) {
    const [x1, x2] = [client.x + client.width / 2, server.x + server.width / 2];
    const out = Math.max(x1, x2) + Math.min(90, 24 + Math.abs(y2 - y1) / 5);
    const [from, to] = y2 > y1 ? [y1 + 2 * APART, y2] : [y1, y2 + 2 * APART];
    return curveOf([x1, from, out, from, out, to, x2, to]);
  }
  const side = isBack ? -1 : 1;
  const x1 = client.x + (side * client.width) / 2;
  const x2 = server.x - (side * server.width) / 2;
  const reach = side * Math.max(28, Math.abs(x2 - x1) * 0.45);
  return curveOf([x1, y1, x1 + reach, y1, x2 - reach, y2, x2, y2]);
}

/** From a box to itself, above it. */
export function loop({ x, y, width, height }: Rect): Curve {
  const top = y - height / 2;
  const reach = width / 4;
  return curveOf([x + reach, top, x + reach + 12, top - 38, x - reach - 12, top - 38, x - reach, top]);
}

const lines = new WeakMap<Curve, Point[]>();

/** The curve as a line of straight pieces; it is made once. */
export function polyline(curve: Curve): Point[] {
  const known = lines.get(curve);
  if (known) return known;
  const { path } = curve;
  const points = [{ x: path[0] ?? 0, y: path[1] ?? 0 }];
  for (let piece = 0; piece + 6 < path.length; piece += 6) {
    const number = (offset: number) => path[piece + offset] ?? 0;
    for (let step = 1; step <= 12; step++) {
      points.push({
        x: at(number(0), number(2), number(4), number(6), step / 12),
        y: at(number(1), number(3), number(5), number(7), step / 12),
      });
    }
  }
  lines.set(curve, points);
  return points;
}

/** How far a point is from it. */
export function distance(curve: Curve, x: number, y: number, within: number): number {
  const { bounds, path } = curve;
  if (x < bounds.x - within || x > bounds.x + bounds.width + within) return Number.POSITIVE_INFINITY;
  if (y < bounds.y - within || y > bounds.y + bounds.height + within) return Number.POSITIVE_INFINITY;
  let nearest = Number.POSITIVE_INFINITY;
  let [fromX, fromY] = [path[0] ?? 0, path[1] ?? 0];
  for (let piece = 0; piece + 6 < path.length; piece += 6) {
    const number = (offset: number) => path[piece + offset] ?? 0;
    for (let step = 1; step <= 12; step++) {
      const toX = at(number(0), number(2), number(4), number(6), step / 12);
      const toY = at(number(1), number(3), number(5), number(7), step / 12);
      nearest = Math.min(nearest, toLine(x, y, fromX, fromY, toX, toY));
      [fromX, fromY] = [toX, toY];
    }
  }
  return nearest;
}

function toLine(x: number, y: number, x1: number, y1: number, x2: number, y2: number): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / length));
  return Math.hypot(x - x1 - t * dx, y - y1 - t * dy);
}
