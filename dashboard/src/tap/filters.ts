// Which requests are shown: as the address has it, as a question, and as a command.

import { quoted } from '../lib/shell';
import type { Change } from '../lib/url';

const TEXTS = ['workload', 'namespace', 'method', 'path', 'route', 'peer', 'authority'] as const;

export type TapFilters = Record<(typeof TEXTS)[number], string> & {
  direction: '' | 'inbound' | 'outbound';
  failures: boolean;
  max_rps: string;
};

export const RATES = ['5', '20', '100', '500'] as const;
/** More than this nobody reads. */
const DEFAULT_RATE = '20';

export function filtersOf(query: URLSearchParams): TapFilters {
  const texts = Object.fromEntries(TEXTS.map((name) => [name, query.get(name) ?? ''])) as Record<
    (typeof TEXTS)[number],
    string
  >;
  const [direction, rate] = [query.get('direction'), query.get('max_rps') ?? ''];
  return {
    ...texts,
    direction: direction === 'inbound' || direction === 'outbound' ? direction : '',
    failures: query.get('failures') === 'true',
    max_rps: /^[1-9]\d{0,4}$/.test(rate) ? rate : DEFAULT_RATE,
  };
}

export function isNarrow(filters: TapFilters): boolean {
  return filters.failures || filters.direction !== '' || TEXTS.some((name) => filters[name] !== '');
}

/** The address without filters. */
export const NO_FILTERS: Change = {
  ...Object.fromEntries(TEXTS.map((name) => [name, null])),
  direction: null,
  failures: null,
};

/** All requests of one workload, both those that it serves and those that it makes. */
export function ofWorkload(namespace: string, workload: string): TapFilters {
  return filtersOf(new URLSearchParams({ namespace, workload }));
}

/** In the address, the rate that is usual is left out. */
export function change(filters: TapFilters): Change {
  return { ...filters, max_rps: filters.max_rps === DEFAULT_RATE ? null : filters.max_rps };
}

export function command(filters: TapFilters): string {
  const given = [
    ['-n', filters.namespace],
    ['--direction', filters.direction],
    ['--method', filters.method],
    ['--path', filters.path],
    ['--route', filters.route],
    ['--peer', filters.peer],
    ['--authority', filters.authority],
  ] as const;
  const words = given.flatMap(([flag, value]) => (value ? [`${flag} ${quoted(value)}`] : []));
  if (filters.workload) words.unshift(quoted(filters.workload));
  if (filters.failures) words.push('--failures');
  return ['clew tap', ...words, `--max-rps ${filters.max_rps}`].join(' ');
}

/** The command that shows one more header; it names all of them, for it replaces what was set. */
export function showHeader(name: string, shown: readonly string[]): string {
  const names = [...shown.filter((one) => one !== name), name];
  return `clew settings ${names.map((one) => `--show-header ${quoted(one)}`).join(' ')}`;
}
