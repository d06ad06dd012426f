// Where a trace lies in the scatter: time to the right, duration upwards, each ten times longer as far as the one before.

export interface Span {
  from: number;
  to: number;
}

export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Milliseconds, across and up. */
export interface Domain {
  time: Span;
  duration: Span;
}

/** The least that the durations of a plot differ by, as a factor: below it, the noise would look like news. */
const LEAST_RATIO = 5;
const LEAST_MS = 0.01;

/** Room for all durations, and some more above and below. */
export function durationDomain(durations: readonly number[]): Span {
  const shown = durations.map((duration) => Math.max(duration, LEAST_MS));
  let from = shown.length > 0 ? shown.reduce((a, b) => Math.min(a, b)) / 1.4 : 1;
  let to = shown.length > 0 ? shown.reduce((a, b) => Math.max(a, b)) * 1.4 : 1000;
  if (to / from < LEAST_RATIO) {
    const middle = Math.sqrt(from * to);
    from = middle / Math.sqrt(LEAST_RATIO);
    to = middle * Math.sqrt(LEAST_RATIO);
  }
  return { from, to };
}

export class Plot {
  private readonly low: number;
  private readonly high: number;

  constructor(
    readonly frame: Frame,
    readonly domain: Domain,
  ) {
    this.low = Math.log10(domain.duration.from);
    this.high = Math.log10(domain.duration.to);
  }

  x(time: number): number {
    const { from, to } = this.domain.time;
    return this.frame.left + ((time - from) / Math.max(to - from, 1)) * this.frame.width;
  }

  y(duration: number): number {
    const share = (Math.log10(Math.max(duration, LEAST_MS)) - this.low) / (this.high - this.low);
    return this.frame.top + (1 - share) * this.frame.height;
  }

  timeAt(x: number): number {
    const { from, to } = this.domain.time;
    return from + clamped((x - this.frame.left) / this.frame.width) * (to - from);
  }

  durationAt(y: number): number {
    const share = 1 - clamped((y - this.frame.top) / this.frame.height);
    return 10 ** (this.low + share * (this.high - this.low));
  }
}

const clamped = (share: number) => Math.min(Math.max(share, 0), 1);

/** Durations to draw a line at: those that begin with 1, and with 2 and 5 where there is room. */
export function durationTicks({ from, to }: Span, most = 7): number[] {
  for (const digits of [[1, 2, 5], [1, 3], [1]]) {
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); power += 1) {
      for (const digit of digits) {
        const tick = digit * 10 ** power;
        if (tick >= from && tick <= to) ticks.push(tick);
      }
    }
    if (ticks.length <= most) return ticks;
  }
  return [from, to];
}

const STEPS = [
  10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3,
  10_800e3, 21_600e3, 43_200e3, 86_400e3,
];

/** Round moments to write a time at. */
export function timeTicks({ from, to }: Span, most = 8): number[] {
  const step = STEPS.find((step) => (to - from) / step <= most) ?? (to - from) / most;
  const ticks: number[] = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}

export interface Placed {
  x: number;
  y: number;
}

/** The index of what lies nearest, if something does. */
export function nearest(points: readonly Placed[], x: number, y: number, reach = 10): number | undefined {
  let best: number | undefined;
  let least = reach * reach;
  points.forEach((point, index) => {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance <= least) {
      least = distance;
      best = index;
    }
  });
  return best;
}

/** More spans, a larger mark, by its area. */
export function markRadius(spans: number): number {
  return Math.min(2.2 + Math.sqrt(spans) * 0.6, 9);
}
