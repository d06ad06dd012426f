// Where the numbers of an edge have room: beside it, near its middle, and on nothing else.

import type { Point, Rect } from '../layout/plan';
import { type Curve, polyline } from './curve';

/** Shares of the way at which room is looked for: the middle first. */
const SHARES = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9];
const CELL = 80;
/** Between two points of an edge that labels keep off. */
const STEP = 8;

/** Places that are taken, by the corner of each. */
export class Taken {
  /** By squares of the plane, so that few are looked at. */
  private readonly cells = new Map<number, Rect[]>();

  add(rect: Rect): void {
    for (const cell of cellsOf(rect)) {
      const known = this.cells.get(cell);
      if (known) known.push(rect);
      else this.cells.set(cell, [rect]);
    }
  }

  /** The way of an edge. */
  addWay(curve: Curve): void {
    let before: Point | undefined;
    for (const point of polyline(curve)) {
      const from = before ?? point;
      const steps = Math.max(1, Math.ceil(Math.hypot(point.x - from.x, point.y - from.y) / STEP));
      for (let step = 1; step <= steps; step++) {
        const share = step / steps;
        const [x, y] = [from.x + (point.x - from.x) * share, from.y + (point.y - from.y) * share];
        this.add({ x, y, width: 0, height: 0 });
      }
      before = point;
    }
  }

  isFree({ x, y, width, height }: Rect): boolean {
    for (const cell of cellsOf({ x, y, width, height })) {
      for (const one of this.cells.get(cell) ?? []) {
        if (x < one.x + one.width && one.x < x + width && y < one.y + one.height && one.y < y + height) return false;
      }
    }
    return true;
  }
}

function cellsOf({ x, y, width, height }: Rect): number[] {
  const cells: number[] = [];
  for (let across = Math.floor(x / CELL); across <= Math.floor((x + width) / CELL); across++) {
    for (let down = Math.floor(y / CELL); down <= Math.floor((y + height) / CELL); down++) {
      cells.push(across * 65_536 + down);
    }
  }
  return cells;
}

export interface Wanted {
  curve: Curve;
  width: number;
  height: number;
  /** From the middle of the edge's line. */
  off: number;
}

/** Boxes beside the edge, the best first: near its middle, and above it rather than below. */
export function candidates({ curve, width, height, off }: Wanted): Rect[] {
  const points = polyline(curve);
  const found: Rect[] = [];
  for (const share of SHARES) {
    const { x, y, angle } = pointAt(points, share);
    // Across the edge, upwards.
    let [across, down] = [Math.sin(angle), -Math.cos(angle)];
    if (down > 0) [across, down] = [-across, -down];
    const far = (Math.abs(across) * width + Math.abs(down) * height) / 2 + off;
    for (const side of [1, -1]) {
      found.push({ x: x + side * across * far - width / 2, y: y + side * down * far - height / 2, width, height });
    }
  }
  return found;
}

/** Room that lies on nothing; else room that lies on nothing that has to be read; else none. */
export function roomFor(wanted: Wanted, read: Taken, seen: Taken): Rect | undefined {
  const readable = candidates(wanted).filter((rect) => read.isFree(rect));
  return readable.find((rect) => seen.isFree(rect)) ?? readable[0];
}

/** A point of a line of straight pieces, and the angle of the line there. */
function pointAt(points: readonly Point[], share: number): Point & { angle: number } {
  const length = (index: number) => {
    const [from, to] = [points[index - 1], points[index]];
    return from && to ? Math.hypot(to.x - from.x, to.y - from.y) : 0;
  };
  let left = share * points.reduce((sum, _, index) => sum + length(index), 0);
  for (let index = 1; index < points.length; index++) {
    const [from, to, long] = [points[index - 1], points[index], length(index)];
    if (!from || !to) break;
    if (left <= long && long > 0) {
      const part = left / long;
      return {
        x: from.x + (to.x - from.x) * part,
        y: from.y + (to.y - from.y) * part,
        angle: Math.atan2(to.y - from.y, to.x - from.x),
      };
    }
    left -= long;
  }
  return { ...(points.at(-1) ?? { x: 0, y: 0 }), angle: 0 };
}
