// A line as small as a word.

import { useMemo } from 'react';
import { lone } from '../lib/series';

interface Props {
  values: readonly (number | null)[];
  /** What it shows, in words. */
  label: string;
  colour?: string;
  width?: number;
  height?: number;
}

/** The path through the values; where there is none the line is broken, and what stands between two gaps is a dot. */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const known = values.filter((value) => value !== null);
  const max = Math.max(...known, 0);
  const x = (index: number) => ((index / Math.max(values.length - 1, 1)) * width).toFixed(1);
  const y = (value: number) => (height - 1 - (max > 0 ? value / max : 0) * (height - 2)).toFixed(1);
  const alone = new Set(lone(values));
  let isOpen = false;
  let path = '';
  values.forEach((value, index) => {
    if (value === null) isOpen = false;
    else {
      path += `${isOpen ? 'L' : 'M'}${x(index)} ${y(value)}${alone.has(index) ? 'h0' : ''}`;
      isOpen = true;
    }
  });
  return path;
}

export function Sparkline({ values, label, colour = 'var(--accent)', width = 80, height = 22 }: Props) {
  const path = useMemo(() => sparkPath(values, width, height), [values, width, height]);
  return (
    <svg width={width} height={height} role="img" aria-label={label} style={{ display: 'block' }}>
      <path d={path} fill="none" stroke={colour} strokeWidth="1.4" strokeLinejoin="round" strokeLinecap="round" />
    </svg>
  );
}
