// Whether all spans of a trace are there.

import type { Schema } from '../api/answer';

type Summary = Pick<Schema<'TraceSummary'>, 'state' | 'roots' | 'missing_parents'>;

/** The whole ones first, the broken ones last. */
export function wholeness({ state }: Pick<Summary, 'state'>): number {
  return ['whole', 'arriving', 'broken'].indexOf(state);
}

/** What is missing, in words. */
export function missing({ state, roots, missing_parents }: Summary): string {
  if (state === 'arriving') return 'spans of it came less than 2 s ago, and more may come';
  const parts: string[] = [];
  if (roots === 0) parts.push('its first span is not there');
  if (roots > 1) parts.push(`${roots} spans have no parent`);
  if (missing_parents > 0) {
    parts.push(`${missing_parents} ${missing_parents === 1 ? 'span names a parent' : 'spans name parents'} not kept`);
  }
  return parts.length > 0 ? parts.join('; ') : 'whole';
}
