// The distribution of latency over time, with requests that can be looked at as dots.

import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Schema } from '../api/answer';
import { clock, count, shortId, time } from '../lib/format';
import { dotsOf, heatOf, rowOf, strength } from '../lib/heat';
import { useAddress } from '../lib/url';
import { colour, useTheme } from './theme';

const LEFT = 64;
const BOTTOM = 22;

interface Cell {
  step: number;
  row: number;
  x: number;
  y: number;
}

export function Heatmap({ map, height = 240 }: { map: Schema<'Heatmap'>; height?: number }) {
  const { to } = useAddress();
  const heat = useMemo(() => heatOf(map), [map]);
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const [width, setWidth] = useState(600);
  const [over, setOver] = useState<Cell>();
  const [steps, rows] = [map.ends.length, Math.max(heat.bounds.length, 1)];
  const [stepWidth, rowHeight] = [(width - LEFT) / Math.max(steps, 1), (height - BOTTOM) / rows];
  const stepMs = map.step_seconds * 1000;
  const begin = (map.ends[0] ?? 0) - stepMs;

  useEffect(() => {
    const target = place.current;
    if (!target) return;
    const resized = new ResizeObserver(() => setWidth(target.clientWidth));
    resized.observe(target);
    return () => resized.disconnect();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are those of the theme
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const ratio = window.devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.fillStyle = colour('--accent');
    heat.counts.forEach((step, at) => {
      step.forEach((requests, row) => {
        if (requests === 0) return;
        context.globalAlpha = strength(requests, heat.max);
        context.fillRect(
          LEFT + at * stepWidth,
          (rows - row - 1) * rowHeight,
          Math.max(stepWidth - 1, 1),
          Math.max(rowHeight - 1, 1),
        );
      });
    });
    context.globalAlpha = 1;
    context.fillStyle = colour('--soft');
    context.font = '11px ui-sans-serif, system-ui, sans-serif';
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    const everyRow = Math.ceil(18 / rowHeight);
    for (let row = 0; row < heat.bounds.length; row += everyRow) {
      const bound = heat.bounds[row];
      context.fillText(bound === null ? '∞' : time(bound), LEFT - 8, (rows - row - 1) * rowHeight + 6);
    }
    context.textAlign = 'center';
    const everyStep = Math.ceil(90 / Math.max(stepWidth, 1));
    for (let step = everyStep; step < steps - everyStep / 3; step += everyStep) {
      context.fillText(clock(map.ends[step - 1] ?? 0), LEFT + step * stepWidth, height - BOTTOM / 2 + 1);
    }
  }, [heat, width, height, theme, map, stepWidth, rowHeight, rows, steps]);

  const placed = useMemo(
    () =>
      dotsOf(map)
        .flatMap((dot) => {
          const row = rowOf(heat, dot.ms);
          const x = LEFT + ((dot.at - begin) / stepMs) * stepWidth;
          return row === undefined || x < LEFT || x > width ? [] : [{ dot, x, y: (rows - row) * rowHeight }];
        })
        .sort((a, b) => a.x - b.x),
    [map, heat, begin, stepMs, stepWidth, rows, rowHeight, width],
  );
  // One stop of the tab key, not hundreds: the newest, or where the arrow keys have gone.
  const [stop, setStop] = useState<string>();
  const isThere = placed.some(({ dot }) => dot.spanId === stop);
  const tabbed = isThere ? stop : placed.at(-1)?.dot.spanId;
  const cell = over && heat.counts[over.step]?.[over.row];

  return (
    <div
      ref={place}
      className="heatmap"
      style={{ height }}
      onPointerLeave={() => setOver(undefined)}
      onPointerMove={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const [x, y] = [event.clientX - box.left, event.clientY - box.top];
        const [step, row] = [Math.floor((x - LEFT) / stepWidth), rows - 1 - Math.floor(y / rowHeight)];
        setOver(heat.counts[step]?.[row] === undefined ? undefined : { step, row, x, y });
      }}
    >
      <canvas
        ref={canvas}
        width={width * window.devicePixelRatio}
        height={height * window.devicePixelRatio}
        style={{ width, height }}
        role="img"
        aria-label={`Latency over time: ${count(heat.counts.flat().reduce((sum, one) => sum + one, 0))} requests of ${between(heat.lower[0], heat.bounds.at(-1))}`}
      />
      {placed.map(({ dot, x, y }) => {
        const words = `${dot.isFailed ? 'failed request' : 'slowest request'}, ${time(dot.ms)}, trace ${shortId(dot.traceId)}`;
        return (
          <Link
            key={dot.spanId}
            href={to(`/traces/${dot.traceId}`, { span: dot.spanId })}
            className={dot.isFailed ? 'dot failed' : 'dot'}
            style={{ left: x, top: y }}
            tabIndex={dot.spanId === tabbed ? 0 : -1}
            onFocus={() => setStop(dot.spanId)}
            onKeyDown={walk}
            title={words}
            aria-label={words}
          >
            {dot.isFailed && '✕'}
          </Link>
        );
      })}
      {over && cell !== undefined && (
        <div className="tooltip" style={{ left: Math.min(over.x + 14, width - 200), top: Math.max(over.y - 10, 0) }}>
          <strong>{count(cell)}</strong> {cell === 1 ? 'request' : 'requests'} of{' '}
          {between(heat.lower[over.row], heat.bounds[over.row])}
          <br />
          until {clock(map.ends[over.step] ?? 0)}
        </div>
      )}
    </div>
  );
}

/** To the dot before or after with the arrow keys. */
function walk(event: KeyboardEvent<HTMLAnchorElement>): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const dots = [...(event.currentTarget.parentElement?.querySelectorAll<HTMLElement>('a.dot') ?? [])];
  dots[dots.indexOf(event.currentTarget) + step]?.focus();
}

/** The slowest bucket may have no end. */
function between(lower: number | undefined, upper: number | null | undefined): string {
  return upper === null ? `more than ${time(lower)}` : `${time(lower)} to ${time(upper)}`;
}

/** What the marks on a heatmap are. */
export function HeatmapLegend({ map }: { map: Schema<'Heatmap'> }) {
  return (
    <p className="heatmap-legend soft">
      <span>stronger: more requests</span>
      <span>
        <span aria-hidden="true">●</span> the slowest, and{' '}
        <span className="text-bad" aria-hidden="true">
          ✕
        </span>{' '}
        a failed request, of each step, of those whose traces are kept
        {map.exemplars_truncated && '; of many only the newest were looked at'}
      </span>
    </p>
  );
}
