// The time that a page speaks of: `window` up to now, or up to `until`, when nothing changes any more.

import { useMemo } from 'react';
import { quoted } from './shell';
import { useAddress } from './url';

export const WINDOWS = ['1m', '5m', '15m', '1h', '6h', '24h'] as const;
const DEFAULT_WINDOW = '1m';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a window such as `5m`; `undefined` if it is none. */
export function windowMillis(window: string): number | undefined {
  const [, number, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(window) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

/** The window that lasts so long, to the second, in the largest unit that it is a whole number of. */
export function windowOf(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const) {
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

export interface PageTime {
  window: string;
  /** RFC 3339; absent: now. */
  until: string | undefined;
  /** What is shown changes. */
  isLive: boolean;
  /** As questions to the API have it. */
  asked: { window: string; until: string | undefined };
  /** As commands have it. */
  flags: string;
}

export function usePageTime(): PageTime {
  const { get } = useAddress();
  const given = get('window');
  const window = given && windowMillis(given) ? given : DEFAULT_WINDOW;
  const until = get('until');
  return useMemo(
    () => ({
      window,
      until,
      isLive: until === undefined,
      asked: { window, until },
      flags: `${window === DEFAULT_WINDOW ? '' : ` --window ${window}`}${until ? ` --until ${quoted(until)}` : ''}`,
    }),
    [window, until],
  );
}
