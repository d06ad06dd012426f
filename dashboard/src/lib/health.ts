// How well something is. Colour never says it alone: there is a word and a mark to each.

export type Health = 'good' | 'warn' | 'bad' | 'none';

export const MARKS: Record<Health, string> = { good: '●', warn: '▲', bad: '■', none: '○' };
export const WORDS: Record<Health, string> = { good: 'well', warn: 'look at it', bad: 'failing', none: 'no traffic' };

/** Of a share of successes. */
export function ofSuccess(rate: number | null | undefined): Health {
  if (rate === null || rate === undefined) return 'none';
  if (rate >= 0.999) return 'good';
  return rate >= 0.95 ? 'warn' : 'bad';
}

/** Of a score of the propagation audit. */
export function ofScore(score: number | null | undefined): Health {
  if (score === null || score === undefined) return 'none';
  if (score >= 0.995) return 'good';
  return score >= 0.9 ? 'warn' : 'bad';
}

const ORDER: Record<Health, number> = { bad: 0, warn: 1, good: 2, none: 3 };

/** Worst first. */
export function byHealth(a: Health, b: Health): number {
  return ORDER[a] - ORDER[b];
}
