// All of the trace, small: a range is chosen by dragging over it.

import { type PointerEvent, useEffect, useRef, useState } from 'react';
import { time } from '../lib/format';
import { colour, useTheme } from '../ui/theme';
import { isError, type Model, ms, type Node } from './model';
import type { OnPath, Stretch } from './path';
import { zoomed } from './range';
import { useWidth } from './width';

const HEIGHT = 56;
/** Pixels around an edge where it is taken hold of. */
const GRIP = 7;

interface Props {
  model: Model;
  paths: Map<number, OnPath>;
  range: Stretch;
  setRange: (range: Stretch | undefined) => void;
}

export function MiniMap({ model, paths, range, setRange }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [ref, width] = useWidth();
  const theme = useTheme();
  const [draft, setDraft] = useState<Stretch>();
  const shown = draft ?? range;
  const isAll = range.from <= 0 && range.to >= model.end;

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are those of the theme
  useEffect(() => {
    if (canvas.current) draw(canvas.current, width, model, paths);
  }, [model, paths, width, theme]);

  const onDown = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    const area = event.currentTarget;
    const box = area.getBoundingClientRect();
    const at = (x: number) => Math.min(Math.max((x - box.left) / box.width, 0), 1) * model.end;
    const grip = (GRIP / box.width) * model.end;
    const start = at(event.clientX);
    const change = dragged(range, start, grip, isAll, model.end);
    let last: Stretch | undefined;
    area.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent) => {
      last = change(at(moved.clientX));
      setDraft(last);
    };
    const end = () => {
      area.removeEventListener('pointermove', move);
      setDraft(undefined);
      if (last && (last.to - last.from) / model.end > 3 / box.width) setRange(last);
    };
    area.addEventListener('pointermove', move);
    area.addEventListener('lostpointercapture', end, { once: true });
    event.preventDefault();
  };

  return (
    <div className="minimap">
      <div className="name">
        <span className="soft">{isAll ? 'Drag to zoom' : `${time(ms(range.from))} – ${time(ms(range.to))}`}</span>
        <span className="grow" />
        <button
          type="button"
          className="button small"
          onClick={() => setRange(zoomed(range, 0.5, model.end))}
          aria-label="Zoom in"
        >
          +
        </button>
        <button
          type="button"
          className="button small"
          disabled={isAll}
          onClick={() => setRange(zoomed(range, 2, model.end))}
          aria-label="Zoom out"
        >
          −
        </button>
        <button type="button" className="button small" disabled={isAll} onClick={() => setRange(undefined)}>
          all
        </button>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: with keys it is the buttons beside it, or + and - in the rows */}
      <div
        className="map"
        ref={ref}
        onPointerDown={onDown}
        onDoubleClick={() => setRange(undefined)}
        title="Drag to zoom, twice clicked: all"
      >
        <canvas ref={canvas} style={{ width: '100%', height: HEIGHT }} />
        {(!isAll || draft) && (
          <>
            <span className="veil" style={{ left: 0, width: `${(100 * shown.from) / model.end}%` }} />
            <span className="veil" style={{ right: 0, width: `${100 - (100 * shown.to) / model.end}%` }} />
            <span
              className="frame-of-range"
              style={{
                left: `${(100 * shown.from) / model.end}%`,
                width: `${(100 * (shown.to - shown.from)) / model.end}%`,
              }}
            />
          </>
        )}
      </div>
    </div>
  );
}

/** What a drag does from where it begins: an edge is moved, the range is moved, or a new one is made. */
function dragged(range: Stretch, start: number, grip: number, isAll: boolean, end: number): (at: number) => Stretch {
  const between = (a: number, b: number) => ({ from: Math.min(a, b), to: Math.max(a, b) });
  if (!isAll && Math.abs(start - range.from) < grip) return (at) => between(at, range.to);
  if (!isAll && Math.abs(start - range.to) < grip) return (at) => between(range.from, at);
  if (!isAll && start > range.from && start < range.to) {
    return (at) => {
      const by = Math.min(Math.max(at - start, -range.from), end - range.to);
      return { from: range.from + by, to: range.to + by };
    };
  }
  return (at) => between(start, at);
}

function draw(canvas: HTMLCanvasElement, width: number, model: Model, paths: Map<number, OnPath>): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(ratio, ratio);
  context.clearRect(0, 0, width, HEIGHT);
  const colours = Array.from({ length: 8 }, (_, n) => colour(`--service-${n}`));
  const bad = colour('--bad');
  const places = new Map(model.services.map((service, n) => [service, colours[n % colours.length] as string]));
  const x = (at: number) => (at / Math.max(model.end, 1)) * width;
  const step = (HEIGHT - 6) / Math.max(model.order.length, 1);
  const thick = Math.min(Math.max(Math.floor(step * 0.75), 1), 5);
  model.order.forEach((index, place) => {
    const node = model.nodes[index] as Node;
    const y = Math.floor(3 + Math.min(step, 8) * place);
    context.globalAlpha = 0.4;
    context.fillStyle = isError(node.span) ? bad : (places.get(node.span.service) ?? bad);
    context.fillRect(x(node.start), y, Math.max(x(node.end) - x(node.start), 0.75), thick);
    context.globalAlpha = 1;
    for (const { from, to } of paths.get(index)?.when ?? []) {
      if (x(to) - x(from) > 0.3) context.fillRect(x(from), y, Math.max(x(to) - x(from), 0.75), thick);
    }
  });
}
