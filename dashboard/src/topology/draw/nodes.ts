// Nodes and groups on the canvas.

import { percent, rate } from '../../lib/format';
import { PAD_TOP, type Rect } from '../layout/plan';
import { breaksTraces } from '../model';
import type { Palette } from './palette';
import { brokenChain, enlarge, fitted, mark, widthOf } from './pen';
import type { PlacedGroup, PlacedNode } from './scene';

type Context = CanvasRenderingContext2D;

/** Less than this on the screen is room for a name only, and less than the second for nothing but a mark. */
const ALL = 92;
const NAMES = 54;
const hasWords = ({ width }: PlacedNode, scale: number) => width * scale >= ALL;

function outline(context: Context, { node, x, y, width, height }: PlacedNode, by = 0): void {
  const radius = (node.kind === 'outside' ? height / 2 : 8) + by;
  context.beginPath();
  context.roundRect(x - width / 2 - by, y - height / 2 - by, width + 2 * by, height + 2 * by, radius);
}

function body(context: Context, placed: PlacedNode, palette: Palette, scale: number): void {
  const { node } = placed;
  const thin = Math.max(1, 0.7 / scale);
  context.lineWidth = thin;
  context.strokeStyle = palette.lineStrong;
  context.fillStyle = palette.panel;
  if (node.kind === 'namespace') {
    // A pile: there are more in it.
    for (const behind of [8, 4]) {
      outline(context, { ...placed, x: placed.x + behind, y: placed.y + behind });
      context.fill();
      context.stroke();
    }
  }
  outline(context, placed);
  context.fill();
  if (node.kind === 'outside') context.setLineDash([5, 4]);
  if (node.health === 'bad') {
    context.strokeStyle = palette.health.bad;
    context.lineWidth = thin * 1.6;
  }
  context.stroke();
  context.setLineDash([]);
  if (node.kind === 'gateway') gate(context, placed, palette);
}

/** Through a gateway one comes in. */
function gate(context: Context, { x, y, width, height }: PlacedNode, palette: Palette): void {
  context.fillStyle = palette.lineStrong;
  context.beginPath();
  context.roundRect(x - width / 2, y - height / 2, 6, height, [8, 0, 0, 8]);
  context.fill();
}

export function ring(context: Context, placed: PlacedNode, palette: Palette, scale: number, isFaint: boolean): void {
  outline(context, placed, 3 / Math.min(scale, 1));
  context.strokeStyle = palette.accent;
  context.lineWidth = (isFaint ? 1.6 : 3) / Math.min(scale, 1);
  context.stroke();
}

export function paintNode(context: Context, placed: PlacedNode, palette: Palette, scale: number): void {
  body(context, placed, palette, scale);
  if (placed.width * scale < NAMES) paintMark(context, placed, palette);
  else if (hasWords(placed, scale)) paintWords(context, placed, palette, scale);
  else paintName(context, placed, palette, scale);
  if (breaksTraces(placed.node)) paintBadge(context, placed, palette, scale);
}

function paintMark(context: Context, { node, x, y, width, height }: PlacedNode, palette: Palette): void {
  context.fillStyle = palette.healthSoft[node.health];
  context.beginPath();
  context.roundRect(x - width / 2 + 3, y - height / 2 + 3, width - 6, height - 6, 6);
  context.fill();
  mark(context, node.health, x, y, height * 0.45, palette.health[node.health]);
}

function paintName(context: Context, { node, x, y, width }: PlacedNode, palette: Palette, scale: number): void {
  const size = 11 / scale;
  const left = x - width / 2 + 8;
  mark(context, node.health, left + size * 0.35, y, size * 0.8, palette.health[node.health]);
  const room = width - 14 - size;
  enlarge(context, ['600 ', size * 0.84, palette.font], node.name, room, 1 / 0.84);
  context.fillStyle = palette.text;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillText(fitted(context, node.name, room), left + size, y);
}

/** As much larger as there is room, where all is drawn small. */
const larger = ({ node }: PlacedNode, scale: number) =>
  Math.min(Math.max(1 / scale, 1), node.kind === 'namespace' ? 1.55 : 1.3);

