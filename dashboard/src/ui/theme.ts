// Light or dark: as the system has it, until someone says otherwise.

import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark';

const KEY = 'clew-theme';
const listeners = new Set<() => void>();
const system = () => (window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

function chosen(): Theme | undefined {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : undefined;
}

function theme(): Theme {
  return chosen() ?? system();
}

function applyTheme(): void {
  document.documentElement.dataset.theme = theme();
  for (const listener of listeners) listener();
}

export function chooseTheme(next: Theme): void {
  if (next === system()) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  applyTheme();
}

/** From the start of the page on: also when the system changes its mind. */
export function followTheme(): void {
  applyTheme();
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The theme; what is drawn by script is drawn anew when it changes. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, theme);
}

/** The value of a colour of the style sheet, for a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
