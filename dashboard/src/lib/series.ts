// Numbers over time, as charts draw them.

import type { Schema } from '../api/answer';

type Steps = Pick<Schema<'Series'>, 'ends' | 'measured_from'>;

/** The values, and a gap where nothing was measured yet: there the API says 0, as if nobody had asked. */
export function measured(values: readonly (number | null)[], { ends, measured_from }: Steps): (number | null)[] {
  const from = Date.parse(measured_from);
  return values.map((value, step) => ((ends[step] ?? 0) <= from ? null : value));
}

/** Places of values that stand alone, with gaps on both sides. */
export function lone(values: ArrayLike<number | null | undefined>): number[] {
  const isGap = (place: number) => values[place] === null || values[place] === undefined;
  return Array.from(values, (_, place) => place).filter(
    (place) => !isGap(place) && isGap(place - 1) && isGap(place + 1),
  );
}
