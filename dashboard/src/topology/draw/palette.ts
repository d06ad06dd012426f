// Colours of the style sheet, for the canvas.

import type { Health } from '../../lib/health';
import { colour } from '../../ui/theme';

export interface Palette {
  panel: string;
  sunken: string;
  line: string;
  lineStrong: string;
  text: string;
  soft: string;
  accent: string;
  accentSoft: string;
  health: Record<Health, string>;
  healthSoft: Record<Health, string>;
  font: string;
}

export function palette(): Palette {
  const health = { good: colour('--good'), warn: colour('--warn'), bad: colour('--bad'), none: colour('--none') };
  const sunken = colour('--sunken');
  return {
    panel: colour('--panel'),
    sunken,
    line: colour('--line'),
    lineStrong: colour('--line-strong'),
    text: colour('--text'),
    soft: colour('--soft'),
    accent: colour('--accent'),
    accentSoft: colour('--accent-soft'),
    health,
    healthSoft: { good: colour('--good-soft'), warn: colour('--warn-soft'), bad: colour('--bad-soft'), none: sunken },
    font: getComputedStyle(document.body).fontFamily,
  };
}

/** Dashes tell edges apart where colours do not. */
export const DASHES: Record<Health, readonly number[]> = { good: [], warn: [9, 5], bad: [4, 3], none: [1.5, 4] };
