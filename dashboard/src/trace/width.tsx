// Widths: of what is on the page, and of the column of names, which can be dragged.

import { type KeyboardEvent, type PointerEvent, useCallback, useState } from 'react';

/** The width of an element, kept up to date. */
export function useWidth(): [(element: HTMLElement | null) => (() => void) | undefined, number] {
  const [width, setWidth] = useState(600);
  const ref = useCallback((element: HTMLElement | null) => {
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(Math.max(50, Math.round(element.clientWidth))));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

const KEY = 'clew-trace-names';
const [LEAST, MOST, STEP] = [160, 760, 20];

const within = (width: number) => Math.min(Math.max(Math.round(width), LEAST), MOST);

export function useNameWidth(): [number, (width: number) => void] {
  const [width, setWidth] = useState(() => within(Number(localStorage.getItem(KEY)) || 380));
  const change = useCallback((next: number) => {
    setWidth(within(next));
    localStorage.setItem(KEY, String(within(next)));
  }, []);
  return [width, change];
}

export function NameResizer({ width, setWidth }: { width: number; setWidth: (width: number) => void }) {
  const onDown = (event: PointerEvent<HTMLElement>) => {
    const from = event.clientX - width;
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent) => setWidth(moved.clientX - from);
    handle.addEventListener('pointermove', move);
    handle.addEventListener('lostpointercapture', () => handle.removeEventListener('pointermove', move), {
      once: true,
    });
    event.preventDefault();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowLeft') setWidth(width - STEP);
    else if (event.key === 'ArrowRight') setWidth(width + STEP);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be dragged
    <div
      className="resizer"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the names"
      aria-valuenow={width}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onPointerDown={onDown}
      onKeyDown={onKey}
    />
  );
}
