// Numbers over time. A stretch that is dragged over becomes the time of the page.

import { useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';
import { lone } from '../lib/series';
import { windowOf } from '../lib/time';
import { useAddress } from '../lib/url';
import { colour, useTheme } from './theme';

export interface Line {
  label: string;
  values: readonly (number | null)[];
  /** A colour of the style sheet, such as `--p99`. */
  colour: string;
  /** Tells lines apart without colour. */
  dash?: number[];
  fill?: boolean;
}

interface Props {
  label: string;
  /** Ends of the steps, Unix milliseconds. */
  ends: readonly number[];
  lines: Line[];
  format: (value: number | null | undefined) => string;
  height?: number;
  /** Where the axis begins and ends, if it is not by the values. */
  min?: number;
  max?: number;
}

/** Charts of a page show the same moment. A drag is of one chart: told to the others, each would change the address. */
const SYNC: uPlot.Cursor.Sync = {
  key: uPlot.sync('clew').key,
  filters: { pub: (type) => type !== 'mousedown' && type !== 'mouseup' },
};

export function TimeChart({ label, ends, lines, format, height = 150, max, min }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const theme = useTheme();
  const { set } = useAddress();
  const data = useMemo<uPlot.AlignedData>(
    () => [ends.map((end) => end / 1000), ...lines.map((line) => [...line.values])],
    [ends, lines],
  );
  const latest = useRef(data);
  latest.current = data;
  // What is being dragged over stays where it is: news waits for the end of it.
  const isDragged = useRef(false);
  // What changes with each answer is the data alone.
  const look = JSON.stringify([
    lines.map(({ label, colour, dash, fill }) => [label, colour, dash, fill]),
    theme,
    height,
    min,
    max,
  ]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart is made anew only when its look changes
  useEffect(() => {
    const target = place.current;
    if (!target) return;
    const axis: uPlot.Axis = {
      stroke: colour('--soft'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1, size: 4 },
      font: '11px ui-sans-serif, system-ui, sans-serif',
    };
    const made = new uPlot(
      {
        width: target.clientWidth || 300,
        height,
        // On the right for half of the last time.
        padding: [8, 26, 0, 0],
        cursor: { sync: SYNC, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
        legend: { live: true, isolate: false },
        scales: {
          y: {
            // Above the greatest value there is room for the whole width of its line.
            range: (_, low, high) => {
              const least = min ?? Math.min(0, low ?? 0);
              return [least, max === undefined ? (high ?? 1) * 1.05 || 1 : max + (max - least) * 0.03];
            },
          },
        },
        axes: [
          {
            ...axis,
            size: 28,
            values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString('en-GB')),
            space: 80,
          },
          { ...axis, values: (_, ticks) => ticks.map(format), size: 62 },
        ],
        series: [
          { value: (_, at) => (at ? new Date(at * 1000).toLocaleTimeString('en-GB') : '') },
          ...lines.map(
            (line): uPlot.Series => ({
              label: line.label,
              stroke: colour(line.colour),
              width: 1.6,
              ...(line.dash && { dash: line.dash }),
              ...(line.fill && { fill: `color-mix(in srgb, ${colour(line.colour)} 14%, transparent)` }),
              // A value between two gaps has no line.
              points: { show: true, size: 4, filter: (self, index) => lone(self.data[index] ?? []) },
              value: (_, value) => format(value),
            }),
          ),
        ],
        hooks: {
          setCursor: [showLast],
          ready: [showLast],
          setData: [showLast],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < 4) return;
              const [from, to] = [self.posToVal(left, 'x') * 1000, self.posToVal(left + width, 'x') * 1000];
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              set({ window: windowOf(to - from), until: new Date(to).toISOString() });
            },
          ],
        },
      },
      latest.current,
      target,
    );
    chart.current = made;
    const released = () => {
      isDragged.current = false;
      made.setData(latest.current);
    };
    made.over.addEventListener('mousedown', () => {
      isDragged.current = true;
      // uPlot has heard of it before, and waits there too: the selection is made by then.
      document.addEventListener('mouseup', released, { once: true });
    });
    const resized = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height }));
    resized.observe(target);
    return () => {
      document.removeEventListener('mouseup', released);
      isDragged.current = false;
      resized.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [look, set]);

  useEffect(() => {
    if (!isDragged.current) chart.current?.setData(data);
  }, [data]);

  return <div ref={place} className="chart" role="img" aria-label={described(label, lines, format)} />;
}

/** Where nobody points, the legend has the last values. */
function showLast(chart: uPlot): void {
  const { idx } = chart.cursor;
  if (idx === null || idx === undefined) chart.setLegend({ idx: chart.data[0].length - 1 }, false);
}

/** What a chart shows, for whoever does not see it: the last values. */
function described(label: string, lines: Line[], format: Props['format']): string {
  const last = lines.map((line) => `${line.label} ${format(line.values.findLast((value) => value !== null))}`);
  return `${label}: ${last.join(', ')}`;
}
