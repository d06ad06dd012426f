// An area of the scatter: traces that began in a time and lasted so long. It is in the address.

import { clock } from '../lib/format';
import type { Change } from '../lib/url';
import { millis } from './filters';
import type { Plot } from './plot';

/** Milliseconds; what is absent has no bound. */
export interface Selection {
  from?: number | undefined;
  until?: number | undefined;
  min?: number | undefined;
  max?: number | undefined;
}

const NAMES = ['selected_from', 'selected_until', 'selected_min_duration', 'selected_max_duration'] as const;

export const NO_SELECTION: Change = Object.fromEntries(NAMES.map((name) => [name, null]));

export function selectionOf(query: URLSearchParams): Selection | undefined {
  const moment = (name: string) => {
    const at = Date.parse(query.get(name) ?? '');
    return Number.isNaN(at) ? undefined : at;
  };
  const selection = {
    from: moment('selected_from'),
    until: moment('selected_until'),
    min: millis(query.get('selected_min_duration') ?? ''),
    max: millis(query.get('selected_max_duration') ?? ''),
  };
  return Object.values(selection).some((bound) => bound !== undefined) ? selection : undefined;
}

/** As the address and the question have it. */
export function selectionParameters({ from, until, min, max }: Selection) {
  const moment = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString());
  const length = (ms: number | undefined) => (ms === undefined ? undefined : `${ms}ms`);
  return {
    selected_from: moment(from),
    selected_until: moment(until),
    selected_min_duration: length(min),
    selected_max_duration: length(max),
  };
}

interface Corner {
  x: number;
  y: number;
}

/** What a rectangle of the plot selects, in whole milliseconds, all of what it covers. */
export function selectionWithin(plot: Plot, one: Corner, other: Corner): Selection {
  const times = [plot.timeAt(one.x), plot.timeAt(other.x)];
  const durations = [plot.durationAt(one.y), plot.durationAt(other.y)];
  const min = Math.floor(Math.min(...durations));
  return {
    from: Math.floor(Math.min(...times)),
    until: Math.ceil(Math.max(...times)),
    min: min > 0 ? min : undefined,
    max: Math.ceil(Math.max(...durations)),
  };
}

interface Lasting {
  start: string;
  duration_ms: number;
}

export function isSelected({ from, until, min, max }: Selection, { start, duration_ms }: Lasting): boolean {
  const at = Date.parse(start);
  return (
    (from === undefined || at >= from) &&
    (until === undefined || at <= until) &&
    (min === undefined || duration_ms >= min) &&
    (max === undefined || duration_ms <= max)
  );
}

/** A moment as a time of day, as this place counts it, to the millisecond. */
export function toBox(at: number | undefined): string {
  return at === undefined ? '' : clock(at, true);
}

const DAY_MS = 86_400_000;

/** The last moment up to `end` that had this time of day: `14:05`, `14:05:30.250`. */
export function fromBox(text: string, end: number): number | undefined {
  const [, hours, minutes, seconds = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,3})?))?$/.exec(text.trim()) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const at = new Date(end).setHours(Number(hours), Number(minutes), 0, Math.round(Number(seconds) * 1000));
  // What begins in the last second of a plot may be bounded after its end.
  return at > end + DAY_MS / 24 ? at - DAY_MS : at;
}
