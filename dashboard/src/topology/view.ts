// How the topology is looked at, as the address has it.

import { useMemo } from 'react';
import { useAddress } from '../lib/url';

/** Up to so many nodes all namespaces are open, unless the address says otherwise. */
export const FEW = 60;
const ALL = '*';
const NONE = '-';

/** Names in one parameter, whatever they hold. */
export function listed(names: readonly string[]): string {
  return names.map((name) => name.replace(/[%,]/g, encodeURIComponent)).join(',');
}

export function unlisted(text: string | undefined): string[] {
  if (!text) return [];
  return text.split(',').map((name) => name.replace(/%2C/g, ',').replace(/%25/g, '%'));
}

/** Which namespaces are open; `given` is what the address says. */
export function openOf(given: string | undefined, namespaces: readonly string[], nodes: number): Set<string> {
  if (given === undefined) return new Set(nodes <= FEW ? namespaces : []);
  if (given === ALL) return new Set(namespaces);
  if (given === NONE) return new Set();
  const names = new Set(unlisted(given));
  return new Set(namespaces.filter((namespace) => names.has(namespace)));
}

/** The address for these open namespaces; `null`: as it would be anyhow. */
export function givenFor(open: ReadonlySet<string>, namespaces: readonly string[], nodes: number): string | null {
  if (open.size === namespaces.length) return nodes <= FEW ? null : ALL;
  if (open.size === 0) return nodes <= FEW ? NONE : null;
  return listed([...open].sort());
}

export interface View {
  find: string;
  hidden: string[];
  focus: string | undefined;
  steps: number;
  onlyUnwell: boolean;
  open: string | undefined;
  /** A node or an edge. */
  selected: string | undefined;
  isTable: boolean;
}

export const MAX_STEPS = 4;

export function useView(): View {
  const { query } = useAddress();
  return useMemo(() => {
    const get = (name: string) => query.get(name) ?? undefined;
    const steps = Number(get('steps') ?? 1);
    return {
      find: get('find') ?? '',
      hidden: unlisted(get('hide')),
      focus: get('focus'),
      steps: Number.isInteger(steps) ? Math.min(Math.max(steps, 1), MAX_STEPS) : 1,
      onlyUnwell: get('edges') === 'unwell',
      open: get('open'),
      selected: get('sel'),
      isTable: get('as') === 'table',
    };
  }, [query]);
}