function paintWords(context: Context, placed: PlacedNode, palette: Palette, scale: number): void {
  const { node, x, y, width } = placed;
  const by = larger(placed, scale);
  const left = x - width / 2 + (node.kind === 'outside' ? 15 : 12);
  const isPile = node.kind === 'namespace';
  const room = width - (node.kind === 'outside' ? 26 : 20) - 14 * by - (isPile ? 16 : 0);
  const text = left + 14 * by;
  const gap = 17 * by;
  const first = y - ((isPile ? 2 : 1) * gap) / 2;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  mark(context, node.health, left + 4.5 * by, first, 9 * by, palette.health[node.health]);
  if (isPile) {
    context.fillStyle = palette.soft;
    context.font = `${13 * by}px ${palette.font}`;
    context.fillText('▸', x + width / 2 - 20, first);
  }
  enlarge(context, ['600 ', 13, palette.font], node.name, room, by);
  context.fillStyle = palette.text;
  context.fillText(fitted(context, node.name, room), text, first);
  enlarge(context, ['', 12, palette.font], '100.00% · 60.0/s', room, by);
  if (isPile) paintMembers(context, placed, palette, { x: text, y: first + gap, by });
  paintNumbers(context, placed, palette, { x: text, y: first + (isPile ? 2 : 1) * gap });
}

function paintMembers(
  context: Context,
  { node }: PlacedNode,
  palette: Palette,
  at: { x: number; y: number; by: number },
) {
  context.fillStyle = palette.soft;
  const failing = node.members.filter((one) => one.health === 'bad').length;
  const many = `${node.members.length} workload${node.members.length === 1 ? '' : 's'}`;
  const shown = failing > 0 ? `${node.members.length} · ` : many;
  context.fillText(shown, at.x, at.y);
  if (failing === 0) return;
  const from = at.x + widthOf(context, shown);
  mark(context, 'bad', from + 4 * at.by, at.y, 8 * at.by, palette.health.bad);
  context.fillStyle = palette.health.bad;
  context.fillText(`${failing} failing`, from + 12 * at.by, at.y);
}

function paintNumbers(context: Context, { node }: PlacedNode, palette: Palette, at: { x: number; y: number }): void {
  const { numbers } = node;
  context.fillStyle = palette.soft;
  if (!numbers) {
    context.fillText(node.kind === 'outside' ? 'not in the mesh' : 'no traffic', at.x, at.y);
    return;
  }
  let from = at.x;
  if (numbers.success !== null) {
    const shown = percent(numbers.success, numbers.success === 1 ? 0 : 2);
    context.fillStyle = node.health === 'good' ? palette.soft : palette.health[node.health];
    context.fillText(shown, from, at.y);
    from += widthOf(context, shown);
    context.fillStyle = palette.soft;
    context.fillText(' · ', from, at.y);
    from += widthOf(context, ' · ');
  }
  context.fillText(`${rate(numbers.rps)}/s`, from, at.y);
}

/** Above a node that is too small to have its name in it. */
export function paintNameTag(context: Context, placed: PlacedNode, palette: Palette, scale: number): void {
  const { node, x, y, width, height } = placed;
  if (width * scale >= NAMES) return;
  const size = 1 / scale;
  context.font = `600 ${12.5 * size}px ${palette.font}`;
  const wide = widthOf(context, node.name) + 14 * size;
  const top = y - height / 2 - 29 * size;
  context.fillStyle = palette.text;
  context.beginPath();
  context.roundRect(x - wide / 2, top, wide, 22 * size, 5 * size);
  context.fill();
  context.fillStyle = palette.panel;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(node.name, x, top + 11 * size);
}

interface Badge extends Rect {
  hasWords: boolean;
  size: number;
}

