// Every trace found, by when it began and how long it took. An area of it can be selected.

import { type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { Schema } from '../api/answer';
import { clock, count, time } from '../lib/format';
import { useTheme } from '../ui/theme';
import { type Box, draw, type Mark } from './draw';
import { durationDomain, markRadius, nearest, Plot, type Span } from './plot';
import { isSelected, type Selection, selectionWithin } from './selection';

type Summary = Schema<'TraceSummary'>;

interface Props {
  traces: readonly Summary[];
  time: Span;
  selection: Selection | undefined;
  select: (selection: Selection | undefined) => void;
  open: (trace: Summary) => void;
}

const HEIGHT = 300;
/** Below this, a movement is a click. */
const LEAST_DRAG = 5;

export function Scatter({ traces, time: span, selection, select, open }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const width = useWidth(canvas);
  const [hovered, setHovered] = useState<number>();
  const [drag, setDrag] = useState<{ from: Place; to: Place }>();

  const plot = useMemo(
    () =>
      new Plot(
        { left: 62, top: 14, width: Math.max(width - 80, 50), height: HEIGHT - 46 },
        { time: span, duration: durationDomain(traces.map((trace) => trace.duration_ms)) },
      ),
    [traces, span, width],
  );
  const marks = useMemo(
    () =>
      traces.map(
        (trace): Mark => ({
          x: plot.x(Date.parse(trace.start)),
          y: plot.y(trace.duration_ms),
          radius: markRadius(trace.spans),
          isFailed: trace.errors > 0,
          state: trace.state,
          isDimmed: selection !== undefined && !isSelected(selection, trace),
        }),
      ),
    [traces, plot, selection],
  );
  const box = drag ? between(drag.from, drag.to) : selection && boxOf(plot, selection);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours are read from the style sheet
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!canvas.current || !context || width === 0) return;
    const scale = window.devicePixelRatio || 1;
    canvas.current.width = width * scale;
    canvas.current.height = HEIGHT * scale;
    draw(context, { plot, marks, hovered: hovered === undefined ? undefined : marks[hovered], selected: box });
  }, [plot, marks, hovered, box?.x, box?.y, box?.width, box?.height, width, theme]);

  const onDown = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = place(event);
    setDrag({ from: at, to: at });
  };
  const onMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const at = place(event);
    if (drag) setDrag({ from: drag.from, to: at });
    setHovered(drag && isFar(drag.from, at) ? undefined : nearest(marks, at.x, at.y));
  };
  const onUp = (event: PointerEvent<HTMLCanvasElement>) => {
    if (!drag) return;
    setDrag(undefined);
    const at = place(event);
    if (isFar(drag.from, at)) {
      select(selectionWithin(plot, drag.from, at));
      return;
    }
    const hit = nearest(marks, at.x, at.y);
    const trace = hit === undefined ? undefined : traces[hit];
    if (trace) open(trace);
    else if (selection) select(undefined);
  };

  const trace = hovered === undefined ? undefined : traces[hovered];
  const mark = hovered === undefined ? undefined : marks[hovered];
  return (
    <div className="scatter">
      <canvas
        ref={canvas}
        style={{ height: HEIGHT, cursor: hovered === undefined ? 'crosshair' : 'pointer' }}
        role="img"
        aria-label={described(traces)}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerCancel={() => setDrag(undefined)}
        onPointerLeave={() => setHovered(undefined)}
      />
      {trace && mark && <Tip trace={trace} mark={mark} width={width} />}
    </div>
  );
}

function Tip({ trace, mark, width }: { trace: Summary; mark: Mark; width: number }) {
  const isLeft = mark.x > width - 300;
  return (
    <div
      className="tip"
      style={{ top: Math.max(mark.y - 20, 4), ...(isLeft ? { right: width - mark.x + 14 } : { left: mark.x + 14 }) }}
    >
      <strong>
        {trace.root.service} <span className="mono">{trace.root.route ?? trace.root.name}</span>
      </strong>
      <span>
        {time(trace.duration_ms)} at {clock(trace.start, true)}
      </span>
      <span className="soft">
        {count(trace.spans)} {trace.spans === 1 ? 'span' : 'spans'} of {Object.keys(trace.services).join(', ')}
      </span>
      {trace.errors > 0 && (
        <span className="text-bad">
          {count(trace.errors)} {trace.errors === 1 ? 'span' : 'spans'} failed
        </span>
      )}
      {trace.state === 'broken' && <span className="text-warn">spans are missing</span>}
      {trace.state === 'arriving' && <span className="soft">still arriving</span>}
    </div>
  );
}

interface Place {
  x: number;
  y: number;
}

function place(event: PointerEvent<HTMLCanvasElement>): Place {
  const { left, top } = event.currentTarget.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

const isFar = (one: Place, other: Place) => Math.hypot(one.x - other.x, one.y - other.y) >= LEAST_DRAG;

function between(one: Place, other: Place): Box {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  return { x, y, width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) };
}

function boxOf(plot: Plot, { from, until, min, max }: Selection): Box | undefined {
  const { frame, domain } = plot;
  const bounded = (at: number, low: number, high: number) => Math.min(Math.max(at, low), high);
  const x = (at: number) => bounded(plot.x(at), frame.left, frame.left + frame.width);
  const y = (ms: number) => bounded(plot.y(ms), frame.top, frame.top + frame.height);
  return between(
    { x: x(from ?? domain.time.from), y: y(min ?? domain.duration.from) },
    { x: x(until ?? domain.time.to), y: y(max ?? domain.duration.to) },
  );
}

function described(traces: readonly Summary[]): string {
  const durations = traces.map((trace) => trace.duration_ms);
  const failed = traces.filter((trace) => trace.errors > 0).length;
  return `Scatter of ${traces.length} traces by start and duration: from ${time(Math.min(...durations))} to ${time(
    Math.max(...durations),
  )}, ${failed} with errors. The list below has them all.`;
}

function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
