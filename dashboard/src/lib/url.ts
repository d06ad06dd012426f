// What a page shows is in its address: it can be shared, and the way back is the browser's.

import { useCallback } from 'react';
import { useLocation, useSearchParams } from 'wouter';

/** Parameters that every page has, and that links keep. */
const KEPT = ['window', 'until'] as const;

export type Change = Record<string, string | number | boolean | null | undefined>;

/** The query with these changes; what is empty is left out. */
export function changed(query: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined || value === null || value === '' || value === false) next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

/** A link to a page, with what all pages have in common. */
export function link(path: string, query: URLSearchParams, parameters: Change = {}): string {
  const kept = new URLSearchParams();
  for (const name of KEPT) {
    const value = query.get(name);
    if (value) kept.set(name, value);
  }
  const next = changed(kept, parameters);
  return next.size > 0 ? `${path}?${next}` : path;
}

export interface Address {
  query: URLSearchParams;
  get: (name: string) => string | undefined;
  /** Changes the query. What is only looked at, such as a selected row, makes no step back. */
  set: (change: Change, options?: { replace?: boolean }) => void;
  /** A link to another page. */
  to: (path: string, parameters?: Change) => string;
  go: (path: string, parameters?: Change) => void;
}

export function useAddress(): Address {
  const [query, setQuery] = useSearchParams();
  const [, navigate] = useLocation();
  const set = useCallback(
    (change: Change, options: { replace?: boolean } = {}) =>
      setQuery((before) => changed(before, change), { replace: options.replace ?? false }),
    [setQuery],
  );
  const to = useCallback((path: string, parameters?: Change) => link(path, query, parameters), [query]);
  const go = useCallback((path: string, parameters?: Change) => navigate(to(path, parameters)), [navigate, to]);
  return { query, get: (name) => query.get(name) ?? undefined, set, to, go };
}

/** A part of an address as it was before it was escaped; what cannot be is left as it is. */
export function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What tells a workload from those of the same name in other namespaces. */
export function workloadKey({ namespace, workload }: { namespace: string; workload: string }): string {
  return `${namespace}/${workload}`;
}

/** The page of a workload. */
export function workloadPath(namespace: string | null | undefined, name: string): string {
  return `/workloads/${encodeURIComponent(namespace || 'default')}/${encodeURIComponent(name)}`;
}
