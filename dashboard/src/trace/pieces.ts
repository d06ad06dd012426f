// What is within a span's bar: where its own time is, and what it was spent on.

import { childrenOf, isProxys, type Model, type Node } from './model';
import type { Part } from './parts';
import { beyond, type Stretch } from './path';

/** `below`: a span below it was open. */
export type PieceKind = Part | 'below';

export interface Piece extends Stretch {
  kind: PieceKind;
}

/**
 * The bar from its start to its end without a gap. The proxy's work on the request and its waits come first, its work
 * on the answer last; they are as long as the proxy measured them, and where exactly they were is not known.
 */
export function piecesOf(model: Model, node: Node): Piece[] {
  const below = covered(childrenOf(model, node));
  const own = gaps(node, below);
  const rest = beyond(model, node).part;
  const pieces: Piece[] = below.map((stretch) => ({ ...stretch, kind: 'below' }));
  const time = isProxys(node.span) ? node.span.proxy_time : undefined;
  if (time) {
    const answer = Math.min((time.phases_us.response ?? 0) * 1000, time.work_us * 1000);
    pieces.push(...take(own, time.work_us * 1000 - answer, 'proxy', 'first'));
    pieces.push(...take(own, time.wait_us * 1000, 'wait', 'first'));
    pieces.push(...take(own, answer, 'proxy', 'last'));
  }
  pieces.push(...own.map((stretch) => ({ ...stretch, kind: rest })));
  return pieces.sort((a, b) => a.from - b.from);
}

/** When at least one of them was open. They are in the order of their starts. */
export function covered(nodes: Node[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { start, end } of nodes) {
    const last = stretches.at(-1);
    if (end <= start) continue;
    if (last && start <= last.to) last.to = Math.max(last.to, end);
    else stretches.push({ from: start, to: end });
  }
  return stretches;
}

function gaps(node: Node, below: Stretch[]): Stretch[] {
  const own: Stretch[] = [];
  let until = node.start;
  for (const { from, to } of below) {
    if (from > until) own.push({ from: until, to: from });
    until = Math.max(until, to);
  }
  if (node.end > until) own.push({ from: until, to: node.end });
  return own;
}

/** Takes so much of what is left, from its first end or from its last. */
function take(left: Stretch[], nanos: number, kind: PieceKind, from: 'first' | 'last'): Piece[] {
  const taken: Piece[] = [];
  let wanted = nanos;
  while (wanted > 0 && left.length > 0) {
    const stretch = (from === 'first' ? left[0] : left.at(-1)) as Stretch;
    const size = Math.min(wanted, stretch.to - stretch.from);
    if (from === 'first') {
      taken.push({ from: stretch.from, to: stretch.from + size, kind });
      stretch.from += size;
    } else {
      taken.push({ from: stretch.to - size, to: stretch.to, kind });
      stretch.to -= size;
    }
    if (stretch.from >= stretch.to) {
      if (from === 'first') left.shift();
      else left.pop();
    }
    wanted -= size;
  }
  return taken;
}

/** Stretches in hundredths of the range's width; those closer together than `least` are one. */
export function lines(when: Stretch[], range: Stretch, least: number): { left: number; width: number }[] {
  const scale = 100 / Math.max(range.to - range.from, 1);
  const shown: { left: number; width: number }[] = [];
  for (const { from, to } of when) {
    const left = (Math.max(from, range.from) - range.from) * scale;
    const right = (Math.min(to, range.to) - range.from) * scale;
    const last = shown.at(-1);
    if (right <= left) continue;
    if (last && left - last.left - last.width < least) last.width = right - last.left;
    else shown.push({ left, width: right - left });
  }
  return shown;
}

/** A piece in hundredths of the range's width. */
export interface Drawn {
  kind: PieceKind;
  left: number;
  width: number;
}

/**
 * The pieces in a range as they are drawn. What would be narrower than `least` joins what is before it, so that a span
 * with a thousand calls is not a thousand boxes; a proxy's work or wait is never lost, and is drawn that wide at least.
 */
export function drawn(pieces: Piece[], range: Stretch, least: number): Drawn[] {
  const scale = 100 / Math.max(range.to - range.from, 1);
  const shown: Drawn[] = [];
  for (const piece of pieces) {
    const left = (Math.max(piece.from, range.from) - range.from) * scale;
    const right = (Math.min(piece.to, range.to) - range.from) * scale;
    if (right < 0 || left > 100 || right < left || (right === left && piece.to > piece.from)) continue;
    const last = shown.at(-1);
    const isSmall = right - left < least;
    const isKept = piece.kind === 'proxy' || piece.kind === 'wait';
    if (last && (last.kind === piece.kind || (isSmall && !isKept)))
      last.width = Math.max(last.width, right - last.left);
    else if (last && isSmall && last.left + last.width - left > least) continue;
    else shown.push({ kind: piece.kind, left, width: isKept ? Math.max(right - left, least) : right - left });
  }
  return shown;
}
