// What is searched for: as the address has it, as a question, and as a command.

import { quoted } from '../lib/shell';
import { type Change, unescaped } from '../lib/url';

export interface Tag {
  name: string;
  value: string;
}

export interface Filters {
  service: string;
  route: string;
  status: string;
  min_duration: string;
  max_duration: string;
  /** As the API takes them: `name=value,...`. */
  tags: string;
  errors: boolean;
  limit: string;
}

export const LIMITS = ['100', '250', '500'] as const;
const DEFAULT_LIMIT = '500';

/** The filters that are texts. */
const TEXTS = ['service', 'route', 'status', 'min_duration', 'max_duration', 'tags'] as const;

export function filtersOf(query: URLSearchParams): Filters {
  const text = (name: string) => query.get(name) ?? '';
  const limit = text('limit');
  return {
    service: text('service'),
    route: text('route'),
    status: text('status'),
    min_duration: text('min_duration'),
    max_duration: text('max_duration'),
    tags: text('tags'),
    errors: text('errors') === 'true',
    limit: (LIMITS as readonly string[]).includes(limit) ? limit : DEFAULT_LIMIT,
  };
}

/** Something is left out by them. */
export function isNarrow(filters: Filters): boolean {
  return filters.errors || TEXTS.some((name) => filters[name] !== '');
}

/** The address without filters. */
export const NO_FILTERS: Change = {
  ...Object.fromEntries(TEXTS.map((name) => [name, null])),
  errors: null,
};

/** In the address, the limit that is usual is left out. */
export function change(filters: Filters): Change {
  return { ...filters, limit: filters.limit === DEFAULT_LIMIT ? null : filters.limit };
}

/** As parameters of a question, without the limit. */
export function searched(filters: Filters) {
  const { limit: _, errors, ...texts } = filters;
  const given = Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, value || undefined]));
  return { ...(given as Partial<typeof texts>), errors: errors || undefined };
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a time as people write it: `200ms`, `1.5 s`, `200`. */
export function millis(text: string): number | undefined {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(text.trim()) ?? [];
  const factor = UNITS[unit];
  return number === undefined || factor === undefined ? undefined : Math.round(Number(number) * factor);
}

/** A time as the API takes it, in whole milliseconds; what is none stays, for the API to refuse it. */
export function duration(text: string): string {
  const ms = millis(text);
  if (ms === undefined) return text.trim();
  return ms > 0 && ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

const escaped = (text: string) => text.replaceAll('%', '%25').replaceAll(',', '%2C');

export function tagsOf(text: string): Tag[] {
  return text.split(',').flatMap((tag) => {
    const at = tag.indexOf('=');
    return at > 0 ? [{ name: unescaped(tag.slice(0, at)), value: unescaped(tag.slice(at + 1)) }] : [];
  });
}

export function tagsText(tags: Tag[]): string {
  return tags.map(({ name, value }) => `${escaped(name).replaceAll('=', '%3D')}=${escaped(value)}`).join(',');
}

/** A tag as someone types it: `name=value`. */
export function typedTag(text: string): Tag | undefined {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0)).trim();
  return name === '' ? undefined : { name, value: text.slice(at + 1).trim() };
}

/** With one more, once. */
export function withTag(text: string, tag: Tag): string {
  const others = tagsOf(text).filter(({ name, value }) => name !== tag.name || value !== tag.value);
  return tagsText([...others, tag]);
}

export function withoutTag(text: string, tag: Tag): string {
  return tagsText(tagsOf(text).filter(({ name, value }) => name !== tag.name || value !== tag.value));
}

/** The command that answers the same; `flags` are those of the page's time. */
export function command(filters: Filters, flags: string): string {
  const given = [
    ['--service', filters.service],
    ['--route', filters.route],
    ['--status', filters.status],
    ['--min-duration', filters.min_duration],
    ['--max-duration', filters.max_duration],
    ...tagsOf(filters.tags).map(({ name, value }) => ['--tag', `${name}=${value}`]),
  ] as const;
  const words = given.flatMap(([flag, value]) => (value ? [`${flag} ${quoted(value)}`] : []));
  if (filters.errors) words.push('--errors');
  return `clew traces${words.map((word) => ` ${word}`).join('')}${flags} --limit ${filters.limit}`;
}
