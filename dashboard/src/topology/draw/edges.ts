// Edges on the canvas, with their arrows and numbers.

import { rate, time } from '../../lib/format';
import type { Health } from '../../lib/health';
import type { Rect } from '../layout/plan';
import type { Edge } from '../model';
import { DASHES, type Palette } from './palette';
import { lock, mark, widthOf } from './pen';
import type { Wanted } from './room';
import type { PlacedEdge } from './scene';

type Context = CanvasRenderingContext2D;

export interface Look {
  scale: number;
  /** So many edges that each has to be faint. */
  isCrowded: boolean;
}

const FAINT: Record<Health, number> = { none: 0.2, good: 0.22, warn: 0.5, bad: 0.85 };

const arrowLength = (width: number) => 6 + width * 1.7;

function trace(context: Context, { curve, width }: PlacedEdge, hasArrow: boolean): void {
  const { path, angle } = curve;
  const last = path.length - 2;
  const short = hasArrow ? arrowLength(width) * 0.8 : 0;
  context.moveTo(path[0] ?? 0, path[1] ?? 0);
  for (let index = 2; index + 5 < path.length; index += 6) {
    const isLast = index + 4 === last;
    context.bezierCurveTo(
      path[index] ?? 0,
      path[index + 1] ?? 0,
      path[index + 2] ?? 0,
      path[index + 3] ?? 0,
      (path[index + 4] ?? 0) - (isLast ? Math.cos(angle) * short : 0),
      (path[index + 5] ?? 0) - (isLast ? Math.sin(angle) * short : 0),
    );
  }
}

function arrow(context: Context, { curve, width }: PlacedEdge): void {
  const { path, angle } = curve;
  const [x, y] = [path.at(-2) ?? 0, path.at(-1) ?? 0];
  const long = arrowLength(width);
  const wide = 3 + width * 0.85;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  context.moveTo(x, y);
  context.lineTo(x - cos * long - sin * wide, y - sin * long + cos * wide);
  context.lineTo(x - cos * long + sin * wide, y - sin * long - cos * wide);
  context.closePath();
}

/** One stroke for all edges that look the same. */
export function paintEdges(context: Context, edges: readonly PlacedEdge[], palette: Palette, look: Look): void {
  const { scale, isCrowded } = look;
  const hasArrows = scale > (isCrowded ? 0.45 : 0.25);
  const thin = (isCrowded ? 0.6 : 1.1) / scale;
  let from = 0;
  // They come by health; within it, those of about the same width go together.
  while (from < edges.length) {
    const health = edges[from]?.edge.health ?? 'none';
    const byWidth = new Map<number, PlacedEdge[]>();
    let to = from;
    for (; to < edges.length && edges[to]?.edge.health === health; to++) {
      const placed = edges[to];
      if (!placed) continue;
      const width = Math.round(placed.width * 2) / 2;
      const known = byWidth.get(width);
      if (known) known.push(placed);
      else byWidth.set(width, [placed]);
    }
    from = to;
    const colour = palette.health[health];
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.globalAlpha = isCrowded ? FAINT[health] : 0.9;
    const stretch = Math.max(1, 0.8 / scale);
    // Dashes of many edges cost more than they show.
    const isDashed = !isCrowded || health === 'bad' || scale > 0.45;
    context.setLineDash(isDashed ? DASHES[health].map((length) => length * stretch) : []);
    for (const [width, all] of byWidth) {
      context.lineWidth = Math.max(width, thin);
      context.beginPath();
      for (const placed of all) trace(context, placed, hasArrows);
      context.stroke();
    }
    if (!hasArrows) continue;
    context.beginPath();
    for (const all of byWidth.values()) for (const placed of all) arrow(context, placed);
    context.fill();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

export function paintHalo(context: Context, placed: PlacedEdge, palette: Palette, scale: number): void {
  context.strokeStyle = palette.accent;
  context.globalAlpha = 0.35;
  context.lineWidth = placed.width + 9 / Math.min(scale, 1);
  context.lineCap = 'round';
  context.beginPath();
  trace(context, placed, false);
  context.stroke();
  context.lineCap = 'butt';
  context.globalAlpha = 1;
}

/** Rate, and latency; of a sum of edges the worst latency, and it says so. */
export function numbersOf({ numbers, members }: Edge): string[] {
  const rps = `${rate(numbers.rps)}/s`;
  return numbers.p99 === null ? [rps] : [rps, `${members.length > 1 ? 'worst ' : ''}${time(numbers.p99)}`];
}

interface Label {
  lines: string[];
  /** Of each line, with what stands before it. */
  widths: number[];
  icons: number[];
  isMarked: boolean;
  /** Of all that is drawn, for it is as large on the screen at every scale. */
  size: number;
}

function labelOf(context: Context, { edge }: PlacedEdge, palette: Palette, scale: number): Label {
  const size = 1 / Math.min(scale, 1);
  context.font = `${11.5 * size}px ${palette.font}`;
  const lines = numbersOf(edge);
  const isMarked = edge.health !== 'good';
  const icons = [isMarked ? 13 * size : 0, 13 * size];
  // With no latency there is a lock alone in the second line.
  const widths = [0, 1].map((index) => widthOf(context, lines[index] ?? '') + (icons[index] ?? 0));
  return { lines, widths, icons, isMarked, size };
}

/** The room that the numbers of an edge want. Numbers that change a little want the same. */
export function labelRoom(context: Context, placed: PlacedEdge, palette: Palette, scale: number): Wanted {
  const { widths, size } = labelOf(context, placed, palette, scale);
  const width = Math.ceil((Math.max(...widths) / size + 8) / 8) * 8 * size;
  return { curve: placed.curve, width, height: 32 * size, off: placed.width / 2 + 2 * size };
}

interface LabelLook {
  scale: number;
  at: Rect;
}

/** The numbers of an edge, in the same size at every scale. */
export function paintLabel(context: Context, placed: PlacedEdge, palette: Palette, { scale, at }: LabelLook): void {
  const { edge } = placed;
  const { lines, widths, icons, isMarked, size } = labelOf(context, placed, palette, scale);
  const middle = at.x + at.width / 2;
  const width = Math.max(...widths) + 8 * size;
  context.fillStyle = palette.panel;
  context.globalAlpha = 0.82;
  context.beginPath();
  context.roundRect(middle - width / 2, at.y, width, at.height, 6 * size);
  context.fill();
  context.globalAlpha = 1;
  const [first, second] = [at.y + 9 * size, at.y + 23.5 * size];
  const [one, other] = widths.map((wide) => middle - wide / 2);
  if (one === undefined || other === undefined) return;
  if (isMarked) mark(context, edge.health, one + 4 * size, first - 0.5 * size, 8 * size, palette.health[edge.health]);
  const isSecured = edge.tls === 'all';
  const colour = isSecured ? palette.health.good : palette.soft;
  lock(context, isSecured, other + 4 * size, second - 2 * size, 0.85 * size, colour);
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillStyle = isMarked && edge.health !== 'none' ? palette.health[edge.health] : palette.text;
  context.fillText(lines[0] ?? '', one + (icons[0] ?? 0), first);
  context.fillStyle = palette.text;
  context.fillText(lines[1] ?? '', other + (icons[1] ?? 0), second);
}
