// What tells the selected traces from the others, in words, and how to search for it.

import type { Schema } from '../api/answer';
import type { Change } from '../lib/url';
import { withTag } from './filters';

export type Difference = Pick<Schema<'AttributeDifference'>, 'kind' | 'name' | 'value'>;

/** What it is about, and what is so. */
export function said({ kind, name, value }: Difference): { about: string; is: string } {
  if (kind === 'error') return { about: 'failed', is: value };
  if (kind === 'service') return { about: 'service', is: value };
  if (kind === 'calls') return { about: `calls to ${name}`, is: value };
  return { about: name, is: value };
}

/** What else the same traces have, in words. */
export function alsoSaid({ also = [] }: Pick<Schema<'AttributeDifference'>, 'also'>): { about: string; is: string }[] {
  return also.map(said);
}

/** The search for traces that have it; `undefined` where none finds them. */
export function search({ kind, name, value }: Difference, tags: string): Change | undefined {
  if (kind === 'error') return { service: value, errors: true };
  if (kind === 'service') return { service: value };
  return kind === 'attribute' ? { tags: withTag(tags, { name, value }) } : undefined;
}

/** In points of a hundred, with its sign. */
export function points(difference: number): string {
  const shown = Math.round(Math.abs(difference) * 100);
  if (shown === 0) return '±0';
  return `${difference > 0 ? '+' : '−'}${shown}`;
}