function badgeOf(context: Context, placed: PlacedNode, palette: Palette, scale: number): Badge {
  const isWordy = hasWords(placed, scale) && placed.node.kind !== 'namespace';
  const size = isWordy ? 1 : Math.min(0.75 / scale, 2.4);
  context.font = `600 11px ${palette.font}`;
  const width = isWordy ? widthOf(context, 'breaks traces') + 34 : 22 * size;
  const height = 18 * size;
  // Words hang below; a mark alone sits on the corner.
  const x = placed.x + placed.width / 2 - (isWordy ? width + 8 : width * 0.7);
  const y = isWordy ? placed.y + placed.height / 2 - 4 : placed.y - placed.height / 2 - height * 0.6;
  return { x, y, width, height, hasWords: isWordy, size };
}

function paintBadge(context: Context, placed: PlacedNode, palette: Palette, scale: number): void {
  const { x, y, width, height, hasWords, size } = badgeOf(context, placed, palette, scale);
  context.fillStyle = palette.healthSoft.bad;
  context.strokeStyle = palette.health.bad;
  context.lineWidth = size;
  context.beginPath();
  context.roundRect(x, y, width, height, height / 2);
  context.fill();
  context.stroke();
  brokenChain(context, x + (hasWords ? 15 : width / 2), y + height / 2, size, palette.health.bad);
  if (!hasWords) return;
  context.fillStyle = palette.health.bad;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillText('breaks traces', x + 26, y + height / 2 + 0.5);
}

/** What of a node has to be read, so that no label may lie on it: its words, and its mark. */
export function readOf(context: Context, placed: PlacedNode, palette: Palette, scale: number): Rect[] {
  const { x, y, width, height } = placed;
  const border = 5 / Math.min(scale, 1);
  const words = {
    x: x - width / 2 + border,
    y: y - height / 2 + border,
    width: width - 2 * border,
    height: height - 2 * border,
  };
  return breaksTraces(placed.node) ? [words, badgeOf(context, placed, palette, scale)] : [words];
}

export function paintGroup(context: Context, group: PlacedGroup, palette: Palette, scale: number): void {
  context.beginPath();
  context.roundRect(group.x, group.y, group.width, group.height, 12);
  context.fillStyle = palette.sunken;
  context.fill();
  context.lineWidth = Math.max(1, 0.7 / scale);
  context.strokeStyle = palette.line;
  context.stroke();
}

interface Title {
  name: string;
  count: string;
  size: number;
  width: number;
  y: number;
}

function titleOf(context: Context, group: PlacedGroup, palette: Palette, scale: number): Title {
  const size = Math.max(12.5, 12 / scale);
  context.font = `650 ${size}px ${palette.font}`;
  const count = scale > 0.5 ? `  ${group.count} workload${group.count === 1 ? '' : 's'}` : '';
  const name = fitted(context, `▾ ${group.name}`, Math.max(group.width - size * 2, size * 4));
  const width = widthOf(context, name);
  // Where there is no room for it inside, it stands on the box.
  const y = size * 1.6 > PAD_TOP ? group.y - size * 0.9 : group.y + PAD_TOP / 2;
  return { name, count, size, width, y };
}

/** Where the name of a group is. */
export function titleRoom(context: Context, group: PlacedGroup, palette: Palette, scale: number): Rect {
  const { count, size, width, y } = titleOf(context, group, palette, scale);
  const wide = width + size + (count ? widthOf(context, count) : 0);
  return { x: group.x + size * 0.5, y: y - size * 0.8, width: wide, height: size * 1.6 };
}

/** Above all the rest, so that no edge goes through it. */
export function paintTitle(context: Context, group: PlacedGroup, palette: Palette, scale: number): void {
  const { name, count, size, width, y } = titleOf(context, group, palette, scale);
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.globalAlpha = 0.85;
  context.fillStyle = palette.sunken;
  context.beginPath();
  context.roundRect(group.x + size * 0.5, y - size * 0.8, width + size, size * 1.6, size * 0.4);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = palette.text;
  context.fillText(name, group.x + size, y);
  if (!count) return;
  context.font = `${size}px ${palette.font}`;
  context.fillStyle = palette.soft;
  context.fillText(fitted(context, count, group.width - width - size * 2), group.x + size + width, y);
}
