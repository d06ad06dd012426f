// Keys that work everywhere: `/` searches, `g` and a letter goes to a page, `?` says so.

import { useEffect } from 'react';

/** Letters after `g`, and the pages that they go to. */
export const PLACES = [
  { key: 'o', path: '/', name: 'Overview' },
  { key: 't', path: '/topology', name: 'Topology' },
  { key: 'r', path: '/routes', name: 'Routes' },
  { key: 's', path: '/traces', name: 'Traces' },
  { key: 'c', path: '/critical-path', name: 'Critical path' },
  { key: 'p', path: '/tap', name: 'Tap' },
  { key: 'm', path: '/mesh', name: 'Mesh' },
] as const;

/** The place that a page belongs to: the page of a workload is reached from the overview. */
export function placeOf(path: string): (typeof PLACES)[number] | undefined {
  if (path.startsWith('/workloads/')) return PLACES[0];
  return PLACES.find((place) => path === place.path || (place.path !== '/' && path.startsWith(`${place.path}/`)));
}

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

export type Meaning = { go: string } | 'search' | 'help' | 'begin' | undefined;

/** What a key means, after another one. */
export function meaning({ key, ctrlKey, metaKey, altKey }: Pressed, before: string | undefined): Meaning {
  if (ctrlKey || metaKey || altKey) return undefined;
  if (before === 'g') {
    const place = PLACES.find((place) => place.key === key);
    return place && { go: place.path };
  }
  if (key === '/') return 'search';
  if (key === '?') return 'help';
  return key === 'g' ? 'begin' : undefined;
}

/** Where someone types, keys are letters. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable)
  );
}

/** How long a second key may take. */
const PATIENCE_MS = 1500;

export function useKeys(act: { go: (path: string) => void; search: () => void; help: () => void }): void {
  useEffect(() => {
    let before: string | undefined;
    let timer: number | undefined;
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event.target)) return;
      const meant = meaning(event, before);
      before = undefined;
      window.clearTimeout(timer);
      if (meant === undefined) return;
      event.preventDefault();
      if (meant === 'begin') {
        before = 'g';
        timer = window.setTimeout(() => {
          before = undefined;
        }, PATIENCE_MS);
      } else if (meant === 'search') act.search();
      else if (meant === 'help') act.help();
      else act.go(meant.go);
    };
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('keydown', onKey);
      window.clearTimeout(timer);
    };
  }, [act]);
}
