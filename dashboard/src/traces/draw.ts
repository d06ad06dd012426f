// The scatter, drawn on a canvas.

import { clock, time } from '../lib/format';
import { colour } from '../ui/theme';
import { durationTicks, type Plot, timeTicks } from './plot';

export interface Mark {
  x: number;
  y: number;
  radius: number;
  isFailed: boolean;
  state: 'arriving' | 'whole' | 'broken';
  isDimmed: boolean;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Drawn {
  plot: Plot;
  marks: readonly Mark[];
  hovered: Mark | undefined;
  selected: Box | undefined;
}

export function draw(context: CanvasRenderingContext2D, { plot, marks, hovered, selected }: Drawn): void {
  const scale = window.devicePixelRatio || 1;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  drawAxes(context, plot);
  if (selected) drawBox(context, selected);
  const colours = { good: colour('--accent'), bad: colour('--bad') };
  // Failures last: nothing covers them.
  for (const mark of marks) if (!mark.isFailed) drawMark(context, mark, colours.good);
  for (const mark of marks) if (mark.isFailed) drawMark(context, mark, colours.bad);
  context.globalAlpha = 1;
  if (hovered) {
    context.strokeStyle = colour('--text');
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(hovered.x, hovered.y, hovered.radius + 3, 0, 2 * Math.PI);
    context.stroke();
  }
}

function drawAxes(context: CanvasRenderingContext2D, plot: Plot): void {
  const { left, top, width, height } = plot.frame;
  const line = (fromX: number, fromY: number, toX: number, toY: number) => {
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.stroke();
  };
  context.globalAlpha = 1;
  context.lineWidth = 1;
  context.strokeStyle = colour('--line');
  context.fillStyle = colour('--soft');
  context.font = `11.5px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const tick of durationTicks(plot.domain.duration)) {
    const y = Math.round(plot.y(tick)) + 0.5;
    line(left, y, left + width, y);
    context.fillText(axisTime(tick), left - 8, y);
  }
  context.textBaseline = 'top';
  context.textAlign = 'center';
  const ticks = timeTicks(plot.domain.time, Math.max(2, Math.floor(width / 110)));
  const isFine = (ticks[1] ?? 1000) - (ticks[0] ?? 0) < 1000;
  for (const tick of ticks) {
    const x = Math.round(plot.x(tick)) + 0.5;
    line(x, top + height, x, top + height + 5);
    const text = clock(tick, isFine);
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(x, left + width + 14 - half), top + height + 9);
  }
  line(left, top + height + 0.5, left + width, top + height + 0.5);
}

/** Round numbers without the digits that they do not need. */
function axisTime(ms: number): string {
  return time(ms).replace(/\.0+(?= )/, '');
}

/** A dot; hollow where spans are missing, dashed where they may yet come; a cross where one failed. */
function drawMark(context: CanvasRenderingContext2D, mark: Mark, hue: string): void {
  const { x, y, radius, isFailed, state, isDimmed } = mark;
  context.fillStyle = hue;
  context.strokeStyle = hue;
  context.beginPath();
  if (isFailed) {
    context.globalAlpha = isDimmed ? 0.3 : 1;
    context.lineWidth = 2;
    context.moveTo(x - radius, y - radius);
    context.lineTo(x + radius, y + radius);
    context.moveTo(x + radius, y - radius);
    context.lineTo(x - radius, y + radius);
    context.stroke();
    return;
  }
  context.arc(x, y, radius, 0, 2 * Math.PI);
  if (state !== 'whole') {
    context.globalAlpha = isDimmed ? 0.3 : 0.9;
    context.lineWidth = 1.4;
    context.setLineDash(state === 'arriving' ? [2, 2] : []);
    context.stroke();
    context.setLineDash([]);
  } else {
    context.globalAlpha = isDimmed ? 0.22 : 0.6;
    context.fill();
  }
}

function drawBox(context: CanvasRenderingContext2D, { x, y, width, height }: Box): void {
  context.globalAlpha = 0.6;
  context.fillStyle = colour('--accent-soft');
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
  context.strokeStyle = colour('--accent');
  context.lineWidth = 1.5;
  context.strokeRect(x, y, width, height);
}
