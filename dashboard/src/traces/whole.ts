// Whether all spans of a trace are there.

interface Parts {
  roots: number;
  missing_parents: number;
}

export function isBroken({ roots, missing_parents }: Parts): boolean {
  return roots !== 1 || missing_parents > 0;
}

/** What is missing, in words. */
export function missing({ roots, missing_parents }: Parts): string {
  const parts: string[] = [];
  if (roots === 0) parts.push('its first span is not there');
  if (roots > 1) parts.push(`${roots} spans have no parent`);
  if (missing_parents > 0) {
    parts.push(`${missing_parents} ${missing_parents === 1 ? 'span names a parent' : 'spans name parents'} not kept`);
  }
  return parts.length > 0 ? parts.join('; ') : 'whole';
}
