// The range of time that is shown, in the address as `12.5-40` milliseconds.

import { ms, type Node, nanos } from './model';
import type { Stretch } from './path';

/** Nothing shorter is shown: a microsecond. */
const LEAST = 1000;

export function parseRange(text: string | undefined, end: number): Stretch {
  const [, from, to] = /^([\d.]+)-([\d.]+)$/.exec(text ?? '') ?? [];
  return bounded({ from: nanos(Number(from ?? 0)), to: nanos(Number(to ?? ms(end))) }, end);
}

/** `undefined`: all of it. */
export function rangeText(range: Stretch, end: number): string | undefined {
  const { from, to } = bounded(range, end);
  return from <= 0 && to >= end ? undefined : `${round(from)}-${round(to)}`;
}

const round = (nanos: number) => Number(ms(nanos).toFixed(4));

export function bounded({ from, to }: Stretch, end: number): Stretch {
  const whole = Math.max(end, LEAST);
  if (!Number.isFinite(from) || !Number.isFinite(to) || to <= from) return { from: 0, to: whole };
  const size = Math.min(Math.max(to - from, LEAST), whole);
  const start = Math.min(Math.max(from, 0), whole - size);
  return { from: start, to: start + size };
}

/** Wider or narrower around a span, as far as it is in sight, or else around the middle. */
export function zoomed(range: Stretch, factor: number, end: number, around?: Node): Stretch {
  const middle = around ? (around.start + around.end) / 2 : (range.from + range.to) / 2;
  const centre = middle >= range.from && middle <= range.to ? middle : (range.from + range.to) / 2;
  const size = (range.to - range.from) * factor;
  if (size >= end) return { from: 0, to: end };
  return bounded({ from: centre - size / 2, to: centre + size / 2 }, end);
}
