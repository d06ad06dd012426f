// Numbers as people read them: the digits that the command line has of the same number; short times have more.

const NOTHING = '–';

type Maybe = number | null | undefined;

function is(value: Maybe): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** Three digits, however large. */
function digits(value: number): string {
  const decimals = value >= 99.95 || value === 0 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(decimals);
}

/** Milliseconds with the unit that fits. */
export function time(ms: Maybe): string {
  if (!is(ms)) return NOTHING;
  if (ms === 0) return '0 ms';
  if (ms < 0) return `−${time(-ms)}`;
  if (ms < 0.9995) return `${digits(ms * 1000)} µs`;
  if (ms < 999.5) return `${digits(ms)} ms`;
  if (ms < 59_950) return `${digits(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${digits(ms / 3_600_000)} h`;
}

/** A number of things. */
export function count(value: Maybe): string {
  if (!is(value)) return NOTHING;
  const size = Math.abs(value);
  if (size < 10_000) return value.toLocaleString('en', { maximumFractionDigits: size < 10 ? 1 : 0 });
  if (size < 999_500) return `${digits(value / 1e3)}k`;
  if (size < 999_500_000) return `${digits(value / 1e6)}M`;
  return `${digits(value / 1e9)}G`;
}

/** A rate, for each second. None is only said of none. */
export function rate(value: Maybe): string {
  if (!is(value)) return NOTHING;
  if (value > 0 && value < 0.005) return '<0.01';
  return value < 999.5 ? digits(value) : count(value);
}

/** A share of 0 to 1, cut and not rounded: all is only said of all. */
export function percent(share: Maybe, decimals = 2): string {
  if (!is(share)) return NOTHING;
  const one = 10 ** decimals;
  // The small addend makes up for binary fractions: 0.29 is stored as 0.28999...
  const shown = Math.min(Math.floor(share * 100 * one + 1e-6), 100 * one);
  return `${(shown / one).toFixed(decimals)}%`;
}

/** A part of a whole, 0 to 1, rounded to a tenth of a percent. */
export function portion(share: Maybe): string {
  return is(share) ? `${(share * 100).toFixed(1)}%` : NOTHING;
}

export function bytes(value: Maybe): string {
  if (!is(value)) return NOTHING;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let shown = value;
  let unit = 0;
  while (shown >= 1023.5 && unit < units.length - 1) {
    shown /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? shown : digits(shown)} ${units[unit]}`;
}

/** The time of day of a moment (RFC 3339, or Unix milliseconds), as this place counts it. */
export function clock(moment: string | number, withMillis = false): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return NOTHING;
  const text = date.toLocaleTimeString('en-GB');
  return withMillis ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** Day and time of a moment. */
export function moment(at: string | number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return NOTHING;
  return `${date.toLocaleDateString('en-CA')} ${date.toLocaleTimeString('en-GB')}`;
}

/** How long ago, in words. */
export function ago(at: string | number | null | undefined, now = Date.now()): string {
  if (at === null || at === undefined) return NOTHING;
  const seconds = (now - new Date(at).getTime()) / 1000;
  if (!Number.isFinite(seconds)) return NOTHING;
  if (seconds < 1) return 'now';
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

/** The first digits of a trace's id, enough to tell it from others on a page. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
