// Places of the slider, and the moments that they stand for.

/** The last place is now. */
export const PLACES = 720;
/** Moments in addresses are short. */
const GRAIN_MS = 5000;

export function timeOf(place: number, from: number, now: number): number {
  return from + ((now - from) * place) / PLACES;
}

export function atOf(until: string | undefined, from: number, now: number): number {
  const at = until === undefined ? Number.NaN : Date.parse(until);
  if (Number.isNaN(at) || now <= from) return PLACES;
  return Math.min(Math.max(Math.round(((at - from) / (now - from)) * PLACES), 0), PLACES - 1);
}

function written(time: number): string {
  return new Date(Math.floor(time / GRAIN_MS) * GRAIN_MS).toISOString().replace('.000Z', 'Z');
}

/** As addresses have it; `undefined`: now. */
export function untilOf(place: number, from: number, now: number): string | undefined {
  return place >= PLACES ? undefined : written(timeOf(place, from, now));
}

/** The moment after this one; `undefined` when it would not have passed yet. */
export function steppedFrom(until: string | undefined, step: number, now: number): string | undefined {
  const next = Date.parse(until ?? '') + step;
  return Number.isNaN(next) || next >= now ? undefined : written(next);
}
