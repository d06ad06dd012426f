// Small strokes: text that fits, marks, and icons.

import type { Health } from '../../lib/health';

type Context = CanvasRenderingContext2D;

const widths = new Map<string, number>();
const MOST = 20_000;

function widthOf(context: Context, text: string): number {
  const key = `${context.font}\n${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  if (widths.size > MOST) widths.clear();
  const width = context.measureText(text).width;
  widths.set(key, width);
  return width;
}

/** The text, or as much of its beginning as there is room for. */
export function fitted(context: Context, text: string, room: number): string {
  if (widthOf(context, text) <= room) return text;
  let [fits, tooLong] = [0, text.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (widthOf(context, `${text.slice(0, middle)}…`) <= room) fits = middle;
    else tooLong = middle;
  }
  return fits > 0 ? `${text.slice(0, fits)}…` : '';
}

/** Sets the font so large that the text fits, up to so many times its size. */
export function enlarge(
  context: Context,
  [before, size, after]: readonly [string, number, string],
  text: string,
  room: number,
  most: number,
): void {
  context.font = `${before}${size}px ${after}`;
  const by = Math.min(most, Math.max(1, room / Math.max(widthOf(context, text), 1)));
  context.font = `${before}${size * by}px ${after}`;
}

export { widthOf };

/** The shape that says how well something is: a disc, a triangle, a square, a ring. */
export function mark(context: Context, health: Health, x: number, y: number, size: number, colour: string): void {
  const half = size / 2;
  context.beginPath();
  context.fillStyle = colour;
  context.strokeStyle = colour;
  if (health === 'bad') context.rect(x - half * 0.9, y - half * 0.9, size * 0.9, size * 0.9);
  else if (health === 'warn') {
    context.moveTo(x, y - half);
    context.lineTo(x + half * 1.1, y + half * 0.85);
    context.lineTo(x - half * 1.1, y + half * 0.85);
    context.closePath();
  } else context.arc(x, y, half * (health === 'none' ? 0.85 : 1), 0, 7);
  if (health === 'none') {
    context.lineWidth = size / 6;
    context.stroke();
  } else context.fill();
}

/** A lock, shut or open, nine wide and eleven high at size 1. */
export function lock(context: Context, isShut: boolean, x: number, y: number, size: number, colour: string): void {
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = 1.3 * size;
  context.beginPath();
  context.arc(
    x - (isShut ? 0 : 1.5 * size),
    y - 1.5 * size,
    2.4 * size,
    Math.PI,
    isShut ? 2 * Math.PI : 1.75 * Math.PI,
  );
  if (isShut) context.lineTo(x + 2.4 * size, y);
  context.stroke();
  context.beginPath();
  context.roundRect(x - 4 * size, y - 0.5 * size, 8 * size, 6 * size, size);
  if (isShut) context.fill();
  else context.stroke();
}

/** A chain that is broken, fourteen wide. */
export function brokenChain(context: Context, x: number, y: number, size: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.5 * size;
  context.beginPath();
  context.arc(x - 4.5 * size, y, 2.6 * size, Math.PI * 0.25, Math.PI * 1.75);
  context.moveTo(x + (4.5 + 2.6 * Math.cos(Math.PI * 0.75)) * size, y - 2.6 * Math.sin(Math.PI * 0.75) * size);
  context.arc(x + 4.5 * size, y, 2.6 * size, Math.PI * 1.25, Math.PI * 0.75);
  context.moveTo(x - 1.2 * size, y + 4 * size);
  context.lineTo(x + 1.2 * size, y - 4 * size);
  context.stroke();
}
